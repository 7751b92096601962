"""Resting while nobody watches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from livefilter.output.base import Sink

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

    def follow(self, sinks: Iterable[Sink]) -> bool:
        """Look who watches; whether the run may rest. An output that cannot tell counts as watched."""
        if self._after_s is None:
            return False
        now = self._clock()
        if any(sink.watched() is not False for sink in sinks):
            self._watched_at = now
            if self.resting:
                _log.info("Somebody watches again.")
                self._awake.set()
        elif now - self._watched_at > self._after_s and not self.resting:
            _log.info("Nobody watches: the camera is released until somebody does.")
            self._awake.clear()
        return self.resting

    def wait(self, stopping: threading.Event) -> None:
        """Wait until somebody watches, or `stopping` is set and `wake` was called."""
        while self.resting and not stopping.is_set():
            self._awake.wait(0.5)

    def wake(self) -> None:
        """End the rest, whoever watches."""
        self._awake.set()
