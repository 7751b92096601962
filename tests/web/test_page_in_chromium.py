"""The live page as a person sees it, in a real browser."""

from __future__ import annotations

import base64
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import cv2
import numpy as np
import pytest

from livefilter.frame import Frame, Image
from livefilter.output.base import SinkOptions
from livefilter.output.page import PageSink
from livefilter.web.address import network_address
from livefilter.web.token import TokenFile
from tests.conftest import picture
from tests.fakes import WAIT_S
from tests.fakes import until as wait_until
from tests.web.conftest import open_desk

WIDTH, HEIGHT = 320, 240
OPTIONS = SinkOptions(width=WIDTH, height=HEIGHT, fps=30.0)


class Show:
    """Sends the pictures of `image_of` to a page, 30 a second, until it is closed."""

    def __init__(self, target: str, image_of: Callable[[int], Image]) -> None:
        self.sink = PageSink(target, OPTIONS)
        self._image_of = image_of
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="show")
        self._thread.start()

    def close(self) -> None:
        """Stop sending, then close the page."""
        self._ended.set()
        self._thread.join(WAIT_S)
        self.sink.close()

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(1 / 30):
            self.sink.send(Frame(self._image_of(number), number, time.perf_counter()))
            number += 1


@pytest.fixture
def shows() -> Iterator[Callable[..., Show]]:
    """Opens shows, and closes them at the end of the test."""
    opened: list[Show] = []

    def show(target: str = "0", image_of: Callable[[int], Image] = moving) -> Show:
        opened.append(Show(target, image_of))
        return opened[-1]

    yield show
    for each in opened:
        each.close()


def moving(number: int) -> Image:
    """A gradient over which a square of 8 pixels moves."""
    return picture(WIDTH, HEIGHT, number)


def still(number: int) -> Image:
    """The same gradient every time."""
    return picture(WIDTH, HEIGHT)


def seen(browser: Any) -> Image:
    """The pixels of the picture on the page, read through a canvas."""
    url = browser.execute_script(
        "const picture = document.getElementById('picture');"
        "return picture && picture.width ? picture.toDataURL('image/png') : '';"
    )
    if not url:
        return np.zeros((0, 0, 3), np.uint8)
    png = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
    image = cv2.imdecode(png, cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def look(browser: Any) -> Image:
    """The pixels, once there are any: there are none while the page changes from one stream to the next."""
    found: list[Image] = []

    def there() -> bool:
        found.append(seen(browser))
        return found[-1].size > 0

    wait_until(there, "a picture")
    return found[-1]


def square_at(image: Image) -> int:
    """Where the white square of `picture` begins."""
    return int(np.argmax(image[2:6].astype(int).min(axis=2).mean(axis=0) > 180))


def until(browser: Any, script: str, seconds: float = WAIT_S) -> None:
    """Wait until a script says yes."""
    moment, deadline = threading.Event(), time.monotonic() + seconds
    while not browser.execute_script(script):
        state = browser.execute_script("return document.body && document.body.innerText")
        assert time.monotonic() < deadline, f"never came true: {script}; the page says: {state}"
        moment.wait(0.05)


def moves(browser: Any, places: int) -> None:
    """Wait until the square was seen in so many places."""
    found: set[int] = set()
    deadline = time.monotonic() + WAIT_S
    while len(found) < places:
        assert time.monotonic() < deadline, f"only saw {found}"
        image = seen(browser)
        if image.size:  # none while the page changes from one stream to the next
            found.add(square_at(image))


def open_page(browser: Any, url: str) -> None:
    """Open a page and wait for its first picture."""
    browser.get(url)
    until(browser, "return document.body.dataset.state === 'live' && document.getElementById('picture').width")


def test_the_browser_shows_what_was_sent(chromium: Any, shows: Callable[..., Show]) -> None:
    """The pixels on the page are those of the frame, in the right colours, but for what JPEG takes."""
    show = shows(image_of=still)
    open_page(chromium, show.sink.url)
    image = look(chromium)
    assert image.shape == (HEIGHT, WIDTH, 3)
    difference = np.abs(image.astype(int) - still(0).astype(int))
    assert difference.mean() < 3
    assert difference[20:].max() < 24  # the gradient, away from the hard edges of the square


def test_the_picture_moves(chromium: Any, shows: Callable[..., Show]) -> None:
    """New frames replace old ones without any action of the page's visitor."""
    show = shows()
    open_page(chromium, show.sink.url)
    moves(chromium, 5)


def test_the_page_says_live_and_how_to_use_it_in_obs(chromium: Any, shows: Callable[..., Show]) -> None:
    """The page names itself, its state, and the address to give to OBS."""
    show = shows()
    open_page(chromium, show.sink.url)
    assert chromium.title == "livefilter"
    for expected in ("livefilter", "Live", "OBS", f"{show.sink.url}?clean=1", f"{WIDTH} × {HEIGHT}"):
        until(chromium, f"return document.body.innerText.includes('{expected}')")


def test_nothing_is_refused_by_the_content_policy(chromium: Any, shows: Callable[..., Show]) -> None:
    """The page breaks none of its own rules and asks for nothing that is not there."""
    show = shows()
    open_page(chromium, show.sink.url)
    assert chromium.get_log("browser") == []


@pytest.mark.parametrize("window", [(800, 600), (1280, 720), (420, 800)])
def test_the_clean_page_is_picture_only(chromium: Any, shows: Callable[..., Show], window: tuple[int, int]) -> None:
    """`?clean=1` fills the viewport with the picture, has no scroll bars, and shows nothing else."""
    show = shows()
    chromium.set_window_size(*window)
    try:
        open_page(chromium, show.sink.url + "?clean=1")
        box = chromium.execute_script(
            "const box = document.getElementById('picture').getBoundingClientRect();"
            "return [box.left, box.top, box.width - innerWidth, box.height - innerHeight]"
        )
        assert box == [0, 0, 0, 0]
        assert chromium.execute_script(
            "const root = document.documentElement, picture = document.getElementById('picture');"
            "return [root.scrollWidth <= innerWidth, root.scrollHeight <= innerHeight, innerWidth === root.clientWidth,"
            " getComputedStyle(document.body).backgroundColor, getComputedStyle(picture).objectFit,"
            " document.body.innerText.trim()]"
        ) == [True, True, True, "rgba(0, 0, 0, 0)", "cover", ""]

        def fills() -> bool:
            shot = cv2.imdecode(np.frombuffer(chromium.get_screenshot_as_png(), np.uint8), cv2.IMREAD_COLOR)
            # The red of `picture` is 96 everywhere but in its square: also in the corners, so there is no margin.
            return shot is not None and all(abs(int(corner[2]) - 96) < 12 for corner in (shot[-3, 2], shot[-3, -3]))

        wait_until(fills, "the picture in every corner")
    finally:
        chromium.set_window_size(1280, 800)


def test_the_page_says_when_livefilter_has_ended_and_comes_back_with_it(
    chromium: Any, shows: Callable[..., Show]
) -> None:
    """Without a reload, the page tells the end of the program, hides the old picture, and follows the next run."""
    first = shows(image_of=still)
    open_page(chromium, first.sink.url)
    first.close()
    until(chromium, "return document.body.innerText.includes('livefilter is not running')")
    assert chromium.title == "Not running - livefilter"
    assert not chromium.execute_script("return document.getElementById('picture').checkVisibility()")
    second = shows(target=first.sink.url.rsplit(":", 1)[1].strip("/"), image_of=lambda _: 255 - still(0))
    until(chromium, "return document.body.dataset.state === 'live' && document.getElementById('picture').width")
    deadline = time.monotonic() + WAIT_S
    wanted = 255 - still(0)
    while (image := seen(chromium)).shape != wanted.shape or np.abs(image.astype(int) - wanted).mean() > 3:
        assert time.monotonic() < deadline, "the picture of the second run never came"
    assert second.sink.url == first.sink.url


def test_a_page_without_the_token_says_so_and_not_that_livefilter_is_not_running(chromium: Any) -> None:
    """Nor is anything refused for wrong tokens after a page with an old one; with the right one it is live."""
    network = network_address()
    if network is None:
        pytest.skip("this computer has no network address")
    desk = open_desk(dataclasses.replace(OPTIONS, lan=True))
    with closing(desk.page):
        url = f"http://{network}:{desk.page.url.rsplit(':', 1)[1]}"
        says = (
            "return document.body.dataset.state === 'refused' && document.getElementById('notice-detail').textContent"
        )
        chromium.get(url)
        until(chromium, f"{says}.startsWith('It needs the token.')")
        assert chromium.title == "Not let in - livefilter"
        chromium.execute_script("localStorage.setItem('livefilter-token', 'old')")
        chromium.get(url)
        until(chromium, f"{says}.startsWith('The token is not the one')")
        chromium.get(url)
        until(chromium, f"{says}.startsWith('It needs the token.')")
        chromium.get(f"{url}?token={TokenFile().current}")
        until(chromium, "return document.body.dataset.state === 'waiting'")


def test_a_clean_page_shows_nothing_while_livefilter_is_away(chromium: Any, shows: Callable[..., Show]) -> None:
    """In OBS the scene behind shows through; viewers see neither a frozen person nor a message."""
    show = shows()
    open_page(chromium, show.sink.url + "?clean=1")
    show.close()
    until(chromium, "return document.body.dataset.state === 'gone'")
    assert chromium.execute_script("return document.body.innerText.trim()") == ""
    assert not chromium.execute_script("return document.getElementById('picture').checkVisibility()")


def test_a_stream_that_breaks_off_is_asked_for_again(chromium: Any, shows: Callable[..., Show]) -> None:
    """A connection cut while livefilter goes on, as by a sleeping laptop, does not leave a frozen picture."""
    show = shows()
    open_page(chromium, show.sink.url)
    chromium.execute_script("window.before = livefilter.link.socket; livefilter.link.socket.close()")
    until(chromium, "return livefilter.link.socket !== window.before && livefilter.link.socket?.readyState === 1")
    moves(chromium, 3)


@pytest.mark.parametrize(
    ("raw", "frozen", "text"),
    [
        ("Raw camera", True, "RAW CAMERA, FROZEN: viewers see you"),
        ("Split screen, raw person", False, "SPLIT SCREEN, RAW PERSON: viewers see you"),
        ("Raw room", True, "RAW ROOM, FROZEN: viewers see your room"),
        ("Weak style", False, "WEAK STYLE: viewers see you"),
        ("Split screen", False, ""),
    ],
)
def test_the_alarm_shows_whatever_is_raw(chromium: Any, raw: str, frozen: bool, text: str) -> None:
    """Also what is frozen, split or drawn faintly besides; a split screen alone can be seen."""
    with closing(PageSink("0", OPTIONS)) as sink:
        sink.send(Frame(still(0), 0, time.perf_counter(), raw=raw, frozen=frozen))
        chromium.get(sink.url)
        until(chromium, f"return document.body.dataset.mark?.startsWith('{raw}')")
        assert chromium.find_element("id", "alarm-text").text == text


def test_a_connection_that_says_nothing_is_given_up_at_once(chromium: Any, shows: Callable[..., Show]) -> None:
    """Without waiting for the other side to agree, which it cannot where the network is lost."""
    show = shows()
    open_page(chromium, show.sink.url)
    chromium.execute_script(
        "window.before = livefilter.link.socket; livefilter.link.socket.close = () => {};"
        "Object.defineProperty(livefilter.link, 'heard', { get: () => -60000, set: () => {}, configurable: true });"
    )
    until(
        chromium, "return document.body.dataset.state === 'lost' && document.getElementById('fps').textContent === '-'"
    )
    assert chromium.find_element("id", "notice-title").text == "livefilter does not answer"
    chromium.execute_script("delete livefilter.link.heard; livefilter.link.heard = performance.now()")
    until(chromium, "return livefilter.link.socket?.readyState === 1 && livefilter.link.socket !== window.before")
    until(chromium, "return document.body.dataset.state === 'live'")
