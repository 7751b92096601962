"""The one-slot hand-over."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefilter.mailbox import Mailbox, MailboxClosed


@given(st.lists(st.one_of(st.integers(0, 1000), st.just("get")), max_size=50))
def test_every_item_is_taken_or_counted_as_dropped(steps: list[int | str]) -> None:
    """Whatever the order of puts and gets: the newest is taken, and put = taken + dropped + waiting."""
    mailbox: Mailbox[int] = Mailbox()
    newest, put, taken = None, 0, 0
    for step in steps:
        if step == "get":
            assert mailbox.get(timeout_s=0) == newest
            taken += newest is not None
            newest = None
        else:
            assert isinstance(step, int)
            mailbox.put(step)
            newest, put = step, put + 1
    assert put == taken + mailbox.dropped + (newest is not None)


def test_what_was_put_before_close_can_still_be_taken() -> None:
    """Closing loses nothing: the last item comes out, then MailboxClosed."""
    mailbox: Mailbox[str] = Mailbox()
    mailbox.put("last")
    mailbox.close()
    mailbox.close()
    assert mailbox.get() == "last"
    with pytest.raises(MailboxClosed):
        mailbox.get()
    with pytest.raises(MailboxClosed):
        mailbox.put("too late")


def test_close_wakes_a_waiting_reader() -> None:
    """A reader without a timeout does not sleep through close."""
    mailbox: Mailbox[int] = Mailbox()
    woken = threading.Event()

    def read() -> None:
        with pytest.raises(MailboxClosed):
            mailbox.get()
        woken.set()

    reader = threading.Thread(target=read)
    reader.start()
    mailbox.close()
    reader.join(5)
    assert woken.is_set()
