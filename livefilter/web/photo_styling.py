"""A photo in a style at its full resolution: drawn at the size that networks know, enlarged with the photo as guide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.frame import Image

# The networks draw faces 60 to 200 pixels wide most boldly. How wide they are in a photo is for its owner to say:
# shorter sides at which faces that take a quarter to three quarters of it, an eighth to two fifths, and less are so.
FACES = {"close": 270, "usual": 480, "small": 960}
_RADIUS, _EPSILON = 4, 0.003

Draw = Callable[[Image], Image]


def style_photo(photo: Image, draw: Draw, side: int = FACES["usual"]) -> Image:
    """Style a photo of any size.

    photo: (H, W, 3) uint8 BGR. draw: styles a picture at its own size. side: at most this long is the shorter side of
        what is drawn.
    Returns: the same shape, owned by the caller.
    """
    small = fitted(photo, side)
    return enlarged(draw(small), small, photo)


def fitted(photo: Image, shorter: int, longer: int = 2560) -> Image:
    """A photo whose sides are at most so long."""
    height, width = photo.shape[:2]
    scale = min(1.0, shorter / min(height, width), longer / max(height, width))
    return _resized(photo, (max(1, round(width * scale)), max(1, round(height * scale))))


def enlarged(styled: Image, small: Image, photo: Image) -> Image:
    """A styled small picture at the photo's size, with edges where the photo has them.

    Locally, each colour is a straight line over the photo's brightness: He and Sun, Fast Guided Filter, 2015.
    """
    size = (photo.shape[1], photo.shape[0])
    if small.shape[:2] == photo.shape[:2]:
        return np.array(styled)
    guide: Any = _grey(small)
    box = (2 * _RADIUS + 1, 2 * _RADIUS + 1)
    mean_guide: Any = cv2.blur(guide, box)
    variance: Any = cv2.blur(guide * guide, box) - mean_guide * mean_guide
    large_guide = _grey(photo)
    result = np.empty_like(photo)
    for channel in range(3):
        target: Any = styled[:, :, channel].astype(np.float32) / 255
        mean: Any = cv2.blur(target, box)
        slope: Any = (cv2.blur(guide * target, box) - mean_guide * mean) / (variance + _EPSILON)
        # What the line does not explain (flat areas of paint) stays as the network drew it.
        offset: Any = cv2.blur(mean - slope * mean_guide, box)
        slope = cv2.blur(slope, box)
        rest: Any = target - (slope * guide + offset)
        linear: Any = cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR)
        linear *= large_guide
        linear += cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR)
        linear += cv2.resize(rest, size, interpolation=cv2.INTER_CUBIC)
        np.clip(linear * 255 + 0.5, 0, 255, out=linear)
        result[:, :, channel] = linear.astype(np.uint8)
    return result


def _resized(image: Image, size: tuple[int, int]) -> Image:
    if (image.shape[1], image.shape[0]) == size:
        return image
    method = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)


def _grey(image: Image) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float32) / np.float32(255)
