"""The web server behind the live page."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from importlib.resources import files
from urllib.parse import urlsplit

import cv2
from aiohttp import web

from livefilter.frame import Frame

JPEG_QUALITY = 85
MAX_VIEWERS = 16
# A viewer that takes no byte for so long has gone away without saying so.
STALLED_S = 20.0
# The newest picture is sent again when there is no newer one, so that a viewer that left is noticed.
REPEAT_S = 1.0
# What the system may buffer for one viewer: a slow one then skips pictures and does not fall behind.
SEND_BUFFER = 128 * 1024

_BOUNDARY = b"livefilter-frame"
_ASSETS = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "livefilter",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PageServer:
    """Serves one listening socket on a thread of its own, "page-server", until `close`.

    Holds the newest frame and nothing older. A frame is encoded at most once, and only if somebody watches.
    listener: a bound, listening socket on a loopback address; the server owns it.
    width, height: pixels that the frames will have, as told to the page before the first one comes.
    Raises: OSError: the server could not be started.
    """

    def __init__(self, listener: socket.socket, width: int, height: int) -> None:
        self._listener = listener
        self._port = int(listener.getsockname()[1])
        self._size = (width, height)
        self.mark = ""  # what the page says instead of "Live"
        self._instance = secrets.token_hex(4)
        self._newest: tuple[int, Frame] | None = None  # how many were published, and the last of them
        self._jpeg: tuple[int, bytes] = (0, b"")
        self._published_at: deque[float] = deque(maxlen=61)
        self._viewers: list[str] = []  # the names that the open streams were asked for with
        self._waking = False
        self._error: BaseException | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page-server", daemon=True)
        self._thread.start()
        self._started.wait(10.0)
        if self._error is not None:
            listener.close()
            raise OSError(str(self._error)) from self._error

    def publish(self, frame: Frame) -> None:
        """Make `frame` the newest; called by one thread at a time, never waits.

        Raises: RuntimeError: the server has ended.
        """
        if not self._thread.is_alive():
            raise RuntimeError(str(self._error or "it was closed"))
        self._newest = (self._newest[0] + 1 if self._newest else 1, frame)
        self._published_at.append(time.perf_counter())
        # One wake-up at a time: were the loop held up, they would pile up.
        if self._viewers and not self._waking:
            self._waking = True
            self._loop.call_soon_threadsafe(self._wake)

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return len(self._viewers)

    def close(self) -> None:
        """End every connection, the thread and the socket. Can be called twice."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop may end by itself in this moment
                self._loop.call_soon_threadsafe(self._stop)
            self._thread.join(5.0)
        self._listener.close()
        self._newest = None

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        app = web.Application(middlewares=[self._guard], client_max_size=1024)
        app.on_response_prepare.append(_add_headers)
        pages = files("livefilter.output") / "assets"
        for path, (name, kind) in _ASSETS.items():
            app.router.add_get(path, _asset((pages / name).read_bytes(), kind))
        app.router.add_get("/stream.mjpg", self._stream, allow_head=False)
        app.router.add_get("/snapshot.jpg", self._snapshot)
        app.router.add_get("/healthz", self._health)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.25)
        try:
            await runner.setup()
            await web.SockSite(runner, self._listener).start()
            self._started.set()
            await self._stopping.wait()
        finally:
            await runner.cleanup()

    def _wake(self) -> None:
        self._waking = False
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _stop(self) -> None:
        self._stopping.set()
        self._wake()

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer this computer's own pages alone: any web site can point a name or a picture at 127.0.0.1."""
        if not self._is_own_address(request.headers.get("Host", "")):
            raise web.HTTPForbidden(text="This page answers only under its own address on this computer.\n")
        foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
        if foreign and request.headers.get("Sec-Fetch-Mode") != "navigate":
            raise web.HTTPForbidden(text="This picture is not for other web sites.\n")
        return await handler(request)

    def _is_own_address(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
            return port == self._port and (name == "localhost" or ipaddress.ip_address(name).is_loopback)
        except ValueError:
            return False

    def _encoded(self) -> tuple[int, bytes]:
        """The newest frame as a JPEG file, with its count; (0, b"") before the first one."""
        newest = self._newest
        if newest is not None and newest[0] != self._jpeg[0]:
            _, jpeg = cv2.imencode(".jpg", newest[1].image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            self._jpeg = (newest[0], jpeg.tobytes())
        return self._jpeg

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if len(self._viewers) >= MAX_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_VIEWERS} viewers are watching; close one.\n")
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}"
        response = web.StreamResponse(headers={"Content-Type": kind, "Connection": "close"})
        viewer, transport = request.query.get("viewer", "")[:64], request.transport
        self._viewers.append(viewer)
        try:
            await response.prepare(request)
            await self._send_frames(request, response)
        except BaseException as error:
            # Without this, what the viewer has not taken would keep the connection open.
            if transport is not None:
                transport.abort()
            if not isinstance(error, (ConnectionError, asyncio.TimeoutError)):
                raise
        finally:
            self._viewers.remove(viewer)
        return response

    async def _send_frames(self, request: web.Request, response: web.StreamResponse) -> None:
        if request.transport is not None:
            request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            request.transport.set_write_buffer_limits(high=0)
        await response.write(b"--" + _BOUNDARY + b"\r\n")
        seen = 0
        while not self._stopping.is_set():
            changed = self._changed
            count, jpeg = self._encoded()
            if count == seen:
                try:
                    await asyncio.wait_for(changed.wait(), REPEAT_S)
                    continue
                except asyncio.TimeoutError:
                    pass  # nothing new: the same picture again
            if count:
                # Browsers show a part when they see the boundary behind it, so that is sent at once.
                head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                await asyncio.wait_for(response.write(head + jpeg + b"\r\n--" + _BOUNDARY + b"\r\n"), STALLED_S)
            seen = count

    async def _snapshot(self, request: web.Request) -> web.Response:
        count, jpeg = self._encoded()
        if not count:
            raise web.HTTPServiceUnavailable(text="There is no picture yet.\n", headers={"Retry-After": "1"})
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def _health(self, request: web.Request) -> web.Response:
        now, newest, times = time.perf_counter(), self._newest, self._published_at.copy()
        recent = [moment for moment in times if now - moment < 2.0]
        width, height = (newest[1].width, newest[1].height) if newest else self._size
        state = {
            "instance": self._instance,
            "frame": newest[1].number if newest else None,
            "fps": round((len(recent) - 1) / (recent[-1] - recent[0]), 1) if len(recent) > 2 else 0.0,
            "clients": len(self._viewers),
            # A browser does not tell its page that a stream has broken off, so the page asks.
            "watching": request.query.get("viewer") in self._viewers,
            "age_s": round(now - newest[1].captured_at, 3) if newest else None,
            "silent_s": round(now - times[-1], 3) if times else None,
            "mark": self.mark,
            "width": width,
            "height": height,
        }
        return web.Response(text=json.dumps(state), content_type="application/json")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _asset(body: bytes, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8")

    return answer
