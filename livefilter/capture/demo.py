"""The built-in scene: what the filter does can be judged without a camera."""

from __future__ import annotations

import math
import time
from importlib import resources

import cv2
import numpy as np

from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.lease import Lease
from livefilter.capture.ticker import Ticker
from livefilter.errors import InvalidInput, SourceUnavailable
from livefilter.frame import Frame, Image

_SIZE = (1280, 720)
_FPS = 30.0
_LOOP_S = 24.0
_FACE = (0.45, 0.25)  # of the photo's width and height
_CLOSE = 0.66  # the narrowest view, as a part of the widest
_SHARPER = 0.4


class DemoSource(Source):
    """A slow, endless flight over a portrait, smooth below the pixel, 1280x720 at 30 fps unless asked otherwise.

    target: ignored. The photo's origin and licence are in assets/demo.txt.
    """

    def __init__(self, target: str, options: SourceOptions) -> None:
        width, height = options.width or _SIZE[0], options.height or _SIZE[1]
        if not (2 <= width <= 7680 and 2 <= height <= 7680):
            raise InvalidInput(f"The demo scene cannot be {width}x{height}: choose sides from 2 to 7680 pixels.")
        fps = options.fps or _FPS
        self.info = SourceInfo("demo scene", width, height, fps, live=True)
        self._photo = _photo()
        self._lease = Lease(self.info.name, lambda: None)
        self._ticker = Ticker(fps, self._lease)
        self._number = 0

    def read(self) -> Frame:
        with self._lease:
            at_s = self._ticker.wait()
            captured_at = time.perf_counter()
            self._number += 1
            return Frame(self._view(at_s), self._number - 1, captured_at)

    def close(self) -> None:
        self._lease.close()

    def _view(self, at_s: float) -> Image:
        """The scene at a moment: (height, width, 3) uint8 BGR."""
        left, top, scale = self._window(at_s)
        # Pixel centres: output x lies at left + (x + 0.5) * scale in the photo.
        matrix = np.array([[scale, 0, left + 0.5 * scale - 0.5], [0, scale, top + 0.5 * scale - 0.5]])
        size = (self.info.width, self.info.height)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        view = cv2.warpAffine(self._photo, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(view, dtype=np.uint8)

    def _window(self, at_s: float) -> tuple[float, float, float]:
        """Left, top, and photo pixels for each pixel of the view."""
        height, width = self._photo.shape[:2]
        aspect = self.info.width / self.info.height
        turn = 2 * math.pi * at_s / _LOOP_S
        nearness = 0.5 - 0.5 * math.cos(turn)
        widest = 0.98 * min(width, height * aspect)
        window = widest * (1 + (_CLOSE - 1) * nearness)
        margin_x, margin_y = width - window, height - window / aspect
        # The face stays near the middle, and the whole view swings slowly around it.
        left = _FACE[0] * width - window / 2 + 0.06 * window * math.sin(turn)
        top = _FACE[1] * height - 0.46 * window / aspect + 0.04 * window / aspect * math.sin(2 * turn)
        return min(max(left, 0.0), margin_x), min(max(top, 0.0), margin_y), window / self.info.width


def _photo() -> Image:
    """The portrait, enlarged once so that panning has fine pixels to take from."""
    encoded = resources.files("livefilter.capture").joinpath("assets", "demo.jpg").read_bytes()
    photo = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if photo is None:
        raise SourceUnavailable("The demo photo livefilter/capture/assets/demo.jpg is damaged: reinstall livefilter.")
    large = cv2.resize(photo, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(large, (0, 0), 3)
    return np.ascontiguousarray(cv2.addWeighted(large, 1 + _SHARPER, soft, -_SHARPER, 0), dtype=np.uint8)
