"""A part of a video file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from livefilter.capture.base import SourceOptions
from livefilter.capture.video_file import VideoFileSource
from livefilter.frame import Frame


class VideoSegmentSource(VideoFileSource):
    """The pictures of a part of a video file, each just as it comes when the whole file is read.

    What depends on the first picture of the file (its size, how it is turned, how bright its light is) is taken from
    there. Decoding starts a key frame earlier than the part, so that pictures that refer back are whole.

    beside: the file, where it holds sound or subtitles. last_lasts_s: seconds for which the newest picture is shown.
    seek, start, end: time stamps in ticks of the stream: where decoding starts, the first picture of the part, and the
    first behind it; None for the file's ends. frames: how many there are to be.
    Raises on construction: as VideoFileSource.
    """

    _start: int | None = None
    _end: int | None = None
    _over = False

    def __init__(self, target: str, *, seek: int | None, start: int | None, end: int | None, frames: int) -> None:
        super().__init__(target, SourceOptions())
        self.beside = self.info.media
        self.info = replace(self.info, media=None, frames=frames)
        self.last_lasts_s = 0.0
        try:
            if start is not None and seek is not None:
                self._reader.seek(seek)
                self._ready = []
                self._ended = False
        except BaseException:
            self.close()
            raise
        self._start, self._end = start, end

    def read(self) -> Frame:
        frame = super().read()
        self.last_lasts_s = frame.lasts_s
        return frame

    @property
    def damage(self) -> str | None:
        return super().damage if self._end is None else None

    def _next(self) -> Any | None:
        while not self._over:
            decoded = super()._next()
            if decoded is None:
                return None
            if self._start is not None and decoded.pts is not None and decoded.pts < self._start:
                self._reader.skipped = 0  # what is damaged there belongs to another part
                continue
            if self._end is not None and decoded.pts is not None and decoded.pts >= self._end:
                self._over = True
                return None
            return decoded
        return None
