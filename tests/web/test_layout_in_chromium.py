"""Where things lie on the live page, at the sizes of screens and docks, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from livefilter.web.assets import assets
from livefilter.web.token import TokenFile
from tests.web.conftest import Desk
from tests.web.test_notices_in_chromium import listed
from tests.web.test_page_in_chromium import until

COVERED = """
const controls = [...document.querySelectorAll('.tools button, .tile, #strength')];
const boxes = controls.map((each) => each.getBoundingClientRect());
return [...document.querySelectorAll('.toast')].filter((toast) => {
  const own = toast.getBoundingClientRect();
  return boxes.some((box) => own.left < box.right && own.right > box.left
    && own.top < box.bottom && own.bottom > box.top);
}).length;
"""
TOASTS = "[...document.querySelectorAll('.toast')].map((each) => each.textContent)"
LIST = "[...document.querySelectorAll('#log li')].map((each) => each.lastChild.data)"
OUTSIDE = """
return [...document.querySelectorAll('.tools button')].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.left < 0 || box.right > innerWidth || each.scrollWidth > each.clientWidth;
}).map((each) => each.textContent);
"""


@pytest.fixture
def sized(chromium: Any) -> Iterator[Any]:
    """Sets the size of the browser's view, for one test."""

    def size(width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    yield size
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def open_desk_page(browser: Any, url: str) -> None:
    """Open a page and wait for its tiles."""
    browser.get(url)
    until(browser, "return document.querySelector('.tile') !== null && document.body.dataset.state === 'waiting'")


def test_what_pops_up_lies_over_no_control(desk: Desk, chromium: Any, sized: Any) -> None:
    """However much is said, bypass and styles can still be seen and pressed."""
    sized(1280, 800)
    open_desk_page(chromium, desk.page.url)
    for text in (
        "one",
        "two",
        "three",
        "a long path such as /home/someone/Videos/livefilter/livefilter-20261130-210245.mp4",
    ):
        desk.settings.change(notice=text)
        until(chromium, listed(text))
    assert chromium.execute_script(f"return {TOASTS}.length") == 4
    assert chromium.execute_script(COVERED) == 0


def test_a_slider_is_told_of_once(desk: Desk, chromium: Any) -> None:
    """Its last value pops up alone, and what was said before is not pushed out of the list."""
    open_desk_page(chromium, desk.page.url)
    for percent in range(99, 60, -1):
        desk.controller.perform("strength", value=percent / 100)
    desk.controller.perform("style", name="paprika")
    desk.controller.perform("style", name="shinkai")
    until(chromium, listed("Style 2: shinkai"))
    assert chromium.execute_script(f"return {TOASTS}") == ["Strength 61%", "Style 2: shinkai"]
    assert chromium.execute_script(f"return {LIST}") == [
        "Style 2: shinkai", "Style 3: paprika", "Strength 61%", "said before",
    ]  # fmt: skip


@pytest.mark.parametrize(("width", "height"), [(200, 600), (220, 400), (300, 600), (500, 300), (900, 200)])
def test_a_dock_of_any_size_shows_its_buttons_whole(
    desk: Desk, chromium: Any, sized: Any, width: int, height: int
) -> None:
    """Nothing is cut off at the sides, and the picture of a low dock leaves the first buttons in sight."""
    sized(width, height)
    open_desk_page(chromium, f"{desk.page.url}dock")
    assert chromium.execute_script(OUTSIDE) == []
    assert chromium.execute_script("return document.documentElement.scrollWidth") <= width
    top = "return document.querySelector('[data-toggle=bypass]').getBoundingClientRect().bottom"
    assert chromium.execute_script(top) <= height


def test_an_upright_picture_leaves_its_controls_in_sight(desk: Desk, chromium: Any, sized: Any) -> None:
    """On a laptop's screen, with a camera that is turned."""
    sized(1280, 800)
    open_desk_page(chromium, desk.page.url)
    chromium.execute_script("document.getElementById('stage').style.setProperty('--ratio', 9 / 16)")
    bottom = "return document.getElementById('tiles').getBoundingClientRect().bottom"
    assert chromium.execute_script(bottom) <= 800


def test_the_picture_stays_in_sight_while_what_is_further_down_is_set(desk: Desk, chromium: Any, sized: Any) -> None:
    """Of the settings beside it the last ones lie below a laptop's screen."""
    sized(1280, 800)
    open_desk_page(chromium, desk.page.url)
    chromium.execute_script("document.getElementById('input').scrollIntoView()")
    assert chromium.execute_script("return scrollY") > 200
    assert chromium.execute_script("return document.getElementById('stage').getBoundingClientRect().top") >= 0


def test_the_address_for_obs_can_be_read_whole(desk: Desk, chromium: Any, sized: Any) -> None:
    """Its end, which makes it the picture alone, is what matters."""
    sized(1280, 800)
    open_desk_page(chromium, desk.page.url)
    assert chromium.execute_script(
        "const code = document.getElementById('address'); return code.scrollWidth <= code.clientWidth"
    )


def test_an_upright_picture_leaves_room_on_a_phone(desk: Desk, chromium: Any, sized: Any) -> None:
    """It stays at the top while the controls below it are used, so it must not fill the screen."""
    sized(390, 844)
    open_desk_page(chromium, desk.page.url)
    chromium.execute_script("document.getElementById('stage').style.setProperty('--ratio', 9 / 16)")
    bottom = "return document.querySelector('[data-toggle=bypass]').getBoundingClientRect().bottom"
    assert chromium.execute_script(bottom) <= 700


def test_the_setup_view_reads_well_while_it_looks(desk: Desk, chromium: Any) -> None:
    """Before it knows what works here it says so in a line."""
    chromium.get(f"{desk.page.url}setup")
    chromium.execute_script(
        "const looking = document.createElement('li'); looking.textContent = 'Looking...';"
        "document.getElementById('rows').replaceChildren(looking);"
    )
    assert chromium.execute_script("return document.querySelector('#rows li').getBoundingClientRect().height") < 50


def test_sizes_are_asked_for_in_words_that_older_browsers_know() -> None:
    """Those within OBS Studio 28 to 30 know no `(width < 720px)`, and would pass over all that stands below it."""
    styles = [body.decode() for address, (body, _) in assets().items() if address.endswith(".css")]
    conditions = [each for text in styles for each in re.findall(r"@(?:media|container)([^{]*){", text)]
    assert len(conditions) > 5
    assert [each for each in conditions if "<" in each or ">" in each] == []


def test_a_token_leaves_the_address_and_the_rest_of_it_stays(desk: Desk, chromium: Any) -> None:
    """Also in browsers that cannot tell how many parameters there are, as those within OBS Studio 28 to 30."""
    token = TokenFile().ensure()
    hides = {"source": "Object.defineProperty(URLSearchParams.prototype, 'size', { value: undefined })"}
    added = chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", hides)
    try:
        chromium.get(f"{desk.page.url}?clean=1&token={token}")
        until(chromium, "return location.search === '?clean=1' && document.documentElement.classList.contains('clean')")
        chromium.execute_script("localStorage.clear()")
    finally:
        chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
