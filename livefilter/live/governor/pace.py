"""The rate lever: which frames are styled."""

from __future__ import annotations

from livefilter.frame import Frame

# Of a period: cameras do not keep their beat more exactly than this.
_EARLY = 0.3


class Pace:
    """Lets frames through at a rate, evenly; any thread may set it, one asks."""

    def __init__(self) -> None:
        self.rate_fps = float("inf")
        self._due_s = float("-inf")

    def __call__(self, frame: Frame) -> bool:
        """Whether this frame is to be styled."""
        period_s = 1.0 / self.rate_fps
        if frame.captured_at < self._due_s - _EARLY * period_s:
            return False
        # From when it was due and not from when it came, or a rate of 20 out of 30 frames would become 15.
        behind = frame.captured_at - self._due_s > period_s
        self._due_s = (frame.captured_at if behind else self._due_s) + period_s
        return True
