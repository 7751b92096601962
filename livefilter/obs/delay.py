"""How late the picture is, and which offset of the sound makes up for it."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Callable

from livefilter.metrics import Recent
from livefilter.obs.protocol import LEAST_OFFSET_MS, MOST_OFFSET_MS

# A picture that stays for longer is frozen, a card or a still; it says nothing of lips.
_LONGEST_S = 1.0
_LEAST_SEEN_S = 1.0
# Smaller changes are not heard, and each one is a crack in the sound.
STEP_MS = 10
EVERY_S = 5.0
_READINGS = 5


def picture_delay_s(recent: Recent) -> float | None:
    """How old what viewers see is on average, in seconds; None while too little was shown to say so.

    A frame that was captured `age` before it was sent is shown until the next one is, so that a slow style's pictures
    are late by half of their interval, besides. What the way to OBS adds is not in it.
    """
    shown_s, area = 0.0, 0.0
    ages_s = [each / 1000.0 for each in recent.durations_ms.get("age", [])]
    for sent, following, age_s in zip(recent.new, recent.new[1:], ages_s, strict=False):
        lasted_s = following - sent
        if 0.0 < lasted_s <= _LONGEST_S:
            shown_s += lasted_s
            area += (age_s + lasted_s / 2) * lasted_s
    return area / shown_s if shown_s >= _LEAST_SEEN_S else None


class OffsetLaw:
    """Follows a delay with an offset: smoothed, in steps of at least STEP_MS, never more often than every EVERY_S.

    current_ms: what was decided last; None before that.
    """

    def __init__(self) -> None:
        self.current_ms: int | None = None
        self._readings: deque[float] = deque(maxlen=_READINGS)
        self._decided_at = -math.inf

    def follow(self, delay_ms: float, now: float) -> int | None:
        """Take one reading of the delay, about one a second. Returns: another offset in ms, or None to keep it."""
        self._readings.append(delay_ms)
        if len(self._readings) < _READINGS and self.current_ms is not None:
            return None
        if len(self._readings) < 2 or now - self._decided_at < EVERY_S:
            return None
        wanted = round(statistics.median(self._readings))
        if self.current_ms is not None and abs(wanted - self.current_ms) < STEP_MS:
            return None
        self.current_ms, self._decided_at = wanted, now
        return wanted

    def forget(self) -> None:
        """Begin anew, as when the picture comes by another way."""
        self.current_ms = None
        self._readings.clear()
        self._decided_at = -math.inf


def total_offset_ms(own_ms: int, users_ms: int, tell: Callable[[str], object] = lambda text: None) -> int:
    """What to set: the user's offset and ours, within what OBS takes."""
    wanted = own_ms + users_ms
    kept = max(LEAST_OFFSET_MS, min(MOST_OFFSET_MS, wanted))
    if kept != wanted:
        tell(f"OBS takes sound offsets from {LEAST_OFFSET_MS} to {MOST_OFFSET_MS} ms, so {kept} and not {wanted}")
    return kept
