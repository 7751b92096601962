"""What a room can show in place of itself: a picture, or a clip that plays over and over."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from livefilter.capture.base import Source, SourceOptions
from livefilter.capture.kinds import Kind, kind_of
from livefilter.capture.pictures import PictureFile
from livefilter.capture.pixels import to_bgr
from livefilter.closeable import Closeable
from livefilter.errors import LivefilterError
from livefilter.frame import Image
from livefilter.live.open_input import open_input

# A clip that nobody has looked at for so long rests, and begins anew.
_RESTS_AFTER_S = 2.0
_JOIN_TIMEOUT_S = 2.0


class RoomPicture(Closeable):
    """What is behind the person."""

    @abstractmethod
    def at(self, width: int, height: int) -> Image:
        """What is to be seen at this moment: (height, width, 3) uint8 BGR, its middle where it has other proportions.

        Raises: LivefilterError: there is nothing any more.
        """


class Still(RoomPicture):
    """One picture: (h, w, 3) uint8 BGR."""

    def __init__(self, picture: Image) -> None:
        self._picture = picture
        self._fitted = picture[:0]

    def at(self, width: int, height: int) -> Image:
        if self._fitted.shape != (height, width, 3):
            self._fitted = covering(self._picture, width, height)
        return self._fitted

    def close(self) -> None:
        pass


class Clip(RoomPicture):
    """A video or an animation, at its own pace and without sound, read on a thread of its own while it is looked at.

    Raises, on construction: InvalidInput, SourceUnavailable: it cannot be read.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.perf_counter) -> None:
        self._path, self._clock = path, clock
        with self._open() as source:
            self._newest = source.read().image
        self._size: tuple[int, int] | None = None
        self._asked_at = 0.0
        self._error: LivefilterError | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def at(self, width: int, height: int) -> Image:
        self._size, self._asked_at = (width, height), self._clock()
        error, self._error = self._error, None
        if error is not None:
            raise error
        if (self._thread is None or not self._thread.is_alive()) and not self._closing.is_set():
            self._thread = threading.Thread(target=self._play, name="room-clip", daemon=True)
            self._thread.start()
        image = self._newest
        return image if image.shape == (height, width, 3) else covering(image, width, height)

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_JOIN_TIMEOUT_S)

    def _play(self) -> None:
        try:
            with self._open() as source:
                while not self._closing.is_set() and self._clock() - self._asked_at < _RESTS_AFTER_S:
                    image = source.read().image
                    self._newest = covering(image, *self._size) if self._size else image
        except LivefilterError as error:
            self._error = error

    def _open(self) -> Source:
        return open_input(f"file:{self._path}", SourceOptions(loop=True)).source


def open_room_picture(path: Path) -> RoomPicture:
    """A picture of any kind that is read elsewhere, or a clip.

    Raises: InvalidInput, SourceUnavailable: it is neither, or cannot be read.
    """
    if kind_of(path) is Kind.PICTURE:
        file = PictureFile(path)
        try:
            if not file.animated:
                return Still(to_bgr(file.read().image))
        finally:
            file.close()
    return Clip(path)


def covering(picture: Image, width: int, height: int) -> Image:
    """The middle of a picture, as large as the frame."""
    if picture.shape[:2] == (height, width):
        return picture
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    large = cv2.resize(picture, size, interpolation=method)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width], np.uint8)
