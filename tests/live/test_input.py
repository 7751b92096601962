"""The input of a run can be lost, released and exchanged."""

from __future__ import annotations

import threading

import pytest

from livefilter.errors import SourceLost, SourceUnavailable
from livefilter.live.idle import IdleWatch
from livefilter.live.input import LiveInput
from tests.fakes import WAIT_S, FakeSource, until

AWAKE = IdleWatch(None)


def reader(live: LiveInput) -> tuple[threading.Thread, list[str]]:
    """A thread that reads to the end and keeps the input's name for each frame."""
    names: list[str] = []

    def read() -> None:
        while live.read() is not None:
            names.append(live.name)

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    return thread, names


def test_another_input_takes_over_while_frames_flow() -> None:
    """The first one is closed, the next frame comes from the second, and the same thread reads on."""
    first, second = FakeSource(name="first"), FakeSource(name="second")
    live = LiveInput(first, None, AWAKE)
    thread, names = reader(live)
    until(lambda: len(names) > 3, "frames of the first")
    live.replace(second, None)
    until(lambda: second.reads > 3, "frames of the second")
    assert first.closed
    assert live.name == "second"
    live.close()
    thread.join(WAIT_S)
    assert not thread.is_alive()
    assert second.closed


def test_another_input_ends_the_wait_for_a_lost_one() -> None:
    """Whoever chooses another camera does not have to wait for the first one to come back."""

    def gone() -> FakeSource:
        raise SourceUnavailable("unplugged")

    live = LiveInput(FakeSource(failures={2: SourceLost("unplugged")}), gone, AWAKE, every_s=WAIT_S)
    thread, _ = reader(live)
    until(lambda: live.waiting_for == "fake camera", "the loss")
    second = FakeSource(name="second")
    live.replace(second, None)
    until(lambda: second.reads > 3, "frames of the second")
    assert live.waiting_for is None
    live.close()
    thread.join(WAIT_S)


def test_an_input_chosen_after_the_end_is_closed() -> None:
    """Nothing stays open."""
    live = LiveInput(FakeSource(), None, AWAKE)
    live.close()
    late = FakeSource()
    live.replace(late, None)
    assert live.read() is None
    assert late.closed


def test_a_lost_input_that_nothing_can_open_again_is_an_error() -> None:
    """A file that vanishes ends the run with its reason."""
    live = LiveInput(FakeSource(failures={0: SourceLost("the file is gone")}), None, AWAKE)
    with pytest.raises(SourceLost, match="the file is gone"):
        live.read()
    live.close()
