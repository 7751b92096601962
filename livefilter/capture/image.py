"""A picture as an endless input."""

from __future__ import annotations

import time
from pathlib import Path

from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.lease import Lease
from livefilter.capture.pictures import PictureFile, Still
from livefilter.capture.pixels import to_bgr
from livefilter.capture.ticker import Ticker
from livefilter.frame import Frame
from livefilter.letterbox import letterboxed

_FPS = 30.0


class ImageSource(Source):
    """One picture again and again, at the asked rate (30 without one), like a camera that looks at a photo.

    An animated one (GIF, WebP, PNG, AVIF) plays by its own times, over and over.
    target: a path. Pictures come out upright, in sRGB, transparent parts on white; several frames may hold one array.
    Raises on construction: InvalidInput (no such file, not an image), SourceUnavailable (it cannot be read).
    """

    def __init__(self, target: str, options: SourceOptions) -> None:
        self._file = PictureFile(Path(target))
        try:
            first = self._file.read()
        except BaseException:
            self._file.close()
            raise
        self._image = to_bgr(first.image)
        fps = options.fps or _FPS
        height, width = self._image.shape[:2]
        self.info = SourceInfo(f"image {target}", width, height, fps, live=True)
        self._lease = Lease(self.info.name, self._file.close)
        self._ticker = Ticker(fps, self._lease)
        self._number = 0
        self._shown = 0
        self._shown_until_s = first.duration_s
        if not self._file.animated:
            self._file.close()

    def read(self) -> Frame:
        with self._lease:
            at_s = self._ticker.wait()
            if self._file.animated and at_s >= self._shown_until_s:
                self._image = letterboxed(to_bgr(self._still_at(at_s).image), self.info.width, self.info.height)
            self._number += 1
            return Frame(self._image, self._number - 1, time.perf_counter())

    def close(self) -> None:
        self._lease.close()

    def _still_at(self, at_s: float) -> Still:
        while True:
            self._shown = (self._shown + 1) % self._file.count
            still = self._file.read(self._shown)
            self._shown_until_s += still.duration_s
            if at_s < self._shown_until_s:
                return still
