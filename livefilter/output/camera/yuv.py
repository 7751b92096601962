"""Pictures in the formats that cameras deliver."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.frame import Image

_CODES = {"I420": cv2.COLOR_BGR2YUV_I420, "YUYV": cv2.COLOR_BGR2YUV_YUY2, "UYVY": cv2.COLOR_BGR2YUV_UYVY}
FORMATS = ("NV12", "I420", "YUYV", "UYVY", "BGR", "RGBA")


class YuvEncoder:
    """Turns pictures of one size into one format, BT.601 in limited range; its buffers are used again and again.

    kind: one of `FORMATS`. width, height: pixels, both even.
    """

    def __init__(self, kind: str, width: int, height: int) -> None:
        self._kind = kind
        self._luma = width * height
        self._planar = np.empty((height * 3 // 2, width), np.uint8)
        self._packed = np.empty((height, width, 2), np.uint8)
        self._nv12 = np.empty_like(self._planar)

    def __call__(self, image: Image) -> NDArray[np.uint8]:
        """The bytes of a picture, valid until the next call; BGR is handed on as it is.

        image: (height, width, 3) uint8 BGR; for RGBA it may be BGRA. Returns: uint8; NV12 and I420 (height * 3 / 2,
        width), YUYV and UYVY (height, width, 2), BGR (height, width, 3), RGBA (height, width, 4).
        """
        if self._kind == "BGR":
            return image
        if self._kind == "RGBA":
            code = cv2.COLOR_BGR2RGBA if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
            return np.asarray(cv2.cvtColor(image, code), np.uint8)
        if self._kind in ("YUYV", "UYVY"):
            cv2.cvtColor(image, _CODES[self._kind], dst=self._packed)
            return self._packed
        cv2.cvtColor(image, _CODES["I420"], dst=self._planar)
        if self._kind == "I420":
            return self._planar
        # NV12 is I420 with the two colour planes woven into one.
        flat, woven = self._planar.reshape(-1), self._nv12.reshape(-1)
        woven[: self._luma] = flat[: self._luma]
        woven[self._luma :: 2] = flat[self._luma : self._luma * 5 // 4]
        woven[self._luma + 1 :: 2] = flat[self._luma * 5 // 4 :]
        return self._nv12
