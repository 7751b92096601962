"""Screens, on a display of the test's own."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest

from livefilter.capture.base import SourceOptions
from livefilter.capture.screen import ScreenSource
from livefilter.capture.screens import ScreenDescription, check_region, find_region, list_screens
from livefilter.errors import InvalidInput, SourceUnavailable
from livefilter.frame import Frame
from tests.display import xvfb as xvfb
from tests.fakes import until

FAST = SourceOptions(fps=200)
DESKTOP = [
    {"left": -100, "top": 0, "width": 300, "height": 200},
    {"left": 0, "top": 0, "width": 200, "height": 200},
    {"left": -100, "top": 50, "width": 100, "height": 80},
]


def test_screens_are_listed(xvfb: str) -> None:
    """The one screen of the test's display has its number and size."""
    assert list_screens() == [ScreenDescription(1, 0, 0, 1366, 768)]


def test_a_screen_is_captured_whole_and_in_part(xvfb: str) -> None:
    """The main screen has its full size, a region its own, an odd one too."""
    with ScreenSource("", FAST) as whole, ScreenSource("11,7,63x47", FAST) as part:
        assert whole.read().image.shape == (768, 1366, 3)
        assert part.read().image.shape == (47, 63, 3)


PAINTER = """
import cv2, numpy, sys
cv2.imshow("w", numpy.full((400, 600, 3), (10, 30, 220), numpy.uint8))
cv2.moveWindow("w", 0, 0)
while cv2.waitKey(50) != 27: pass
"""


def test_colours_are_those_on_screen(xvfb: str) -> None:
    """A red window is red: BGR order."""
    painter = subprocess.Popen([sys.executable, "-c", PAINTER], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with ScreenSource("200,150,64x48", FAST) as source:
            until(lambda: source.read().image[24, 32].tolist() == [10, 30, 220], "the window's red on the screen")
    finally:
        painter.kill()
        painter.wait(60)


def test_another_thread_can_read_it(xvfb: str) -> None:
    """It is opened by the main thread and read by the capture thread."""
    frames: list[Frame] = []
    with ScreenSource("0,0,64x48", FAST) as source:
        reader = threading.Thread(target=lambda: frames.append(source.read()), daemon=True)
        reader.start()
        reader.join(60)
    assert frames[0].image.dtype == np.uint8


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_the_fix_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without a screen gives a clear error."""
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(SourceUnavailable, match="DISPLAY is not set"):
        ScreenSource("", FAST)


@pytest.mark.parametrize(
    ("target", "region"),
    [
        ("", (0, 0, 200, 200)),
        ("1", (0, 0, 200, 200)),
        ("2", (-100, 50, 100, 80)),
        ("-50,60,20x30", (-50, 60, 20, 30)),
    ],
)
def test_a_target_means_a_rectangle(target: str, region: tuple[int, int, int, int]) -> None:
    """Screens count from 1, and regions may reach left of the main screen."""
    found = find_region(target, DESKTOP)[1]
    assert tuple(found[side] for side in ("left", "top", "width", "height")) == region


@pytest.mark.parametrize("target", ["3", "0", "0,0,0x20", "190,0,20x20", "-101,0,10x10"])
def test_what_is_not_on_the_desktop_is_named(target: str) -> None:
    """The message says what the desktop has."""
    with pytest.raises(SourceUnavailable, match=r"this machine has 2|300x200"):
        find_region(target, DESKTOP)


@pytest.mark.parametrize("target", ["left", "1,2", "1,2,3x", "1.5"])
def test_what_names_no_screen_shows_the_form(target: str) -> None:
    """The grammar is in the message."""
    with pytest.raises(InvalidInput, match=r"screen:X,Y,WxH"):
        check_region(target)
