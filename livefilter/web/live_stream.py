"""The picture for programs that take MJPEG or single JPEGs; the page's own picture comes over the WebSocket."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterable

from aiohttp import web

from livefilter.web.answers import Refused
from livefilter.web.site import Site
from livefilter.web.waiting import comes

MAX_VIEWERS = 16
# A viewer that takes no byte for so long has gone away without saying so.
STALLED_S = 20.0
# The newest picture is sent again when there is no newer one, so that a viewer that left is noticed.
REPEAT_S = 1.0
# What the system may buffer for one viewer: a slow one then skips pictures and does not fall behind.
SEND_BUFFER = 128 * 1024
_BOUNDARY = b"livefilter-frame"


def routes(site: Site) -> Iterable[web.RouteDef]:
    """/stream.mjpg, /snapshot.jpg and /healthz."""
    stream = LiveStream(site)
    return [
        web.get("/stream.mjpg", stream.stream, allow_head=False),
        web.get("/snapshot.jpg", stream.snapshot),
        web.get("/healthz", stream.health),
    ]


class LiveStream:
    """Sends the newest picture of `site` to whoever asks."""

    def __init__(self, site: Site) -> None:
        self._site, self._picture = site, site.picture

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Every picture as it comes, as multipart/x-mixed-replace."""
        require_room(self._picture.viewers)
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}"
        response = web.StreamResponse(headers={"Content-Type": kind, "Connection": "close"})
        viewer, transport = request.query.get("viewer", "")[:64], request.transport
        self._picture.viewers.append(viewer)
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
            self._picture.viewers.remove(viewer)
        return response

    async def _send_frames(self, request: web.Request, response: web.StreamResponse) -> None:
        keep_short(request)
        await response.write(b"--" + _BOUNDARY + b"\r\n")
        seen = 0
        while not self._site.stopping.is_set():
            changed = self._picture.changed
            count, jpeg = self._picture.encoded()
            if count == seen and await comes(changed, REPEAT_S):
                continue  # without anything new: the same picture again
            if count:
                # Browsers show a part when they see the boundary behind it, so that is sent at once.
                head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                await asyncio.wait_for(response.write(head + jpeg + b"\r\n--" + _BOUNDARY + b"\r\n"), STALLED_S)
            seen = count

    async def snapshot(self, request: web.Request) -> web.Response:
        """The newest picture."""
        count, jpeg = self._picture.encoded()
        if not count:
            raise Refused(503, "There is no picture.", "No frame has come yet.", "Ask again in a moment.", retry_s=1)
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def health(self, request: web.Request) -> web.Response:
        """Rate, age and viewers, for a person or a watchdog."""
        # A browser does not tell its page that a stream has broken off, so the page asks.
        watching = {"watching": request.query.get("viewer") in self._picture.viewers}
        return web.Response(text=json.dumps(self._picture.health() | watching), content_type="application/json")


def require_room(viewers: list[str]) -> None:
    """Refuse one viewer too many."""
    if len(viewers) >= MAX_VIEWERS:
        why = f"{MAX_VIEWERS} viewers are watching."
        raise Refused(503, "The picture is not sent.", why, "Close one.", retry_s=5)


def keep_short(request: web.Request) -> None:
    """Let little wait in buffers, so that a slow viewer skips pictures and does not fall behind."""
    if request.transport is not None:
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        request.transport.set_write_buffer_limits(high=0)
