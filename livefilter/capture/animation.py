"""An animated picture, read like a video file."""

from __future__ import annotations

import time

from livefilter.capture.base import Source, SourceInfo
from livefilter.capture.lease import Lease
from livefilter.capture.pictures import PictureFile
from livefilter.capture.pixels import to_bgr
from livefilter.errors import EndOfStream
from livefilter.frame import Frame
from livefilter.letterbox import letterboxed


class AnimationSource(Source):
    """Every picture of an animation (GIF, WebP, PNG, AVIF) once, at any pace, with the times at which they are shown.

    file: an open animated picture; it is closed with this source. Transparent parts are white.
    Raises on construction: InvalidInput: its first picture is damaged.
    """

    def __init__(self, file: PictureFile) -> None:
        self._file = file
        first = file.read()
        height, width = first.image.shape[:2]
        self.info = SourceInfo(
            f"animation {file.name}", width, height, 1 / first.duration_s, live=False, frames=file.count
        )
        self._number = 0
        self._media_s = 0.0
        self._lease = Lease(self.info.name, file.close)

    def read(self) -> Frame:
        with self._lease:
            if self._number == self._file.count:
                raise EndOfStream(f"{self.info.name} is at its end.")
            still = self._file.read(self._number)
            image = letterboxed(to_bgr(still.image), self.info.width, self.info.height)
            frame = Frame(image, self._number, time.perf_counter(), self._media_s, still.duration_s)
            self._number += 1
            self._media_s += still.duration_s
            return frame

    def close(self) -> None:
        self._lease.close()
