"""Any array of pixels becomes a frame's image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.frame import Image


def to_bgr(image: NDArray[Any], background: int = 255) -> Image:
    """Turn grey, YUYV, BGR or BGRA pixels of 8 or 16 bits into a frame's image.

    image: (H, W), or (H, W, C) with C = 1 (grey), 2 (YUYV), 3 (BGR) or 4 (BGRA, straight alpha); uint8 or uint16.
    background: the grey level, 0..255, that shows through transparent pixels.
    Returns: (H, W, 3) uint8 BGR, C-contiguous; the same array where nothing had to be done.
    Raises: ValueError: another shape or dtype.
    """
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or 0 in image.shape:
        raise ValueError(f"pixels of shape {image.shape} and type {image.dtype}")
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels == 1:
        return _checked(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
    if channels == 2:
        return _checked(cv2.cvtColor(image, cv2.COLOR_YUV2BGR_YUY2))
    if channels == 3:
        return np.ascontiguousarray(image)
    if channels == 4:
        return _flattened(image, background)
    raise ValueError(f"pixels with {channels} channels")


def _flattened(image: NDArray[Any], background: int) -> Image:
    alpha = image[:, :, 3:].astype(np.uint16)
    mixed = image[:, :, :3] * alpha + background * (255 - alpha)
    return np.ascontiguousarray((mixed + 127) // 255, dtype=np.uint8)


def _checked(image: Any) -> Image:
    return np.ascontiguousarray(image, dtype=np.uint8)
