"""Small pictures of the camera in each style, drawn when there is time for it."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

import cv2
import numpy as np
from aiohttp import web

from livefilter.closeable import Closeable
from livefilter.errors import LivefilterError
from livefilter.frame import Image
from livefilter.web.answers import Refused
from livefilter.web.site import Site

WIDTH, HEIGHT = 256, 144
FRESH_S, FRESH_WITHOUT_TIME_S = 3.0, 60.0
_JPEG_QUALITY = 80


class SmallStyler(Protocol):
    """Styles a small picture, as livefilter.inference.styler.Styler does."""

    def __call__(self, image: Image) -> Image: ...

    def close(self) -> None: ...


class Thumbnails(Closeable):
    """Draws at most one picture at a time, on a thread that gives way to every other.

    original: the newest frame as it was captured, or None. open_styler: opens a style for WIDTH x HEIGHT.
    spare: whether the live run keeps up, so that there is time for this.
    """

    def __init__(
        self,
        original: Callable[[], Image | None],
        open_styler: Callable[[str], SmallStyler],
        spare: Callable[[], bool] = lambda: True,
    ) -> None:
        self._original, self._open_styler, self._spare = original, open_styler, spare
        self._worker = ThreadPoolExecutor(1, "thumbnails", initializer=give_way)
        self._stylers: dict[str, SmallStyler] = {}
        self._drawn: dict[str, tuple[float, bytes]] = {}
        self._closed = threading.Event()

    async def get(self, style: str) -> bytes | None:
        """A picture that is a few seconds old at most, or older while there is no time; None while there is none."""
        drawn_at, jpeg = self._drawn.get(style, (-FRESH_WITHOUT_TIME_S, b""))
        fresh_s = FRESH_S if self._spare() else FRESH_WITHOUT_TIME_S
        if time.monotonic() - drawn_at < fresh_s or self._closed.is_set():
            return jpeg or None
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._draw, style) or jpeg or None

    def close(self) -> None:
        """Free the engines. Can be called twice."""
        self._closed.set()
        self._worker.shutdown(wait=True, cancel_futures=True)
        for styler in self._stylers.values():
            styler.close()
        self._stylers.clear()

    def _draw(self, style: str) -> bytes | None:
        image = self._original()
        if image is None or self._closed.is_set():
            return None
        try:
            if style not in self._stylers:
                self._stylers[style] = self._open_styler(style)
            styled = self._stylers[style](filled(image))
        except LivefilterError:
            return None  # the card's own picture stays; the style itself says what is wrong when it is chosen
        jpeg = cv2.imencode(".jpg", styled, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
        self._drawn[style] = (time.monotonic(), jpeg)
        return jpeg


def filled(image: Image) -> Image:
    """The middle of a picture at WIDTH x HEIGHT."""
    height, width = image.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    size = (max(WIDTH, round(width * scale)), max(HEIGHT, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - WIDTH) // 2, (size[1] - HEIGHT) // 2
    return np.ascontiguousarray(small[top : top + HEIGHT, left : left + WIDTH], np.uint8)


def give_way() -> None:
    """Let every other thread go first."""
    if sys.platform.startswith("linux"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)


def routes(site: Site) -> Iterable[web.RouteDef]:
    """/api/styles/NAME/live.jpg and /api/styles/NAME/card.jpg."""
    pictures = {style.name: style.picture_path for style in site.styles}

    async def live(request: web.Request) -> web.Response:
        thumbnails = site.features.get("thumbnails")
        name = _known(request)
        jpeg = await thumbnails.get(name) if isinstance(thumbnails, Thumbnails) else None
        if jpeg is None:
            return web.Response(status=204)
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def card(request: web.Request) -> web.StreamResponse:
        path = pictures[_known(request)]
        if path is None:
            raise Refused(404, "There is no picture.", "The style's card has none.", "Use the live one.")
        return web.FileResponse(path)

    def _known(request: web.Request) -> str:
        name = request.match_info["name"]
        if name not in pictures:
            fix = f"Known: {', '.join(pictures)}."
            raise Refused(404, "There is no picture.", "There is no such style.", fix)
        return name

    return [web.get("/api/styles/{name}/live.jpg", live), web.get("/api/styles/{name}/card.jpg", card)]
