"""Frames of another size than the output's."""

from __future__ import annotations

import cv2
import numpy as np

from livefilter.frame import Image


def fit(image: Image, width: int, height: int) -> Image:
    """Scale a picture to fit into width x height undistorted, with black bars at the sides.

    image: (H, W, 3) uint8 BGR. Returns: (height, width, 3) uint8 BGR, a new array.
    """
    scale = min(width / image.shape[1], height / image.shape[0])
    inner_width = max(1, min(width, round(image.shape[1] * scale)))
    inner_height = max(1, min(height, round(image.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    canvas[top : top + inner_height, left : left + inner_width] = cv2.resize(
        image, (inner_width, inner_height), interpolation=how
    )
    return canvas
