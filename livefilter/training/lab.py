"""Pictures in CIE Lab, where brightness and colour are apart."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.frame import Image

Lab = NDArray[np.float32]


def to_lab(picture: Image) -> Lab:
    """(H, W, 3) uint8 BGR as L, 0 to 100, a and b."""
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_BGR2LAB), np.float32)


def from_lab(picture: Lab) -> Image:
    """L, a and b as (H, W, 3) uint8 BGR, rounded and cut off."""
    return np.asarray(np.rint(np.clip(cv2.cvtColor(picture, cv2.COLOR_LAB2BGR) * 255.0, 0.0, 255.0)), np.uint8)
