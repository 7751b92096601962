"""The beat at which frames leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# A frame should lie ready this long before it leaves, and longer when its moment varies: less and it misses its beat,
# more is latency.
_READY_BEFORE_S = 0.002
_PER_DEVIATION = 3.0
# Weight of the newest frame in the running mean and deviation.
_NEWEST = 0.05


class SteadyClock:
    """Ticks at a constant rate, and moves its phase gently to just after the moment when frames become ready.

    The first frame sets the phase; from then on it moves by at most 0.5 % of a period a tick, so the rate stays
    within 1 % of what was asked for.
    A consumer that was late skips the ticks it missed instead of sending a burst.
    """

    def __init__(self, fps: float, now: Callable[[], float] = time.perf_counter) -> None:
        self._period_s = 1.0 / fps
        self._now = now
        self._next = now()
        self._mean_s: float | None = None
        self._deviation_s = 0.0

    def wait(self, stopping: threading.Event) -> bool:
        """Block until the next tick; False when `stopping` was set instead."""
        delay_s = self._next - self._now()
        if delay_s > 0 and stopping.wait(delay_s):
            return False
        self._next += self._period_s
        late_s = self._now() - self._next
        if late_s > 0:
            self._next += self._period_s * (late_s // self._period_s + 1)
        return not stopping.is_set()

    def aim(self, ready_for_s: float) -> None:
        """Tell how long the frame of this tick had been ready; the following ticks move towards its moment."""
        if self._mean_s is None:
            self._mean_s = _READY_BEFORE_S
            self._next -= ready_for_s - _READY_BEFORE_S
            return
        self._deviation_s += _NEWEST * (abs(ready_for_s - self._mean_s) - self._deviation_s)
        self._mean_s += _NEWEST * (ready_for_s - self._mean_s)
        margin_s = min(_READY_BEFORE_S + _PER_DEVIATION * self._deviation_s, self._period_s / 2)
        limit_s = self._period_s * 0.005
        self._next -= max(-limit_s, min(limit_s, (self._mean_s - margin_s) * 0.1))
