"""What livefilter has to say, as the page lists it and lets it pop up, in a real browser."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.web.conftest import Desk, open_desk
from tests.web.test_page_in_chromium import until

MANY = 40  # more than a run keeps


def listed(text: str) -> str:
    """Whether the list begins with a text."""
    return f"return document.getElementById('log').firstChild?.lastChild.data === '{text}'"


def popped(text: str) -> str:
    """Whether a text has popped up, and once."""
    return (
        f"return [...document.querySelectorAll('.toast')].filter((each) => each.textContent === '{text}').length === 1"
    )


def test_notices_of_one_moment_are_all_listed(desk: Desk, chromium: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the list is full, so that one goes for each that comes; what was there before does not pop up."""
    monkeypatch.setattr("livefilter.web.live_room.time.time", lambda: 1_800_000_000.0)
    for number in range(MANY):
        desk.settings.change(notice=f"before {number}")
    chromium.get(desk.page.url)
    until(chromium, listed(f"before {MANY - 1}"))
    for text in ("one", "two"):
        desk.settings.change(notice=text)
        until(chromium, listed(text))
        until(chromium, popped(text))
    assert "before" not in chromium.execute_script("return document.getElementById('toasts').textContent")


def test_the_notices_of_the_next_run_replace_those_of_the_last(chromium: Any) -> None:
    """On a page that stays open while livefilter is started again, which counts anew."""
    first = open_desk()
    chromium.get(first.page.url)
    until(chromium, listed("said before"))
    first.settings.change(notice="of the first run")
    until(chromium, listed("of the first run"))
    port = first.page.url.rsplit(":", 1)[1].strip("/")
    first.page.close()
    first.controller.close()
    until(chromium, "return document.body.dataset.state === 'gone'")
    second = open_desk(target=port)
    try:
        second.settings.change(notice="of the second run")
        until(chromium, listed("of the second run"))
    finally:
        second.page.close()
        second.controller.close()


def test_the_next_run_does_not_begin_with_pictures_of_the_last(desk: Desk, chromium: Any) -> None:
    """The tiles go back to the cards' own pictures until there are new ones: it may have another camera."""
    chromium.get(desk.page.url)
    until(chromium, "return document.querySelector('.tile img') !== null")
    chromium.execute_script(
        "document.querySelector('.tile img').src = URL.createObjectURL(new Blob(['old']));"
        "window.before = livefilter.link.socket; window.before.close();"
    )
    until(chromium, "return livefilter.link.socket?.readyState === 1 && livefilter.link.socket !== window.before")
    until(chromium, "return document.querySelector('.tile img').src.endsWith('/card.jpg')")


def test_a_page_that_is_opened_later_tells_how_long_is_recorded(
    desk: Desk, chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not since when it is open itself."""
    now = [1000.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], time=lambda: 1_800_000_000.0)
    monkeypatch.setattr("livefilter.web.live_room.time", clock)
    desk.settings.change(recording=True)
    now[0] += 65.0
    chromium.get(desk.page.url)
    until(chromium, "return document.getElementById('recording-sign').textContent === 'REC 1:05'")
    desk.settings.change(recording=False)
    until(chromium, "return document.getElementById('recording-sign').hidden")
