"""The fade from the last picture of one style into those of the next."""

from __future__ import annotations

from collections.abc import Callable

from livefilter.frame import Image
from livefilter.inference.look import blend, flipped
from livefilter.nv12 import nv12_to_bgr


class Fade:
    """Mixes the picture that was on screen when a style changed into those that follow, on the CPU.

    duration_s: how long that takes; 0 changes at once. clock: seconds.
    """

    def __init__(self, duration_s: float, clock: Callable[[], float]) -> None:
        self._duration_s, self._clock = duration_s, clock
        self._last: Image | None = None
        self._last_mirrored = False
        self._before: Image | None = None
        self._raw = ""
        self._began_at = 0.0

    @property
    def running(self) -> bool:
        """Whether `mix` still changes pictures."""
        return self._before is not None

    @property
    def raw(self) -> str:
        """What of the camera the picture before shows, as `Frame.raw` says it; empty once the fade is over."""
        return self._raw if self.running else ""

    def remember(self, image: Image, *, mirrored: bool = False) -> None:
        """Keep the newest picture, BGR or NV12, for a fade that may begin; it is not copied."""
        self._last, self._last_mirrored = image, mirrored

    def begin(self, raw: str) -> None:
        """Fade from the picture that was remembered. raw: what of the camera it shows."""
        if self._duration_s > 0 and self._last is not None:
            last = nv12_to_bgr(self._last)
            self._before = flipped(last) if self._last_mirrored else last
            self._raw, self._began_at = raw, self._clock()

    def mix(self, image: Image) -> Image:
        """The picture of this moment, (H, W, 3) uint8 BGR; `image` itself where there is nothing to fade."""
        if self._before is None:
            return image
        share = (self._clock() - self._began_at) / self._duration_s
        if share >= 1 or self._before.shape != image.shape:
            self._before = None
            return image
        return blend(self._before, image, share)
