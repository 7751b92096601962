"""Hand-over from styling, whose time varies, to the beat at which frames leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from livefilter.mailbox import Mailbox, MailboxClosed

T = TypeVar("T")

# A frame that was never needed as a reserve for so many is given up, so that what follows is younger.
_CALM_GETS = 90


class SteadyQueue(Mailbox[T]):
    """A mailbox that keeps one frame more than its slot, so that two that come in one beat leave in two.

    The second one is a reserve for the next beat whose own frame is late. It costs one period of age while it is there;
    when it was not needed for three seconds of frames it goes.

    reserves: whether a reserve is wanted now; without, it is a plain mailbox.
    """

    def __init__(self, reserves: Callable[[], bool] = lambda: True) -> None:
        super().__init__()
        self._reserves = reserves
        self._reserve: T | None = None
        self._calm = 0

    @property
    def waiting(self) -> int:
        """How many frames lie ready."""
        return (self._reserve is not None) + (self._item is not None)

    def put(self, item: T) -> None:
        """Lay down the newest frame; the oldest goes when there are two already.

        Raises: MailboxClosed.
        """
        with self._changed:
            if self._closed:
                raise MailboxClosed
            if self._item is not None:
                keep = self._reserves()
                self.dropped += (self._reserve is not None) + (not keep)
                self._reserve = self._item if keep else None
            self._item = item
            self._changed.notify()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the oldest frame, or the newest when the other was a reserve for long enough; see Mailbox.get."""
        with self._changed:
            if self._reserve is None:
                self._calm = 0
                return super().get(timeout_s)
            self._calm += 1
            oldest, self._reserve = self._reserve, None
            if self._calm < _CALM_GETS:
                return oldest
            self._calm = 0
            self.dropped += 1
            newest, self._item = self._item, None
            return newest
