"""The clock of inputs that have no device to wait for."""

from __future__ import annotations

import time

from livefilter.capture.lease import Lease


class Ticker:
    """Beats `fps` times a second; beats that nobody waited for are left out, so it is never behind."""

    def __init__(self, fps: float, lease: Lease) -> None:
        self._interval = 1.0 / fps
        self._lease = lease
        self._start = time.perf_counter()
        self._beat = -1

    def wait(self) -> float:
        """Wait for the next beat; the seconds since the first one, a whole number of intervals.

        Raises: SourceError: the source was closed meanwhile.
        """
        elapsed = time.perf_counter() - self._start
        self._beat = max(self._beat + 1, int(elapsed / self._interval))
        due = self._beat * self._interval
        self._lease.wait(due - elapsed)
        return due
