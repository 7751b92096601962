"""The setup view's facts, and a phone that comes in with the QR code's address."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from livefilter.config import Config
from livefilter.control.actions import BY_NAME
from livefilter.live.control_room import bindings_of
from livefilter.web.address import network_address
from tests.conftest import frame
from tests.fakes import until
from tests.web.client import ask, call
from tests.web.conftest import OPTIONS, Desk, open_desk
from tests.web.test_page_in_chromium import until as until_script


@pytest.fixture
def lan_desk() -> Iterator[Desk]:
    """A page that others on the network may open with the token."""
    if network_address() is None:
        pytest.skip("this computer has no network address")
    opened = open_desk(dataclasses.replace(OPTIONS, lan=True))
    yield opened
    opened.page.close()
    opened.controller.close()


def test_actions_inputs_and_doctor_are_told(desk: Desk) -> None:
    """The table of actions is there; what the run offers as inputs and findings comes through."""
    told = call(desk.page, "/api/actions")[1]["actions"]
    assert [each["name"] for each in told] == list(BY_NAME)
    assert next(each for each in told if each["name"] == "next_style")["hotkey"] == "ctrl+shift+f2"
    assert call(desk.page, "/api/inputs") == (200, {"inputs": []})
    room = desk.page._server.site.room
    desk.page.steer(room, inputs=lambda: [{"name": "Demo scene", "target": "demo"}], doctor=lambda: [{"name": "x"}])
    assert call(desk.page, "/api/inputs")[1]["inputs"][0]["target"] == "demo"
    assert call(desk.page, "/api/doctor")[1]["rows"] == [{"name": "x"}]


def test_keys_are_those_of_the_settings(desk: Desk, chromium: Any) -> None:
    """What the user bound anew, added or took away is what the page shows, not the defaults."""
    config = Config(hotkey=("next_style=ctrl+alt+n", "next_style=f14", "bypass=none"), midi_pad=("bypass=cc:20@10",))
    desk.page.steer(desk.page._server.site.room, bindings=bindings_of(config))
    told = {each["name"]: (each["hotkey"], each["pad"]) for each in call(desk.page, "/api/actions")[1]["actions"]}
    assert told["next_style"] == ("ctrl+alt+n, f14", "note:37")
    assert told["bypass"] == ("", "cc:20@10")
    assert told["strength"] == ("", "")
    chromium.get(f"{desk.page.url}setup")
    until_script(chromium, "return document.getElementById('keys').innerText.includes('ctrl+alt+n, f14')")
    assert "ctrl+shift+f3" not in chromium.find_element("id", "keys").text
    chromium.get("about:blank")


def test_there_is_no_code_for_phones_without_lan(desk: Desk) -> None:
    """The answer says how to get one; the addresses for OBS are there."""
    status, answer = call(desk.page, "/api/qr.svg")
    assert status == 404
    assert "--lan" in answer["error"]["fix"]
    addresses = call(desk.page, "/api/addresses")[1]
    assert addresses["network"] is None
    assert addresses["obs"] == f"{desk.page.url}?clean=1"


def test_the_code_is_a_picture(lan_desk: Desk) -> None:
    """It is an SVG, for the own user and those with the token."""
    status, headers, body = ask(lan_desk.page, "/api/qr.svg")
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert ElementTree.fromstring(body).tag.endswith("svg")


def test_a_phone_gets_in_with_the_address_of_the_code(lan_desk: Desk, chromium: Any) -> None:
    """The token leaves the address bar, the picture comes, and a tap acts; without the token nothing is seen."""
    address = call(lan_desk.page, "/api/addresses")[1]["network"]
    lan_desk.page.send(frame())
    chromium.get(address.partition("?")[0])
    until_script(chromium, "return document.getElementById('notice-title').textContent.includes('not let')")
    assert chromium.execute_script("return document.getElementById('picture').width") == 0
    chromium.get(address)
    try:
        until_script(chromium, "return document.getElementById('picture').width > 0")
        assert "token" not in chromium.current_url
        chromium.find_element("css selector", "[data-toggle=bypass]").click()
        until(lambda: lan_desk.settings.current.bypass, "the tap")
        chromium.get(address.partition("?")[0] + "setup")
        until_script(chromium, "return document.getElementById('qr').naturalWidth > 0")
    finally:
        chromium.execute_script("localStorage.clear()")
        chromium.get("about:blank")
