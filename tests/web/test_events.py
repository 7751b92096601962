"""The WebSocket as the page and scripts use it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import cv2
import numpy as np

from livefilter.cutout import Cutout
from livefilter.frame import Frame, Image
from livefilter.web import events
from tests.conftest import frame
from tests.fakes import until
from tests.web.client import call
from tests.web.conftest import Desk

WAIT_S = 60.0


def talk(desk: Desk, work: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]]) -> None:
    """Do `work` over a WebSocket of the page's."""

    async def run() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{desk.page.url.replace('http', 'ws')}api/events") as socket,
        ):
            await asyncio.wait_for(work(socket), WAIT_S)

    asyncio.run(run())


async def hear(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    while True:
        told = await socket.receive()
        assert told.type is aiohttp.WSMsgType.TEXT, told
        message = json.loads(told.data)
        if message["type"] == kind:
            assert isinstance(message, dict)
            return message


def test_every_change_is_told_at_once_whoever_made_it(desk: Desk) -> None:
    """The state comes first, and again after a key, a call or a message changed it."""

    async def work(socket: aiohttp.ClientWebSocketResponse) -> None:
        assert (await hear(socket, "state"))["state"]["bypass"] is False
        desk.controller.press("b")
        assert (await hear(socket, "state"))["state"]["bypass"] is True
        await socket.send_json({"type": "action", "name": "style", "parameters": {"name": "paprika"}, "id": 7})
        heard = [json.loads((await socket.receive()).data) for _ in range(2)]
        assert {"type": "done", "name": "style", "id": 7} in heard
        assert any(message.get("state", {}).get("style") == "paprika" for message in heard)
        desk.run.outputs.append({"name": "another", "state": "on"})
        assert len((await hear(socket, "state"))["state"]["outputs"]) == 2

    talk(desk, work)


def test_a_wrong_message_is_answered_and_the_next_one_counts(desk: Desk) -> None:
    """Nothing that is sent ends the conversation."""

    async def work(socket: aiohttp.ClientWebSocketResponse) -> None:
        for text in ("{", "[]", "7", '{"type": "nothing", "id": 3}', '{"type": "action", "name": 4}', "[" * 9000):
            await socket.send_str(text)
            error = await hear(socket, "error")
            assert set(error["error"]) == {"what", "why", "fix"}
        await socket.send_json({"type": "action", "name": "strength", "parameters": {"value": 7}, "id": "x"})
        error = await hear(socket, "error")
        assert (error["id"], error["status"]) == ("x", 400)
        assert "from 0 to 1" in error["error"]["why"]
        await socket.send_json({"type": "action", "name": "strength", "parameters": {"value": 0.5}})
        await hear(socket, "done")
        assert desk.settings.current.strength == 0.5

    talk(desk, work)


def test_a_thousand_actions_are_all_done_in_order(desk: Desk) -> None:
    """None is lost and each is answered, with the last one standing."""

    async def work(socket: aiohttp.ClientWebSocketResponse) -> None:
        for number in range(1000):
            await socket.send_json({"type": "action", "name": "snapshot", "id": number})
        done = [(await hear(socket, "done"))["id"] for _ in range(1000)]
        assert done == list(range(1000))
        assert desk.settings.current.snapshots == 1000

    talk(desk, work)


def test_pictures_come_as_they_are_taken(desk: Desk) -> None:
    """A page that does not say that it got the last ones gets no more, so it never falls behind."""

    async def work(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"type": "subscribe", "picture": True, "meters_hz": 10})
        while not desk.page.watched():
            await hear(socket, "meters")
        got: list[bytes] = []
        for number in range(20):
            desk.page.send(frame(number=number))
            while True:
                told = await socket.receive()
                if told.type is aiohttp.WSMsgType.BINARY:
                    got.append(told.data)
                else:
                    break
            if len(got) == 2:
                break
        for number in range(20, 40):
            desk.page.send(frame(number=number))
        for _ in range(3):
            assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT, "two are on their way already"
        await socket.send_json({"type": "seen"})
        while (told := await socket.receive()).type is not aiohttp.WSMsgType.BINARY:
            pass
        image = cv2.imdecode(np.frombuffer(told.data, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert np.abs(image.astype(int) - frame(number=39).image).mean() < 6
        await socket.send_json({"type": "subscribe", "picture": False})
        while desk.page.watched():
            await hear(socket, "meters")

    talk(desk, work)
    until(lambda: not desk.page.watched(), "the viewer is forgotten")


def test_a_transparent_room_is_sent_as_two_halves(desk: Desk) -> None:
    """To who asked for it: colours, and below how opaque; it is told before, and before a plain picture again."""
    cutout = np.zeros((48, 64, 4), np.uint8)
    cutout[:, :32] = 90, 120, 200, 255

    async def picture(socket: aiohttp.ClientWebSocketResponse, number: int, cut: Image | None) -> tuple[Any, Image]:
        found = None if cut is None else Cutout(lambda: cut)
        desk.page.send(Frame(np.full((48, 64, 3), 40, np.uint8), number, 0.0, cutout=found))
        switch = None
        while (told := await socket.receive()).type is not aiohttp.WSMsgType.BINARY:
            switch = json.loads(told.data).get("on") if '"cutout"' in told.data[:24] else switch
        await socket.send_json({"type": "seen"})
        image = cv2.imdecode(np.frombuffer(told.data, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        return switch, np.asarray(image, np.uint8)

    async def work(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"type": "subscribe", "picture": True, "alpha": True, "meters_hz": 10})
        while not desk.page.watched():
            await hear(socket, "meters")
        told, plain = await picture(socket, 0, None)
        assert (told, plain.shape) == (None, (48, 64, 3))
        told, both = await picture(socket, 1, cutout)
        assert (told, both.shape) == (True, (96, 64, 3))
        assert np.abs(both[:48, :30].astype(int) - (90, 120, 200)).max() < 12
        assert both[48:, :30].min() > 245
        assert both[:, 40:].max() < 10
        told, plain = await picture(socket, 2, None)
        assert (told, plain.shape) == (False, (48, 64, 3))

    talk(desk, work)


def test_meters_come_only_on_request(desk: Desk) -> None:
    """Rates and delays are sent to those who asked, with the picture's own figures."""

    async def work(socket: aiohttp.ClientWebSocketResponse) -> None:
        await hear(socket, "state")
        await socket.send_json({"type": "subscribe", "meters_hz": 10})
        meters = (await hear(socket, "meters"))["meters"]
        assert {"input_fps", "styled_fps", "dropped", "latency_ms", "picture"} <= set(meters)

    talk(desk, work)
    assert "input_fps" in call(desk.page, "/api/meters")[1]


def test_pages_are_bounded(desk: Desk, monkeypatch: Any) -> None:
    """One page too many is refused in words, and has its place when another one leaves."""
    monkeypatch.setattr(events, "MAX_SOCKETS", 1)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}

    async def work(socket: aiohttp.ClientWebSocketResponse) -> None:
        await hear(socket, "state")
        loop = asyncio.get_running_loop()
        status, answer = await loop.run_in_executor(None, lambda: call(desk.page, "/api/events", headers=upgrade))
        assert (status, answer["error"]["fix"]) == (503, "Close one.")

    talk(desk, work)
    talk(desk, lambda socket: hear(socket, "state"))  # type: ignore[arg-type,return-value]


def test_without_an_upgrade_it_says_what_it_is(desk: Desk) -> None:
    """Opened as a page, the address explains itself."""
    status, answer = call(desk.page, "/api/events")
    assert (status, answer["error"]["what"]) == (426, "This is a WebSocket.")
