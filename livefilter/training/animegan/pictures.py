"""Pictures as training wants them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.frame import Image

Floats = npt.NDArray[np.float32]


def shorter_side(picture: Image, size: int) -> Image:
    """Scale so that the shorter side has `size` pixels; proportions stay."""
    height, width = picture.shape[:2]
    factor = size / min(height, width)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    target = max(size, round(width * factor)), max(size, round(height * factor))
    return np.asarray(cv2.resize(picture, target, interpolation=method), np.uint8)


def as_planes(picture: Image) -> Floats:
    """(H, W, 3) uint8 BGR to (3, H, W) float32 RGB in [-1, 1]."""
    planes = picture[:, :, ::-1].transpose(2, 0, 1)
    return np.ascontiguousarray(planes, np.float32) / np.float32(127.5) - np.float32(1)


def as_grey_planes(picture: Image) -> Floats:
    """The same of its brightness, three times."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return as_planes(np.asarray(np.repeat(grey[:, :, None], 3, axis=2), np.uint8))


def as_picture(planes: Floats) -> Image:
    """(3, H, W) float RGB in [-1, 1] to (H, W, 3) uint8 BGR, rounded."""
    levels = np.clip(planes * 127.5 + 128.0, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0)[:, :, ::-1])
