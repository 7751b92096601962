"""One contract for every trigger: an action has the same effect, whatever sets it off."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import pytest

from livefilter.control.actions import BARE, BY_NAME
from livefilter.control.bindings import chord_bindings, pad_bindings
from livefilter.control.osc import OscTrigger
from livefilter.control.settings import LiveSettings
from livefilter.web.token import TokenFile
from tests.fakes import until
from tests.web.client import call
from tests.web.conftest import Desk, open_desk

# How an action is set off: by its own word for it, on a desk that is in its first state.
Trigger = Callable[[Desk, str], None]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Desk]:
    """A page with a run behind it, and a token of its own."""
    monkeypatch.setattr("livefilter.web.token.token_path", lambda: tmp_path / "token")
    opened = open_desk()
    yield opened
    opened.page.close()
    opened.controller.close()


def by_key(desk: Desk, name: str) -> None:
    """A key of the window, the terminal or the page."""
    assert desk.controller.press(BY_NAME[name].key) is bool(BY_NAME[name].key)


def by_post(desk: Desk, name: str) -> None:
    """HTTP, as programs call it."""
    assert call(desk.page, f"/api/actions/{name}", "POST") == (200, {"done": name})


def by_address(desk: Desk, name: str) -> None:
    """HTTP, as tools call it that can only open an address."""
    assert call(desk.page, f"/api/do/{name}?token={TokenFile().ensure()}") == (200, {"done": name})


def by_socket(desk: Desk, name: str) -> None:
    """The WebSocket of the page."""

    async def send() -> None:
        address = f"{desk.page.url.replace('http', 'ws')}api/events"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            await socket.send_json({"type": "action", "name": name})
            while json.loads((await socket.receive(60)).data)["type"] != "done":
                pass

    asyncio.run(send())


def by_osc(desk: Desk, name: str) -> None:
    """A message of a lighting desk."""
    udp_client = pytest.importorskip("pythonosc.udp_client", reason="python-osc is not installed")
    before = desk.settings.current
    with OscTrigger("0", desk.controller.perform, lambda notice: None) as trigger:
        udp_client.SimpleUDPClient("127.0.0.1", trigger.port).send_message(f"/livefilter/{name}", [])
        until(lambda: desk.settings.current is not before, name)


def by_binding(desk: Desk, name: str) -> None:
    """A chord or a pad, which call the controller with the name that they are bound to."""
    bound = {*chord_bindings([f"{name}=f13"]).values()} & {*pad_bindings([f"{name}=note:99"]).values()}
    assert name in bound
    desk.controller.perform(name)


def effect(desk: Desk) -> dict[str, Any]:
    """What is set now, but for the moment of the notice."""
    found = dataclasses.asdict(desk.settings.current)
    found.pop("noticed_at")
    return found


@pytest.mark.parametrize("trigger", [by_key, by_post, by_address, by_socket, by_osc, by_binding])
@pytest.mark.parametrize("name", BARE)
def test_an_action_has_the_same_effect_from_everywhere(desk: Desk, name: str, trigger: Trigger) -> None:
    """The settings end where a call of the controller leads them."""
    if trigger is by_key and not BY_NAME[name].key:
        pytest.skip("it has no key")
    desk.controller.perform(name)
    expected = effect(desk)
    desk.settings.change(
        **{field.name: getattr(LiveSettings("hayao"), field.name) for field in dataclasses.fields(LiveSettings)}
    )
    trigger(desk, name)
    assert effect(desk) == expected
