"""Hand-over between two stages."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class MailboxClosed(Exception):
    """The mailbox was closed; it hands over nothing more. A signal between stages, not an error."""


class Mailbox(Generic[T]):
    """One slot, newest wins: `put` never waits, and what was not taken in time is counted in `dropped`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> None:
        """Replace whatever lies in the slot.

        Raises: MailboxClosed.
        """
        with self._changed:
            if self._closed:
                raise MailboxClosed
            if self._item is not None:
                self.dropped += 1
            self._item = item
            self._changed.notify()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the item, waiting for one; None when `timeout_s` passed without one.

        An item that was put before `close` can still be taken.
        Raises: MailboxClosed: closed and empty.
        """
        with self._changed:
            if self._item is None and not self._closed:
                self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            if item is None and self._closed:
                raise MailboxClosed
            return item

    def close(self) -> None:
        """Wake everyone who waits. Can be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
