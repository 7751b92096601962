"""Somebody cut out of a picture, for outputs that take transparency and for those that do not."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cv2
import numpy as np

from livefilter.frame import Image

# What they see in its place: BGR, the green of studio walls.
CHROMA = (64, 177, 0)


class Cutout:
    """Somebody cut out of a picture once the first output asks for it; where none takes transparency it costs nothing.

    make: gives it; called once at most, by whichever thread asks first.
    """

    def __init__(self, make: Callable[[], Image]) -> None:
        self._make: Callable[[], Image] | None = make
        self._image: Image | None = None
        self._making = threading.Lock()

    @property
    def image(self) -> Image:
        """(H, W, 4) uint8 BGRA, straight alpha, black where nobody is; whoever takes it never writes into it."""
        with self._making:
            if self._image is None:
                assert self._make is not None
                self._image, self._make = self._make(), None  # what it is made of is held no longer
            return self._image


def on_green(cutout: Image) -> Image:
    """(H, W, 4) uint8 BGRA, straight alpha, over plain green: (H, W, 3) uint8 BGR, a new array."""
    share = np.asarray(cutout[:, :, 3], np.float32)
    alone = np.asarray(cv2.cvtColor(cutout, cv2.COLOR_BGRA2BGR), np.uint8)
    return np.asarray(cv2.blendLinear(alone, np.full_like(alone, CHROMA), share, 255 - share), np.uint8)
