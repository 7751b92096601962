"""A video file, read at any pace."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from av.error import FFmpegError

from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.kinds import kind_of
from livefilter.capture.lease import Lease
from livefilter.capture.torn_boxes import is_torn
from livefilter.capture.video_reader import VideoReader
from livefilter.errors import EndOfStream, InvalidInput, SourceLost, SourceUnavailable
from livefilter.frame import Frame
from livefilter.letterbox import letterboxed

_log = logging.getLogger(__name__)
_SHORT_S = 0.3  # what containers round
_LONGEST_S = 24 * 3600.0


class VideoFileSource(Source):
    """Every frame of a video file in order, as fast as it is read; `media_s` comes from the file's time stamps.

    target: a path. Turned phone videos come out upright and non-square pixels square.
    Raises on construction: InvalidInput (no such file, no video in it), SourceUnavailable (it cannot be read).
    """

    def __init__(self, target: str, options: SourceOptions) -> None:
        self._path = Path(target)
        self._loop = options.loop
        self._name = f"video file {target}"
        self._reader = self._open()
        try:
            first = self._next()
            if first is None and self._reader.encrypted:
                raise InvalidInput(
                    f"{self._name} is encrypted (DRM) and can be played only by the program that has its key. "
                    "Record what that program shows with: livefilter run --input screen"
                )
            if first is None:
                raise InvalidInput(f"No frame of {self._name} can be decoded: it is damaged. Convert it again.")
            image = self._reader.image(first)
            beside = self._reader.has_audio or self._reader.has_subtitles
            self.info = SourceInfo(
                name=self._name,
                width=image.shape[1],
                height=image.shape[0],
                fps=self._reader.fps,
                live=False,
                frames=0 if options.loop else self._reader.stream.frames,
                media=self._path if beside and self._path.is_file() else None,
            )
        except BaseException:
            self._reader.close()
            raise
        self._ready: list[Any] = [first, *self._ready]
        self._number = 0
        self._loop_start_s = 0.0
        self._media_s = 0.0
        self._end_s = 0.0
        self._start_s = self._reader.start_s
        self._lease = Lease(self._name, lambda: self._reader.close())

    def read(self) -> Frame:
        with self._lease:
            decoded = self._next()
            if decoded is None:
                decoded = self._again()
            media_s = self._time_of(decoded)
            image = letterboxed(self._reader.image(decoded), self.info.width, self.info.height)
            frame = Frame(image, self._number, time.perf_counter(), media_s, self._end_s - media_s)
            self._number += 1
            return frame

    @property
    def damage(self) -> str | None:
        if not self._ended:
            return None
        parts = []
        claimed = self._reader.pictures_last_s
        step_s = 1.0 / self.info.fps
        if claimed is not None and self._end_s < claimed - max(_SHORT_S, 2.5 * step_s):
            parts.append(f"is cut off: it ends at {self._end_s:.1f} s of the {claimed:.1f} s that it claims")
        elif self._broken:
            parts.append(f"is cut off or damaged at {self._end_s:.1f} s: nothing behind that could be read")
        elif is_torn(self._path):
            parts.append(f"is cut off: {self._end_s:.1f} s could be read, and what is missing may be sound too")
        if self._reader.skipped:
            parts.append(f"holds {self._reader.skipped} damaged frames, which are left out")
        return f"{self._path} {' and '.join(parts)}." if parts else None

    def close(self) -> None:
        self._lease.close()

    def _open(self) -> VideoReader:
        self._ready = []
        self._ended = False
        self._broken = False
        refusal = kind_of(self._path).refusal
        if refusal:
            raise InvalidInput(f"{self._path} {refusal}")
        try:
            # "file:" keeps FFmpeg from taking a name such as "12:30.mp4" for an address.
            return VideoReader(f"file:{self._path}", self._name, continuous=True)
        except PermissionError as error:
            raise SourceUnavailable(f"May not read {self._name}: change its permissions.") from error
        except (FFmpegError, OSError) as error:
            raise InvalidInput(
                f"Cannot play {self._name}: it is not a video, or it is damaged or unfinished ({_reason(error)})."
            ) from error

    def _next(self) -> Any | None:
        """The next decoded frame; None at the end of this pass through the file."""
        while not self._ready:
            if self._ended:
                return None
            try:
                packet = self._reader.next_packet()
            except FFmpegError as error:
                _log.warning("%s is damaged or cut off: playing what there is (%s)", self._name, _reason(error))
                self._broken = True
                packet = None
            self._ended = packet is None
            self._ready = self._reader.decode(packet)
        return self._ready.pop(0)

    def _again(self) -> Any:
        """The first frame of the next pass.

        Raises: EndOfStream: there is no next pass. SourceLost: the file is not what it was.
        """
        if self._reader.skipped:
            _log.warning("Skipped %d damaged frames of %s", self._reader.skipped, self._name)
        if not self._loop:
            raise EndOfStream(f"{self._name} is at its end.")
        self._reader.close()
        self._loop_start_s = self._end_s
        turn = self._reader.turn
        try:
            self._reader = self._open()
            self._reader.turn = turn
        except (InvalidInput, SourceUnavailable) as error:
            raise SourceLost(f"Cannot play {self._name} again: {error}") from error
        decoded = self._next()
        if decoded is None:
            raise SourceLost(f"Cannot play {self._name} again: no frame of it can be decoded any more.")
        return decoded

    def _time_of(self, decoded: Any) -> float:
        """Seconds since the start of the first pass; never falls."""
        step = 1.0 / self.info.fps
        if decoded.pts is None or decoded.time_base is None:
            media_s = self._end_s if self._number else 0.0
        else:
            at = float(decoded.pts * decoded.time_base)
            if self._start_s is None:
                self._start_s = at
            media_s = self._loop_start_s + at - self._start_s
        self._media_s = max(media_s, self._media_s)
        duration = float(decoded.duration * decoded.time_base) if getattr(decoded, "duration", 0) else step
        self._end_s = self._media_s + (duration if 0 < duration < _LONGEST_S else step)
        return self._media_s


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
