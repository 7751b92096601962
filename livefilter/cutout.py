"""Somebody cut out of a picture, before those who cannot take transparency."""

from __future__ import annotations

import cv2
import numpy as np

from livefilter.frame import Image

# What they see in its place: BGR, the green of studio walls.
CHROMA = (64, 177, 0)


def on_green(cutout: Image) -> Image:
    """(H, W, 4) uint8 BGRA, straight alpha, over plain green: (H, W, 3) uint8 BGR, a new array."""
    share = np.asarray(cutout[:, :, 3], np.float32)
    alone = np.asarray(cv2.cvtColor(cutout, cv2.COLOR_BGRA2BGR), np.uint8)
    return np.asarray(cv2.blendLinear(alone, np.full_like(alone, CHROMA), share, 255 - share), np.uint8)
