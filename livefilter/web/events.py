"""/api/events: a WebSocket that tells every change, takes actions and carries the page's picture."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterable
from typing import Any

from aiohttp import WSMsgType, web

from livefilter.web.answers import Refused
from livefilter.web.api import perform
from livefilter.web.guard import from_elsewhere
from livefilter.web.live_stream import REPEAT_S, keep_short, require_room
from livefilter.web.site import Site
from livefilter.web.waiting import comes

MAX_SOCKETS = 32
MAX_MESSAGE = 16 * 1024
METERS_HZ = (2.0, 10.0)
# What nobody announces, such as an output that went away, is looked for this often.
_LOOK_EVERY_S = 0.25
# Pictures on their way to a page that has not said that it got them.
_UNSEEN = 2
_SEEN_S = 5.0


def routes(site: Site) -> Iterable[web.RouteDef]:
    """/api/events."""

    async def events(request: web.Request) -> web.StreamResponse:
        if site.sockets >= MAX_SOCKETS:
            raise Refused(503, "The page was not connected.", f"{MAX_SOCKETS} pages are open.", "Close one.", 5)
        site.sockets += 1
        try:
            return await _Visit(site, request).serve()
        finally:
            site.sockets -= 1

    return [web.get("/api/events", events, allow_head=False)]


class _Visit:
    """One open page, script or tool."""

    def __init__(self, site: Site, request: web.Request) -> None:
        self._site, self._request = site, request
        self._elsewhere = from_elsewhere(request)
        self._socket = web.WebSocketResponse(heartbeat=15.0, max_msg_size=MAX_MESSAGE, compress=False)
        self._changed = asyncio.Event()
        self._meters_s: float | None = None
        self._viewer = ""
        self._unseen = 0
        self._seen = asyncio.Event()
        self._pictures: asyncio.Task[None] | None = None
        self._alpha = self._cut_out = False

    async def serve(self) -> web.WebSocketResponse:
        """Answer until the other end leaves or the server ends."""
        if self._request.headers.get("Upgrade", "").lower() != "websocket":
            raise Refused(426, "This is a WebSocket.", "It was asked for as a page.", "See docs/api.md.")
        await self._socket.prepare(self._request)
        keep_short(self._request)
        loop = asyncio.get_running_loop()
        forget = self._site.room.listen(lambda: _soon(loop, self._changed))
        tasks = [asyncio.create_task(self._tell()), asyncio.create_task(self._until_the_end())]
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._hear(message.data)
        except ConnectionError:
            pass
        finally:
            forget()
            for task in (*tasks, *([self._pictures] if self._pictures else [])):
                task.cancel()
            for task in (*tasks, *([self._pictures] if self._pictures else [])):
                with contextlib.suppress(asyncio.CancelledError, ConnectionError, RuntimeError):
                    await task
        return self._socket

    async def _hear(self, text: str) -> None:
        try:
            asked = json.loads(text)
            kind = asked["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            asked, kind = {}, None
        if kind == "action":
            await self._act(asked)
        elif kind == "subscribe":
            await self._subscribe(asked)
        elif kind == "seen":
            self._unseen = max(0, self._unseen - 1)
            self._seen.set()
        else:
            why, fix = "It is none of action, subscribe and seen.", "docs/api.md shows each of them."
            await self._refuse(asked if isinstance(asked, dict) else {}, Refused(400, "Not understood.", why, fix))

    async def _act(self, asked: dict[str, Any]) -> None:
        name, values = asked.get("name"), asked.get("parameters", {})
        try:
            if not isinstance(name, str) or not isinstance(values, dict):
                fix = 'Send {"type": "action", "name": "bypass", "parameters": {}}.'
                raise Refused(400, "Nothing was done.", "name must be a text and parameters an object.", fix)
            perform(self._site, name, values)
        except Refused as refused:
            await self._refuse(asked, refused)
        else:
            await self._send({"type": "done", "name": name, "id": _id(asked)})

    async def _subscribe(self, asked: dict[str, Any]) -> None:
        rate = asked.get("meters_hz")
        least, most = METERS_HZ
        if isinstance(rate, (int, float)) and not isinstance(rate, bool):
            self._meters_s = 1 / min(most, max(least, rate)) if rate > 0 else None
            self._changed.set()
        self._alpha = asked.get("alpha", self._alpha) is True
        wanted = asked.get("picture")
        if wanted is True and self._pictures is None:
            try:
                require_room(self._site.picture.viewers)
            except Refused as refused:
                await self._refuse(asked, refused)
                return
            self._pictures = asyncio.create_task(self._send_pictures())
        elif wanted is False and self._pictures is not None:
            self._pictures.cancel()
            self._pictures = None

    async def _tell(self) -> None:
        """Send the state when it changes, and meters at the wanted rate."""
        told, metered_at = "", 0.0
        while True:
            self._changed.clear()
            state = self._site.told(self._site.room.state(), elsewhere=self._elsewhere)
            text = json.dumps(state, ensure_ascii=False)
            if text != told:
                told = text
                await self._send({"type": "state", "state": state})
            now = time.monotonic()
            if self._meters_s is not None and now - metered_at >= self._meters_s - 0.005:
                metered_at = now
                meters = self._site.room.meters() | {"picture": self._site.picture.health()}
                await self._send({"type": "meters", "meters": meters})
            await comes(self._changed, min(_LOOK_EVERY_S, self._meters_s or _LOOK_EVERY_S))

    async def _send_pictures(self) -> None:
        """Send each new picture as one binary message, a JPEG; wait while the page has not shown the last ones.

        To whoever asked for transparency it is the person cut out, where there is that, and is told so before.
        """
        picture, viewer, seen = self._site.picture, "page", 0
        picture.viewers.append(viewer)
        try:
            while True:
                changed = picture.changed
                if self._unseen >= _UNSEEN:
                    self._seen.clear()
                    await comes(self._seen, _SEEN_S)
                    continue
                cut_out = picture.cut_out() if self._alpha else None
                count, jpeg = picture.encoded() if cut_out is None else cut_out
                if count == seen:
                    await comes(changed, REPEAT_S)
                    continue
                seen = count
                self._unseen += 1
                if self._cut_out is not (cut_out is not None):
                    self._cut_out = cut_out is not None
                    await self._send({"type": "cutout", "on": self._cut_out})
                await self._socket.send_bytes(jpeg)
        finally:
            picture.viewers.remove(viewer)

    async def _until_the_end(self) -> None:
        await self._site.stopping.wait()
        await self._socket.close(code=1001, message=b"livefilter ends")

    async def _refuse(self, asked: dict[str, Any], refused: Refused) -> None:
        body = self._site.told(refused.body, elsewhere=self._elsewhere)
        await self._send({"type": "error", "id": _id(asked), "status": refused.status, **body})

    async def _send(self, value: dict[str, Any]) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str(json.dumps(value, ensure_ascii=False))


def _id(asked: dict[str, Any]) -> Any:
    """What the sender called its message, if it is something that can be given back."""
    given = asked.get("id")
    return given if isinstance(given, (int, str)) and len(str(given)) <= 100 else None


def _soon(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(event.set)
