"""Dark frames are drawn from a lighter copy: in the dark a network sees neither lines nor eyes."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from livefilter.frame import Image

# The brightness, of 255, that the brightest tenth of a frame should reach; less is dark. A face that is lit before a
# black wall needs no more light.
_BRIGHT, _BRIGHTEST = 150.0, 0.9
_SLOPE, _MOST = 1.2, 6.0
# The part of the gain, as an exponent, that is taken back from the drawing, so that the dark stays darker than the day.
_BACK = 0.5
_EVERY = 4  # pixels, across and down, that are looked at


def gain_of(image: Image) -> float:
    """How many times as light a frame should be drawn: 1 for most, up to 6 in the dark.

    image: (H, W, 3) uint8 BGR. It depends on nothing but the frame, and follows it without a jump.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(image[::_EVERY, ::_EVERY]), cv2.COLOR_BGR2GRAY)
    shares = np.cumsum(np.bincount(grey.ravel(), minlength=256)) / grey.size
    above = int(np.searchsorted(shares, _BRIGHTEST))
    # Between grey levels, for a whole level is a step that would be seen.
    before = float(shares[above - 1]) if above else 0.0
    bright = above + (_BRIGHTEST - before) / max(float(shares[above]) - before, 1e-6)
    return min(max(1.0, float((_BRIGHT / max(bright, 1.0)) ** _SLOPE)), _MOST)


def lighter(image: Image, gain: float) -> Image:
    """A copy so many times as light in the dark, and less so the lighter a place is: white stays white, black black."""
    return image if gain == 1.0 else np.asarray(cv2.LUT(image, _curve(round(gain, 3))), np.uint8)


def darker(drawing: Image, gain: float) -> Image:
    """Take half of the gain back from the drawing of a lighter copy."""
    return drawing if gain == 1.0 else np.asarray(cv2.LUT(drawing, _curve(round(gain**-_BACK, 3))), np.uint8)


@lru_cache(maxsize=16)
def _curve(power: float) -> Image:
    """1 - (1 - v)^power: what screens laid over each other do to light; its slope in the dark is the power."""
    return np.asarray(np.rint(255.0 * (1.0 - (1.0 - np.arange(256) / 255.0) ** power)), np.uint8)
