"""The address of a wall, opened in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from livefilter.web.address import listen, url_of
from livefilter.web.server import WebServer
from livefilter.web.site import EmptyRoom
from livefilter.web.studio_room import StudioRoom
from tests.web.test_page_in_chromium import until

ROWS = "[...document.querySelectorAll('#streams li')].map((each) => [...each.children].map((one) => one.textContent))"


class SmallWall(EmptyRoom):
    """Two streams, as livefilter.wall.room.WallRoom tells of them."""

    def state(self) -> dict[str, Any]:
        common = {"restarts": 0, "waits_for": "", "machine": ""}
        page = ["live page http://127.0.0.1:8531/", "null (64x48, shown to nobody)"]
        return {
            "live": False,
            "streams": [
                {"name": "door", "state": "running", "style": "hayao", "error": "", "outputs": page, **common},
                {"name": "hall", "state": "refused", "style": "paprika", "error": "No file.", "outputs": [], **common},
            ],
        }

    def meters(self) -> dict[str, Any]:
        return {"streams": {"door": {"styled_fps": 29.7}, "hall": {}}}


@contextmanager
def opened(room: Any) -> Iterator[str]:
    """The address of a server of that room."""
    listener = listen("127.0.0.1", 0, "The test's page")
    server = WebServer(listener, 64, 48)
    try:
        server.steer(room)
        yield url_of("127.0.0.1", listener.getsockname()[1])
    finally:
        server.close()


def test_a_wall_shows_its_streams(chromium: Any) -> None:
    """How each is, what is wrong with it, and the way to its page; and no controls of a run that is not there."""
    with opened(SmallWall()) as url:
        chromium.get(url)
        until(chromium, "return document.body.dataset.state === 'wall' && document.querySelector('#streams li')")
        assert chromium.execute_script(f"return {ROWS}") == [
            ["door", "running", "hayao · 30 fps", ""],
            ["hall", "refused", "paprika", "No file."],
        ]
        assert chromium.execute_script(
            "return [...document.querySelectorAll('#streams a')].map((each) => each.href)"
        ) == ["http://127.0.0.1:8531/"]
        assert not chromium.find_element("css selector", "[data-toggle=bypass]").is_displayed()


def test_without_a_run_there_are_no_controls(chromium: Any) -> None:
    """The photo page's server has nothing to steer."""
    with opened(StudioRoom([])) as url:
        chromium.get(url)
        until(chromium, "return document.body.dataset.state === 'studio'")
        assert not chromium.find_element("css selector", "[data-toggle=bypass]").is_displayed()
        assert not chromium.find_element("id", "strength").is_displayed()
