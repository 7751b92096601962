"""Pictures in frames of another shape."""

from __future__ import annotations

import cv2
import numpy as np

from livefilter.frame import Image


def letterboxed(image: Image, width: int, height: int) -> Image:
    """Scale a picture into width x height, undistorted, with black bars where its shape differs.

    image: (H, W, 3) uint8. Returns: (height, width, 3) uint8, C-contiguous; the same array when it already fits.
    """
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = tuple(
        max(1, min(limit, round(side * scale))) for side, limit in zip(image.shape[1::-1], (width, height), strict=True)
    )
    scaled = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = scaled
    return canvas
