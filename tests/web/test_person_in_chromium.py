"""Person and room, chosen on the page of a whole run, and the bare page that OBS shows: a real browser, a real mask."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from livefilter import Client
from livefilter.cutout import CHROMA
from livefilter.frame import Image
from tests.fakes import until
from tests.web.still_run import HEIGHT, WIDTH, still_run
from tests.web.test_page_in_chromium import seen
from tests.web.test_page_in_chromium import until as until_script

# Parts of the picture, rows and columns: of her face, and of the wall.
FACE, WALL = (slice(110, 170), slice(255, 310)), (slice(20, 120), slice(400, 470))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Image]]:
    """The page of a run over a picture of somebody, and that picture."""
    with still_run(tmp_path_factory.mktemp("run")) as (_, url, raw):
        yield url, raw


@pytest.fixture
def page(run: tuple[str, Image], chromium: Any) -> tuple[Any, Client, Image]:
    """The page, live and in the style alone; a client beside it; the raw picture."""
    url, raw = run
    client = Client(url)
    client.do("person", what="style")
    client.do("room", what="style")
    open_live(chromium, url)
    return chromium, client, raw


def open_live(browser: Any, url: str) -> None:
    """Open a page anew, and wait until it shows pictures."""
    browser.get("about:blank")
    browser.get(url)
    until_script(browser, "return document.body.dataset.state === 'live' && document.getElementById('picture').width")


def choose(browser: Any, field: str, words: str) -> None:
    """Choose what a person reads in one of the two lists."""
    from selenium.webdriver.support.ui import Select

    Select(browser.find_element("id", field)).select_by_visible_text(words)


def apart(image: Image, wanted: Any, part: tuple[slice, slice]) -> float:
    """How far a part of a picture is from what it should be, in grey levels."""
    if image.shape[:2] != (HEIGHT, WIDTH):
        return 255.0
    return float(
        np.abs(image[part].astype(float) - (wanted[part] if isinstance(wanted, np.ndarray) else wanted)).mean()
    )


def shot(browser: Any) -> Image:
    """The page as it is on nothing: BGRA, as OBS's Browser source takes it."""
    browser.execute_cdp_cmd("Emulation.setDefaultBackgroundColorOverride", {"color": {"r": 0, "g": 0, "b": 0, "a": 0}})
    png = base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    if image.shape[2] == 3:  # as it is written where nothing is transparent
        image = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    return np.asarray(image, np.uint8)


def test_lists_on_the_page_choose_person_and_room(page: tuple[Any, Client, Image]) -> None:
    """What is chosen shows in the picture, in what the run says, and in the alarm while something is raw."""
    browser, client, raw = page
    until(lambda: apart(seen(browser), raw, WALL) > 3, "a styled room")
    choose(browser, "room", "Cut away")
    until(lambda: apart(seen(browser), CHROMA, WALL) < 6, "green in place of the wall")
    assert apart(seen(browser), CHROMA, FACE) > 40
    assert client.state()["room"] == "transparent"
    choose(browser, "room", "As the camera sees it")
    until(lambda: apart(seen(browser), raw, WALL) < 3, "the wall as it is")
    until_script(browser, "return document.getElementById('alarm-text').checkVisibility()")
    assert "RAW ROOM: viewers see your room" in browser.execute_script("return document.body.innerText")
    assert apart(seen(browser), raw, FACE) > 8
    choose(browser, "room", "In the style")
    choose(browser, "person", "As the camera sees you")
    until(lambda: apart(seen(browser), raw, FACE) < 4, "the face as it is")
    until(lambda: apart(seen(browser), raw, WALL) > 3, "the wall in the style")
    choose(browser, "room", "In shinkai")
    until(lambda: client.state()["room"] == "shinkai", "a room in a style of its own")
    choose(browser, "person", "In the style")
    until(lambda: apart(seen(browser), raw, FACE) > 8, "the face in the style")
    until_script(browser, "return !document.getElementById('alarm-text').checkVisibility()")
    assert browser.get_log("browser") == []


def test_the_bare_page_is_transparent_where_the_room_is(
    page: tuple[Any, Client, Image], run: tuple[str, Image]
) -> None:
    """The page itself, and not only its picture: nothing where the room is, the person on top, none of the green."""
    browser, client, _ = page
    client.do("room", what="transparent")
    browser.set_window_size(WIDTH, HEIGHT + 200)
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False},
    )
    try:
        open_live(browser, run[0] + "?clean=1")
        until(lambda: int(shot(browser)[..., 3][WALL].max()) == 0, "nothing in place of the wall")
        image = shot(browser)
        assert image.shape == (HEIGHT, WIDTH, 4)
        assert image[..., 3][FACE].mean() > 245
        assert apart(image[..., :3], CHROMA, FACE) > 40
        assert 0.2 < (image[..., 3] == 0).mean() < 0.8
        open_live(browser, run[0] + "?clean=1&alpha=0")
        until(lambda: apart(shot(browser)[..., :3], CHROMA, WALL) < 6, "green in place of the wall")
        assert int(shot(browser)[..., 3].min()) == 255
        client.do("room", what="style")
        open_live(browser, run[0] + "?clean=1")
        until(lambda: int(shot(browser)[..., 3].min()) == 255, "a whole picture again")
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setDefaultBackgroundColorOverride", {})
        browser.set_window_size(1280, 800)
