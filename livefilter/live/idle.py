"""Resting while nobody watches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class IdleWatch:
    """Says when a run may rest: when every output has known for a while that nobody watches it.

    after_s: how long that is, in seconds; None never rests.
    """

    def __init__(self, after_s: float | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._after_s = after_s
        self._clock = clock
        self._watched_at = clock()
        self._awake = threading.Event()
        self._awake.set()

    @property
    def resting(self) -> bool:
        """Whether nobody watches, as far as the last `follow` saw."""
        return not self._awake.is_set()

    def follow(self, watched: Callable[[], bool]) -> bool:
        """Look who watches; whether the run may rest. watched: whether anybody does, where outputs can tell."""
        if self._after_s is None:
            return False
        now = self._clock()
        if watched():
            self._watched_at = now
            if self.resting:
                _log.info("Somebody watches again.")
                self._awake.set()
        elif now - self._watched_at > self._after_s and not self.resting:
            _log.info("Nobody watches: the camera is released until somebody does.")
            self._awake.clear()
        return self.resting

    def wait(self, over: Callable[[], bool]) -> None:
        """Wait until somebody watches or `wake` is called; `over` is asked now and then whether to wait on."""
        while self.resting and not over():
            self._awake.wait(0.5)

    def wake(self) -> None:
        """End the rest, whoever watches."""
        self._awake.set()
