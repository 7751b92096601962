"""Dark frames, and what is dark before a bright window, are drawn from a lighter copy: in the dark a network sees
neither lines nor eyes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.frame import Image

# The brightness, of 255, that the brightest tenth of a frame should reach; less is dark. A face that is lit before a
# black wall needs no more light.
_BRIGHT, _BRIGHTEST = 150.0, 0.9
_SLOPE, _MOST = 1.2, 6.0
# The part of the gain, as an exponent, that is taken back from the drawing, so that the dark stays darker than the day.
_BACK = 0.5
_EVERY = 4  # pixels, across and down, that are looked at
# A frame with back light has so large a share of pixels as light as windows are, from where none is taken for it to
# where all are. Lit rooms with white walls have fewer.
_WINDOW, _WINDOWS = 225, (0.03, 0.1)
_SHADE = 90.0, 35.0  # brightness around a place that is dark then: a little, and wholly
_SHADE_GAIN = 3.0
# Where so large a share of the frame is darker than this it is night, and a lamp or a flash lights what is light.
_NIGHT, _NIGHTS = 45, (0.65, 0.4)
_ALONE = 1.5, 1.0  # gain of the whole frame
_COARSE, _AROUND, _EDGE = 8, 0.08, 20.0  # pixels; part of the shorter side; grey levels that shade ends at

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Lightening:
    """How much lighter a frame is drawn.

    gain: of the whole frame: 1 for most, up to 6 in the dark. shade, shade_gain: where a frame with back light is dark,
    (H, W) float32 from 0 to 1, and the gain there; None in other frames.
    """

    gain: float = 1.0
    shade: Weights | None = None
    shade_gain: float = 1.0

    def part(self, rows: slice, columns: slice) -> Lightening:
        """That of a part of the frame."""
        shade = None if self.shade is None else np.ascontiguousarray(self.shade[rows, columns])
        return Lightening(self.gain, shade, self.shade_gain)

    def lighter(self, image: Image) -> Image:
        """A copy so many times as light in the dark, and less so the lighter a place is: white stays white, black
        black. The image itself where nothing is dark."""
        return self._where_dark(_curved(image, self.gain), self.shade_gain)

    def darker(self, drawing: Image) -> Image:
        """Take half of the gain back from the drawing of a lighter copy."""
        return _curved(self._where_dark(drawing, self.shade_gain**-_BACK), self.gain**-_BACK)

    def _where_dark(self, image: Image, gain: float) -> Image:
        if self.shade is None:
            return image
        return np.asarray(cv2.blendLinear(image, _curved(image, gain), 1.0 - self.shade, self.shade), np.uint8)


def lightening_of(image: Image, strength: float = 1.0) -> Lightening:
    """How much lighter a frame should be drawn, less so at a strength below 1.

    image: (H, W, 3) uint8 BGR. It depends on nothing but the frame, and follows it without a jump.
    """
    share = min(1.0, strength)
    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(image[::_EVERY, ::_EVERY]), cv2.COLOR_BGR2GRAY), np.uint8)
    gain = _gain_of(grey)
    # Where the whole frame is made lighter it has no back light.
    only = float(_smooth_step(np.float32(gain), *_ALONE))
    shade = _shade_of(grey, only, (image.shape[1], image.shape[0])) if min(only, share) > 0.0 else None
    return Lightening(gain**share, shade, _SHADE_GAIN**share)


def _gain_of(grey: Image) -> float:
    """How many times as light a frame should be drawn as a whole, by its brightness."""
    shares = np.cumsum(np.bincount(grey.ravel(), minlength=256)) / grey.size
    above = int(np.searchsorted(shares, _BRIGHTEST))
    # Between grey levels, for a whole level is a step that would be seen.
    before = float(shares[above - 1]) if above else 0.0
    bright = above + (_BRIGHTEST - before) / max(float(shares[above]) - before, 1e-6)
    return min(max(1.0, float((_BRIGHT / max(bright, 1.0)) ** _SLOPE)), _MOST)


def _curved(image: Image, power: float) -> Image:
    return image if power == 1.0 else np.asarray(cv2.LUT(image, _curve(round(power, 3))), np.uint8)


def _shade_of(grey: Image, most: float, size: tuple[int, int]) -> Weights | None:
    """Where a frame of this (width, height) is dark if it has back light, from 0 to `most`; None if it has none.

    Darkness is that of the surroundings, which end at edges (guided filter, He et al. 2010), so that hair and pupils
    stay as dark as they are beside a face.
    """
    back_light = _smooth_step(np.float32((grey > _WINDOW).mean()), *_WINDOWS)
    back_light = back_light * _smooth_step(np.float32((grey < _NIGHT).mean()), *_NIGHTS)
    if back_light <= 0.0:
        return None
    small = max(1, size[0] // _COARSE), max(1, size[1] // _COARSE)
    coarse = cv2.resize(grey, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    reach = 2 * max(1, round(min(small) * _AROUND)) + 1

    def mean(values: Weights) -> Weights:
        return np.asarray(cv2.blur(values, (reach, reach)), np.float32)

    middle = mean(coarse)
    spread = mean(coarse * coarse) - middle * middle
    slope = (spread / (spread + _EDGE**2)).astype(np.float32)
    around = mean(slope) * coarse + mean(middle - slope * middle)
    shade = (_smooth_step(around, *_SHADE) * back_light * most).astype(np.float32)
    if not shade.any():
        return None
    return np.asarray(cv2.resize(shade, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _smooth_step(values: Weights | np.float32, start: float, end: float) -> Weights:
    """0 up to `start` and 1 from `end` on, which may lie before it."""
    share = np.clip((values - start) / (end - start), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


@lru_cache(maxsize=16)
def _curve(power: float) -> Image:
    """1 - (1 - v)^power: what screens laid over each other do to light; its slope in the dark is the power."""
    return np.asarray(np.rint(255.0 * (1.0 - (1.0 - np.arange(256) / 255.0) ** power)), np.uint8)
