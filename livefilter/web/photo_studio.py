"""The photos of the photo page: kept in memory while they are looked at, drawn behind the live run."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import cv2
import numpy as np

from livefilter.capture.pictures import read_picture
from livefilter.closeable import Closeable
from livefilter.control.parts import STYLED
from livefilter.cutout import on_green
from livefilter.errors import Busy, InvalidInput
from livefilter.frame import Image
from livefilter.web.photo_styling import fitted, style_photo
from livefilter.web.thumbnails import give_way

# Pixels of one photo, and of all that are kept: 64 million are 192 MB.
MAX_PIXELS, MAX_KEPT_PIXELS = 64_000_000, 128_000_000
MAX_PHOTOS = 6
MAX_WAITING = 24
PREVIEW_SIDE = 1400
_MAX_STYLERS = 3
_MAX_PREVIEWS = 48  # of a photo
_JPEG_QUALITY = {"preview": 88, "full": 95}


class PhotoStyler(Protocol):
    """Styles pictures of any size, as livefilter.inference.styler.Styler does."""

    def draw(self, image: Image, strength: float) -> Image: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Wish:
    """How a photo is to look.

    side: pixels of the shorter side at which it is drawn, at most. strength: 0 to 1.5, see `Styler.draw`.
    person, room: as of LiveSettings, but without a picture.
    """

    style: str
    network: str
    side: int
    strength: float
    person: str = STYLED
    room: str = STYLED


# Puts a photo and its drawing together of person and room, as livefilter.live.parted.Parted does.
PutTogether: TypeAlias = Callable[[Image, Image, Wish], Image]


@dataclass
class Photo:
    """A photo that is being looked at. image: upright (H, W, 3) uint8 BGR. drawn: previews."""

    image: Image
    name: str
    key: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    drawn: OrderedDict[Wish, bytes] = field(default_factory=OrderedDict)

    @property
    def pixels(self) -> int:
        return int(self.image.shape[0] * self.image.shape[1])


class PhotoStudio(Closeable):
    """Keeps the newest photos and draws one picture at a time, on a thread that gives way to every other.

    open_styler: opens a style's network, "lite" or "full". put_together: where person or room look otherwise.
    on_close: called at the end. Nothing is stored and nothing is sent anywhere.
    """

    def __init__(
        self,
        open_styler: Callable[[str, str], PhotoStyler],
        put_together: PutTogether = lambda photo, drawn, wish: drawn,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._open_styler, self._put_together, self._on_close = open_styler, put_together, on_close
        self._photos: OrderedDict[str, Photo] = OrderedDict()
        self._stylers: OrderedDict[tuple[str, str], PhotoStyler] = OrderedDict()
        self._worker = ThreadPoolExecutor(1, "photos", initializer=give_way)
        self._waiting = 0
        self._lock = threading.Lock()

    def add_file(self, content: bytes, name: str) -> Photo:
        """Take in the content of a picture file.

        Raises: InvalidInput: it is none, damaged or too large.
        """
        image = read_picture(content, name or "the photo", max_pixels=MAX_PIXELS)
        if image.ndim == 3 and image.shape[2] == 4:
            # What is transparent becomes white, as paper is.
            alpha = image[:, :, 3:].astype(np.float32) / 255
            image = (image[:, :, :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
        return self.add(np.ascontiguousarray(image), name)

    def add(self, image: Image, name: str) -> Photo:
        """Take in a picture; the oldest ones go when there are too many."""
        photo = Photo(image, name)
        with self._lock:
            self._photos[photo.key] = photo
            while len(self._photos) > 1 and (
                len(self._photos) > MAX_PHOTOS or sum(each.pixels for each in self._photos.values()) > MAX_KEPT_PIXELS
            ):
                self._photos.popitem(last=False)
        return photo

    def get(self, key: str) -> Photo | None:
        """A photo that is still kept."""
        with self._lock:
            return self._photos.get(key)

    def remove(self, key: str) -> bool:
        """Forget a photo; False when it is not there."""
        with self._lock:
            return self._photos.pop(key, None) is not None

    def preview(self, photo: Photo, wish: Wish) -> Future[bytes]:
        """A styled photo as a JPEG of a size for the screen.

        Raises: Busy, from here; what opening the style raises, from the future.
        """

        def draw() -> bytes:
            found = photo.drawn.get(wish)
            if found is None and self.get(photo.key) is photo:
                image = fitted(photo.image, PREVIEW_SIDE, PREVIEW_SIDE)
                found = photo.drawn[wish] = encoded(self._drawn(image, wish), "jpg", "preview")
                while len(photo.drawn) > _MAX_PREVIEWS:
                    photo.drawn.popitem(last=False)
            return found or b""

        return self._later(draw)

    def full(self, photo: Photo, wish: Wish, kind: str) -> Future[bytes]:
        """A styled photo at its own resolution; what is drawn smaller is enlarged with the photo as guide.

        kind: "jpg", or "png", which keeps a transparent room. Raises: as `preview`.
        """
        return self._later(lambda: encoded(self._drawn(photo.image, wish), kind, "full"))

    def close(self) -> None:
        """Forget the photos and free the engines. Can be called twice."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._photos.clear()
        for styler in self._stylers.values():
            styler.close()
        self._stylers.clear()
        self._on_close()

    def _drawn(self, image: Image, wish: Wish) -> Image:
        """(H, W, 3) BGR, or BGRA where the room is transparent."""
        drawn = image
        if wish.strength:
            styler = self._styler(wish.style, wish.network)
            drawn = style_photo(image, lambda small: styler.draw(small, wish.strength), wish.side)
        return drawn if (wish.person, wish.room) == (STYLED, STYLED) else self._put_together(image, drawn, wish)

    def _later(self, draw: Callable[[], bytes]) -> Future[bytes]:
        with self._lock:
            if self._waiting >= MAX_WAITING:
                raise Busy(f"{MAX_WAITING} pictures are waiting to be drawn. Try again in a moment.")
            self._waiting += 1
        future = self._worker.submit(draw)
        future.add_done_callback(self._done)
        return future

    def _done(self, future: Future[bytes]) -> None:
        with self._lock:
            self._waiting -= 1

    def _styler(self, style: str, network: str) -> PhotoStyler:
        key = (style, network)
        if key not in self._stylers:
            while len(self._stylers) >= _MAX_STYLERS:
                self._stylers.popitem(last=False)[1].close()
            self._stylers[key] = self._open_styler(style, network)
        self._stylers.move_to_end(key)
        return self._stylers[key]


def encoded(image: Image, kind: str, quality: str) -> bytes:
    """A picture as a file; what is transparent is green where the file cannot hold that.

    Raises: InvalidInput: it cannot be encoded.
    """
    if kind == "jpg" and image.shape[2] == 4:
        image = on_green(image)
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY[quality]] if kind == "jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 3]
    done, data = cv2.imencode(f".{kind}", image, options)
    if not done:
        raise InvalidInput(f"The picture cannot be written as {kind}.")
    return data.tobytes()
