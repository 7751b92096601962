"""When each frame is shown in a file or stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from livefilter.frame import Frame

# Two frames are never closer than this, because Matroska and FLV count in whole milliseconds.
_TICK_S = 0.001

# The file's own time is followed unless it leaves the clock by more than this: then the file was opened anew.
_JUMP_S = 1.0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one frame goes.

    at_s: seconds since the first frame of the output.
    media_s: the frame's time in its file, if what is played from here on must be aligned anew; else None.
    """

    at_s: float
    media_s: float | None = None


class Timeline:
    """Turns the times of frames into output times that always rise, from 0 or, with `own_zero`, the file's own start.

    Frames of a file keep the file's own timing, all others that of their capture. A frame that comes again is not
    placed again but holds; it is placed once every `hold_s`, so that what is written never falls behind by more.
    """

    def __init__(
        self, *, hold_s: float, live: bool, own_zero: bool = False, now: Callable[[], float] = time.perf_counter
    ) -> None:
        self._hold_s = hold_s
        self._live = live
        self._own_zero = own_zero
        self._now = now
        self._last: Frame | None = None
        self._last_at_s = 0.0
        self._placed_at = 0.0
        self._held_s = 0.0
        self._clock_origin_s = 0.0
        self._media_origin_s: float | None = None

    @property
    def held_s(self) -> float:
        """Seconds for which the frame that was placed last has been repeated since."""
        return self._held_s

    @property
    def end_s(self) -> float:
        """Output time up to which the last frame has been held."""
        return self._last_at_s + self._held_s

    @property
    def last_lasts_s(self) -> float:
        """Seconds for which the file shows the frame that was placed last; 0 when that is not known."""
        return self._last.lasts_s if self._last is not None else 0.0

    def place(self, frame: Frame) -> Placement | None:
        """The output time of a frame; None for one that came again and still holds."""
        now = self._now()
        last = self._last
        if last is not None and (frame.number, frame.captured_at) == (last.number, last.captured_at):
            self._held_s = now - self._placed_at
            if self._held_s < self._hold_s:
                return None
            return self._settle(frame, self.end_s, now)
        if last is None:
            self._clock_origin_s, self._media_origin_s = frame.captured_at, frame.media_s
            if self._own_zero and frame.media_s is not None:
                # Sound may start before the first picture; a file that is rendered keeps its own zero.
                self._media_origin_s = 0.0
                return self._settle(frame, frame.media_s, now, aligned=frame.media_s)
            return self._settle(frame, 0.0, now, aligned=frame.media_s)
        by_clock_s = frame.captured_at - self._clock_origin_s
        if frame.media_s is None:
            return self._settle(frame, by_clock_s, now)
        if self._media_origin_s is not None:
            by_media_s = frame.media_s - self._media_origin_s
            left_clock = self._live and abs(by_media_s - by_clock_s) > _JUMP_S
            if not left_clock and by_media_s > self._last_at_s - _JUMP_S:
                return self._settle(frame, by_media_s, now)
        placement = self._settle(frame, by_clock_s, now, aligned=frame.media_s)
        self._media_origin_s = frame.media_s - placement.at_s
        return placement

    def _settle(self, frame: Frame, at_s: float, now: float, aligned: float | None = None) -> Placement:
        if self._last is not None:
            at_s = max(at_s, self._last_at_s + _TICK_S)
        self._last, self._last_at_s, self._placed_at, self._held_s = frame, at_s, now, 0.0
        return Placement(at_s, aligned)
