"""The web server behind the pages and the API."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

from aiohttp import web

from livefilter.closeable import Closeable
from livefilter.frame import Frame
from livefilter.web import api, assets, events, live_stream, photo, prometheus, setup, thumbnails
from livefilter.web.connections import Connections, mark_busy
from livefilter.web.guard import Guard, add_headers
from livefilter.web.picture import Picture
from livefilter.web.site import Room, Site
from livefilter.web.token import TokenFile

# A photo is the largest thing that is sent to us; its own route says how large it may be.
_MAX_BODY = 64 * 1024
_FEATURES = (api, events, live_stream, photo, prometheus, setup, thumbnails)


class WebServer:
    """Serves one listening socket on a thread of its own, "page-server", until `close`.

    listener: a bound, listening socket; the server owns it. It answers loopback addresses alone unless `lan`.
    width, height: pixels that the frames will have, as told to the page before the first one comes.
    Raises: OSError: the server could not be started.
    """

    def __init__(
        self, listener: socket.socket, width: int, height: int, *, lan: bool = False, token: TokenFile | None = None
    ) -> None:
        self.picture = Picture(width, height)
        self.site = Site(self.picture, token or TokenFile(), int(listener.getsockname()[1]), lan)
        self._listener = listener
        self._error: BaseException | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page-server", daemon=True)
        self._thread.start()
        self._started.wait(10.0)
        if self._error is not None:
            listener.close()
            raise OSError(str(self._error)) from self._error

    def steer(self, room: Room, **features: Any) -> None:
        """Let pages and API steer `room` from now on; features: what else they may use, by name."""
        self.site.features.update(features)
        self.site.room = room

    def publish(self, frame: Frame) -> None:
        """Make `frame` the newest; called by one thread at a time, never waits.

        Raises: RuntimeError: the server has ended.
        """
        if not self._thread.is_alive():
            raise RuntimeError(str(self._error or "it was closed"))
        self.picture.publish(frame)

    @property
    def viewers(self) -> int:
        """How many watch the picture."""
        return len(self.picture.viewers)

    def wait(self, timeout_s: float) -> bool:
        """Wait until the server has ended; False when `timeout_s` passed first."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self) -> None:
        """End every connection, the thread and the socket. Can be called twice."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop may end by itself in this moment
                self._loop.call_soon_threadsafe(self._stop)
            self._thread.join(5.0)
        self._listener.close()
        self.picture.forget()
        features, self.site.features = self.site.features, {}
        for feature in features.values():
            if isinstance(feature, Closeable):
                feature.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.picture.serve_on(self._loop)
        self.site.stopping = asyncio.Event()
        known = assets.assets()
        guard = Guard(self.site, frozenset(known))
        app = web.Application(middlewares=[mark_busy, guard.check], client_max_size=_MAX_BODY)
        app.on_response_prepare.append(add_headers)
        app.router.add_routes(assets.routes(known))
        for feature in _FEATURES:
            app.router.add_routes(feature.routes(self.site))
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.25)
        server: asyncio.Server | None = None
        watch: asyncio.Task[None] | None = None
        try:
            await runner.setup()
            assert runner.server is not None
            connections = Connections(runner.server, self._loop)
            server = await self._loop.create_server(connections, sock=self._listener, backlog=64)
            watch = asyncio.create_task(connections.watch())
            self._started.set()
            await self.site.stopping.wait()
        finally:
            if watch is not None:
                watch.cancel()
            if server is not None:
                server.close()
            await runner.cleanup()

    def _stop(self) -> None:
        self.site.stopping.set()
        self.picture.wake()
