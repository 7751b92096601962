"""A whole run, steered from its page in a real browser and over its API at the same time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from livefilter import Client
from livefilter.frame import Image
from tests.browser import open_chromium
from tests.fakes import until
from tests.live.test_run_seen import Program, distance
from tests.web.still_run import still_run
from tests.web.test_page_in_chromium import seen
from tests.web.test_page_in_chromium import until as until_script


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, str, Image, Path]]:
    """A run over a still picture: the program, its page, the picture, and the folder of recordings."""
    folder = tmp_path_factory.mktemp("run")
    with still_run(folder, "--recordings", str(folder / "clips")) as (program, url, raw):
        yield program, url, raw, folder / "clips"


@pytest.fixture
def page(run: tuple[Program, str, Image, Path], chromium: Any) -> tuple[Any, Client, Image]:
    """The page, live, in its first state; a client beside it; the raw picture."""
    _, url, raw, _ = run
    client = Client(url)
    first: dict[str, dict[str, Any]] = {
        "style": {"name": "hayao"}, "strength": {"value": 1}, "compare": {"on": False}, "split": {"at": 0.5},
        "bypass": {"on": False}, "freeze": {"on": False}, "mirror": {"on": False}, "recording": {"on": False},
    }  # fmt: skip
    for name, values in first.items():
        client.do(name, **values)
    chromium.get(url)
    until_script(chromium, "return document.body.dataset.state === 'live' && document.querySelector('.tile') !== null")
    until(lambda: client.state()["shown_style"] == "hayao", "the first style")
    until(lambda: 1.5 < distance(seen(chromium), raw) < 100, "a styled picture")
    return chromium, client, raw


def changes(browser: Any, do: Callable[[], object], what: str, least: float = 1.5) -> Image:
    """The picture after something was done that changes it."""
    before = seen(browser)
    do()
    after: list[Image] = []

    def different() -> bool:
        after.append(seen(browser))
        return after[-1].shape == before.shape and distance(after[-1], before) > least

    until(different, what)
    return after[-1]


def click(browser: Any, selector: str) -> Callable[[], None]:
    """What clicks on something."""
    return lambda: browser.find_element("css selector", selector).click()


def test_each_control_changes_the_picture(page: tuple[Any, Client, Image]) -> None:
    """Tiles, split line, strength and bypass, each seen in pixels and in the state."""
    browser, client, raw = page
    changes(browser, click(browser, "[data-style=paprika]"), "another style")
    assert client.state()["style"] == "paprika"
    changes(browser, click(browser, "[data-toggle=compare]"), "the split screen", 0.5)
    line = browser.find_element("id", "line")
    assert line.is_displayed()
    changes(browser, lambda: line.send_keys("\ue012" * 15), "the line further left", 0.3)
    assert client.state()["split"] == pytest.approx(0.2, abs=0.03)
    click(browser, "[data-toggle=compare]")()
    until(lambda: not client.state()["compare"], "no split screen")
    strength = browser.find_element("id", "strength")
    changes(browser, lambda: strength.send_keys("\ue011"), "no strength at all")  # Home
    until(lambda: distance(seen(browser), raw) < 3, "the raw picture")
    strength.send_keys("\ue010")  # End
    until(lambda: client.state()["strength"] == 1.5, "as bold as it goes")  # its network takes that
    until(lambda: distance(seen(browser), raw) > 1.5, "the style again")
    click(browser, "[data-toggle=bypass]")()
    until(lambda: distance(seen(browser), raw) < 3, "the raw camera")
    until_script(browser, "return !document.getElementById('alarm').hidden")
    assert "viewers see you" in browser.find_element("id", "alarm-text").text
    click(browser, "[data-toggle=bypass]")()
    until_script(browser, "return document.getElementById('alarm').hidden")
    assert browser.get_log("browser") == []


def test_everything_works_by_keys_alone(page: tuple[Any, Client, Image]) -> None:
    """The terminal's keys work on the page, and tiles by arrows."""
    browser, client, _ = page
    body = browser.find_element("css selector", "body")
    until_script(browser, "return livefilter !== undefined")
    for key, field, value in (
        ("b", "bypass", True),
        ("b", "bypass", False),
        ("2", "style", "shinkai"),
        ("[", "strength", 0.9),
    ):
        body.send_keys(key)
        until(lambda field=field, value=value: client.state()[field] == value, f"{key} sets {field}")  # type: ignore[misc]
    tile = browser.find_element("css selector", ".tile[aria-checked=true]")
    browser.execute_script("arguments[0].focus()", tile)
    tile.send_keys("\ue014")
    until(lambda: client.state()["style"] != "shinkai", "another style by arrow")
    reached = set()
    for _ in range(40):
        browser.switch_to.active_element.send_keys("\ue004")
        reached.add(browser.execute_script("return document.activeElement.id || document.activeElement.dataset.toggle"))
    assert {"bypass", "recording", "snapshot", "strength", "size"} <= reached


def test_a_snapshot_is_shown_and_a_recording_is_made(
    page: tuple[Any, Client, Image], run: tuple[Program, str, Image, Path]
) -> None:
    """The snapshot can be downloaded, the file is there; a recording says that it runs and where it went."""
    browser, client, _ = page
    click(browser, "#snapshot")()
    until_script(browser, "return document.querySelector('.toast a[download]')?.href.startsWith('blob:')")
    until(lambda: bool(list(run[3].glob("*.png"))), "the snapshot's file")
    click(browser, "[data-toggle=recording]")()
    until_script(browser, "return !document.getElementById('recording-sign').hidden")
    until(lambda: bool(list(run[3].glob("*.mp4"))), "the recording's file")
    click(browser, "[data-toggle=recording]")()
    until(lambda: any("Recorded" in each["text"] for each in client.state()["notices"]), "its notice")
    until_script(browser, "return document.getElementById('log').textContent.includes('Recorded')")


def test_the_graph_moves(page: tuple[Any, Client, Image]) -> None:
    """Its pixels change as figures come."""
    browser, _, _ = page
    pixels = "return document.getElementById('graph').toDataURL()"
    first = browser.execute_script(pixels)
    until(lambda: browser.execute_script(pixels) != first, "another graph")
    until_script(browser, "return Number(document.getElementById('fps').textContent) > 0")


def test_two_browsers_see_each_others_changes(page: tuple[Any, Client, Image]) -> None:
    """What one does the other one shows."""
    browser, _, _ = page
    with open_chromium() as other:
        other.get(browser.current_url)
        until_script(other, "return document.body.dataset.state === 'live' && document.querySelector('.tile') !== null")
        click(other, "[data-style=paprika]")()
        until_script(browser, "return document.querySelector('[data-style=paprika]').ariaChecked === 'true'")
        click(browser, "[data-toggle=freeze]")()
        until_script(other, "return document.querySelector('[data-toggle=freeze]').ariaPressed === 'true'")
        click(browser, "[data-toggle=freeze]")()


def test_another_input_is_chosen_on_the_page(page: tuple[Any, Client, Image]) -> None:
    """The run goes on with the demo and comes back, without starting again; a file is called by its name alone."""
    browser, client, _ = page
    until_script(browser, "return document.getElementById('input').value === ''")
    assert browser.execute_script("return document.getElementById('input').options[0].text") == "image still.png"
    until_script(browser, "return [...document.getElementById('input').options].some((each) => each.value === 'demo')")
    first = client.state()["input"]["name"]
    changes(browser, click(browser, "#input option[value=demo]"), "the demo")
    until(lambda: client.state()["input"]["name"] == "demo scene", "the demo by name")
    client.do("input", target="first")
    until(lambda: client.state()["input"]["name"] == first, "the first input again")


KEYS_END_AT = (
    "return Math.max(...[...document.querySelectorAll('#keys td:nth-child(2)')].map((each) => "
    "each.getBoundingClientRect().right))"
)


@pytest.mark.parametrize("path", ["", "dock", "setup"])
def test_the_views_fit_a_phone(page: tuple[Any, Client, Image], path: str) -> None:
    """Nothing is wider than the screen of a phone, nor a dock than its column."""
    browser, _, _ = page
    url = browser.current_url
    width = 300 if path == "dock" else 390
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        browser.get(url + path)
        until_script(browser, "return document.body.dataset.state === 'live'")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        if path == "setup":  # each action with its key, without scrolling
            until_script(browser, "return document.querySelectorAll('#keys tr').length > 20")
            assert browser.execute_script(KEYS_END_AT) <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


PLACES = """
return ['.alarm strong', '.recording-sign', '.pill'].map((each) => {
  const box = document.querySelector(each).getBoundingClientRect();
  return [box.left, box.right, box.top, box.bottom];
});
"""


@pytest.mark.parametrize(("path", "width"), [("", 390), ("dock", 300)])
def test_the_longest_alarm_is_read_whole_on_a_narrow_page(
    page: tuple[Any, Client, Image], path: str, width: int
) -> None:
    """Nothing of it is cut off, and no other sign lies over it."""
    browser, client, _ = page
    url = browser.current_url
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        for part in ("person", "room"):
            client.do(part, what="raw")
        client.do("recording", on=True)
        browser.get(url + path)
        told = "return document.getElementById('alarm-text').textContent === 'RAW PERSON, RAW ROOM: viewers see you'"
        until_script(browser, told)
        until_script(browser, "return !document.getElementById('recording-sign').hidden")
        alarm, sign, pill = browser.execute_script(PLACES)
        assert 0 <= alarm[0] < alarm[1] <= width
        assert alarm[1] <= sign[0] or alarm[3] <= sign[2]
        assert pill[1] <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        for part in ("person", "room"):
            client.do(part, what="style")
        client.do("recording", on=False)


ATTACK = """
const done = arguments[arguments.length - 1], target = arguments[0], seen = [];
const act = target + 'api/actions/bypass?on=1', json = {'Content-Type': 'application/json'};
const after = (ms) => new Promise((ok) => setTimeout(ok, ms));
const add = (kind, values) => { document.body.append(Object.assign(document.createElement(kind), values)); };
const image = new Image(), socket = new WebSocket(target.replace('http', 'ws') + 'api/events');
image.onload = () => seen.push('image');
image.src = target + 'snapshot.jpg';
socket.onopen = () => {
  seen.push('socket');
  socket.send('{"type": "action", "name": "bypass", "parameters": {"on": true}}');
};
add('iframe', {src: target + 'stream.mjpg'});
add('iframe', {src: target});
add('form', {method: 'POST', target: 'x', action: act});
document.forms[0].submit();
Promise.allSettled([
  fetch(target + 'api/state').then((answer) => answer.text()).then((text) => seen.push(text)),
  fetch(act, {method: 'POST', mode: 'no-cors'}),
  fetch(act, {method: 'POST', headers: json, body: '{"on": true}'}),
  after(2000),
]).then(() => done(seen));
"""


def test_a_foreign_page_reads_and_changes_nothing(
    page: tuple[Any, Client, Image], tmp_path: Path, chromium: Any
) -> None:
    """A page on another port tries scripts, forms, pictures, frames and sockets: it gets nothing."""
    import functools
    import http.server
    import threading

    browser, client, _ = page
    url = browser.current_url
    (tmp_path / "evil.html").write_text("<!doctype html><iframe name=x></iframe>")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *a: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            chromium.get(f"http://127.0.0.1:{server.server_port}/evil.html")
            until(lambda: all("nobody" in each["state"] for each in client.state()["outputs"]), "nobody watches")
            assert chromium.execute_async_script(ATTACK, url) == []
            assert client.state()["bypass"] is False
            assert all("nobody" in each["state"] for each in client.state()["outputs"]), "a frame woke the camera"
        finally:
            chromium.get("about:blank")
            server.shutdown()
            thread.join(60)


def test_a_thousand_actions_do_not_disturb_the_run(page: tuple[Any, Client, Image]) -> None:
    """All are answered while frames go on being styled."""
    _, client, _ = page
    before = client.meters()["styled"]

    async def work() -> int:
        address = client._address.replace("http", "ws") + "/api/events"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            for number in range(1000):
                wish = {"value": round(0.5 + (number % 50) / 100, 2)}
                await socket.send_json({"type": "action", "name": "strength", "parameters": wish, "id": number})
            done = 0
            while done < 1000:
                told = json.loads((await asyncio.wait_for(socket.receive(), 60)).data)
                done += told["type"] == "done"
            return done

    assert asyncio.run(work()) == 1000
    until(lambda: client.meters()["styled"] > before, "frames go on")
    assert client.state()["strength"] == 0.99
