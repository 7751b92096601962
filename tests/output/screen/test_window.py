"""The preview window on a real X display, with real key events."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import mss
import numpy as np
import pytest

from livefilter.errors import SinkUnavailable
from livefilter.frame import Image
from livefilter.output.base import SinkOptions
from livefilter.output.screen.window import WindowSink, _fit, key_name
from tests.conftest import picture
from tests.display import ask_to_close

ROOT = Path(__file__).parents[3]
TIMEOUT_S = 90.0


class Window:
    """A running program with a preview window, its display and its id there."""

    def __init__(self, display: str, width: int, height: int) -> None:
        self.display = display
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.output.screen.window_program", str(width), str(height)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="window-reader")
        self._reader.start()
        assert self.hear() == "open"
        found = self.xdotool("search", "--sync", "--onlyvisible", "--name", "^livefilter$")
        self.id = int(found.split()[-1])
        self.xdotool("windowfocus", "--sync", str(self.id))

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())

    def hear(self) -> str:
        """The next line that the program says."""
        return self._lines.get(timeout=TIMEOUT_S)

    def tell(self, order: str) -> None:
        """Give an order and wait until it is done."""
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        assert self.hear() == f"done {order.split()[0]}"

    def press(self, *keys: str) -> list[str]:
        """Press keys, one after the other, and return what the program called them."""
        heard = []
        for key in keys:
            self.xdotool("key", key)
            heard.append(self.hear().removeprefix("key "))
        return heard

    def xdotool(self, *words: str) -> str:
        """Run xdotool on the window's display."""
        done = subprocess.run(["xdotool", *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        return done.stdout

    def seen(self) -> Image:
        """The pixels of the window as they are on the screen."""
        words = self.xdotool("getwindowgeometry", "--shell", str(self.id))
        place = dict(line.split("=") for line in words.split())
        box = {"left": int(place["X"]), "top": int(place["Y"])}
        box |= {"width": int(place["WIDTH"]), "height": int(place["HEIGHT"])}
        grabber: Any = getattr(mss, "MSS", None) or mss.mss
        with grabber(display=self.display) as screen:
            return np.asarray(screen.grab(box))[:, :, :3]

    def until(self, reached: Callable[[Image], bool], what: str) -> None:
        """Wait until the window looks as it should."""
        moment, deadline = threading.Event(), time.monotonic() + TIMEOUT_S
        while not reached(self.seen()):
            assert time.monotonic() < deadline, f"the window never showed {what}"
            moment.wait(0.05)

    def end(self) -> None:
        """End the program as it wants to be ended, or else by force."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("end\n")
            self._process.stdin.close()
            assert self._process.wait(TIMEOUT_S) == 0
        finally:
            self._process.kill()
            self._reader.join(TIMEOUT_S)
            if self._process.stdout is not None:
                self._process.stdout.close()


@pytest.fixture
def window(xvfb: str) -> Iterator[Callable[[int, int], Window]]:
    """Opens a preview window for frames of a size; skipped where no keys can be pressed."""
    if shutil.which("xdotool") is None:
        pytest.skip("no xdotool here: install the package xdotool")
    opened: list[Window] = []

    def open_window(width: int, height: int) -> Window:
        opened.append(Window(xvfb, width, height))
        return opened[-1]

    yield open_window
    for each in opened:
        each.end()


def like(expected: Image) -> Callable[[Image], bool]:
    """Whether what is seen is this picture."""
    return lambda seen: seen.shape == expected.shape and bool(np.abs(seen.astype(int) - expected).mean() < 2)


def test_the_window_shows_frames_mirrored_or_with_help(window: Callable[[int, int], Window]) -> None:
    """The pixels on the screen are the newest frame's; the mirror and the help change the preview alone."""
    preview = window(800, 600)
    preview.tell("frame 3")
    preview.until(like(picture(800, 600, 3)), "the frame")
    preview.tell("frame 40")
    preview.until(like(picture(800, 600, 40)), "the next frame")
    preview.tell("mirror")
    preview.until(like(picture(800, 600, 40)[:, ::-1]), "the mirrored frame")
    preview.tell("mirror")
    preview.tell("help q quit")
    preview.until(lambda seen: bool(np.percentile(seen[285:315, 370:430], 10) < 70), "the dark panel of the help")
    preview.tell("help")
    preview.until(like(picture(800, 600, 40)), "the frame without help")


def test_keys_pressed_in_the_window_come_out_by_our_names(window: Callable[[int, int], Window]) -> None:
    """Digits, letters of both cases, brackets, space and escape are named; arrows and shift are no letters."""
    preview = window(640, 360)
    keys = ("1", "9", "n", "p", "Q", "bracketleft", "bracketright", "space", "Escape", "h")
    assert preview.press(*keys) == ["1", "9", "n", "p", "q", "[", "]", "space", "escape", "h"]
    for silent in ("Left", "Shift_L", "F1"):
        preview.xdotool("key", silent)
    assert preview.press("m") == ["m"]


def test_the_close_button_means_quit(window: Callable[[int, int], Window]) -> None:
    """Closing the window is the key q, once; frames that come later do not open it again."""
    preview = window(640, 360)
    preview.tell("frame 1")
    ask_to_close(preview.display, preview.id)
    assert preview.hear() == "key q"
    preview.tell("frame 2")
    preview.tell("help nothing to draw on")
    gone = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "^livefilter$"], capture_output=True)
    assert gone.stdout.strip() == b""
    preview.tell("close")


def test_close_takes_the_window_away(window: Callable[[int, int], Window]) -> None:
    """After close, and a second close, no window is left on the screen."""
    preview = window(640, 360)
    preview.tell("close")
    gone = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "^livefilter$"], capture_output=True)
    assert gone.stdout.strip() == b""


@pytest.mark.parametrize("size", [(3840, 2160), (1080, 1920), (64, 48)])
def test_the_window_opens_within_the_screen_in_the_shape_of_the_frames(
    window: Callable[[int, int], Window], size: tuple[int, int]
) -> None:
    """4K, portrait and tiny frames all open at a size that can be seen and that is not distorted."""

    def fits(seen: Image) -> bool:
        height, width = seen.shape[:2]
        in_shape = width / height == pytest.approx(size[0] / size[1], rel=0.01)
        return bool(width <= 1280 and height <= 768 and max(width, height) >= 480 and in_shape)

    window(*size).until(fits, "its size in the shape of the frames")


def test_help_over_tiny_frames_can_be_read(window: Callable[[int, int], Window]) -> None:
    """Help is drawn at the size of the window, so its letters are sharp over a picture of 64x48."""
    preview = window(64, 48)
    preview.tell("frame 0")
    preview.tell("help next style")
    preview.until(lambda seen: bool((seen.min(axis=2) > 215)[200:].sum() > 60), "white letters")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="only X11 and Wayland name their display")
def test_without_a_display_it_says_so_and_the_process_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qt would end the process; instead there is one line with the fix."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SinkUnavailable, match=r"no display \(neither DISPLAY nor WAYLAND_DISPLAY.*--output page"):
        WindowSink("", SinkOptions(64, 48, 30.0))


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="only X11 and Wayland name their display")
def test_a_display_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A DISPLAY left over from an earlier login is found out without ending the process."""
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "display :4711 cannot be used" in (WindowSink.unavailable() or "")
    assert os.environ["DISPLAY"] == ":4711"


def test_an_opencv_without_windows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The headless OpenCV is recognised, with the command that replaces it."""
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "", raising=False)
    reason = WindowSink.unavailable() or ""
    assert "without windows" in reason
    assert "pip install --force-reinstall opencv-python" in reason


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (-1, None),
        (0x71, "q"),
        (0x51, "q"),
        (0x100071, "q"),
        (0xFF51, None),
        (0x250000, None),
        (27, "escape"),
        (13, None),
    ],
)
def test_key_codes_of_every_window_system_are_understood(code: int, name: str | None) -> None:
    """Modifiers of GTK are ignored, and arrows (X11 0xFF51, Windows 0x250000) are no letters."""
    assert key_name(code) == name


@pytest.mark.parametrize("size", [(1, 1), (16, 4000), (4000, 16), (7680, 4320)])
def test_extreme_shapes_still_get_a_window(size: tuple[int, int]) -> None:
    """No side is ever zero or larger than the screen."""
    width, height = _fit(*size, (1366, 768))
    assert 1 <= width <= 1280
    assert 1 <= height <= 768
