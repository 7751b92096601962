"""Which screens there are."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import Any

import mss
from mss.exception import ScreenShotError

from livefilter.errors import InvalidInput, SourceUnavailable

_REGION = re.compile(r"(-?\d+),(-?\d+),(\d+)x(\d+)")


@dataclass(frozen=True, slots=True)
class ScreenDescription:
    """One screen: its number from 1 and its place on the desktop in pixels."""

    number: int
    left: int
    top: int
    width: int
    height: int


def list_screens() -> list[ScreenDescription]:
    """Every screen of this machine, in the order of their numbers.

    Raises: SourceUnavailable: there is no display.
    """
    grabber = open_grabber()
    try:
        return [_described(number, monitor) for number, monitor in enumerate(grabber.monitors) if number]
    finally:
        grabber.close()


def check_region(target: str) -> None:
    """Refuse a target that can name no screen.

    Raises: InvalidInput.
    """
    if target and not target.isdecimal() and not _REGION.fullmatch(target):
        raise InvalidInput(
            f"{target!r} names no screen: use screen, screen:2 or screen:X,Y,WxH such as screen:0,0,640x360."
        )


def find_region(target: str, monitors: list[dict[str, int]]) -> tuple[str, dict[str, int]]:
    """The name and the rectangle that a target means.

    monitors: as mss gives them; number 0 is the whole desktop.
    Raises: InvalidInput: no target at all. SourceUnavailable: no such screen, or the region is not on the desktop.
    """
    check_region(target)
    desktop = monitors[0]
    region = _REGION.fullmatch(target)
    if region is None:
        number = int(target or 1)
        if not 1 <= number < len(monitors):
            raise SourceUnavailable(
                f"There is no screen {number}: this machine has {len(monitors) - 1} (counted from 1)."
            )
        return f"screen {number}", _rectangle(monitors[number])
    left, top, width, height = (int(part) for part in region.groups())
    inside = (
        desktop["left"] <= left
        and desktop["top"] <= top
        and left + width <= desktop["left"] + desktop["width"]
        and top + height <= desktop["top"] + desktop["height"]
    )
    if not (width and height and inside):
        size = f"{desktop['width']}x{desktop['height']} at {desktop['left']},{desktop['top']}"
        raise SourceUnavailable(f"Screen region {target} is empty or not on the desktop, which is {size} pixels.")
    return f"screen region {target}", {"left": left, "top": top, "width": width, "height": height}


def open_grabber() -> Any:
    """An open mss object; it belongs to the calling thread.

    Raises: SourceUnavailable.
    """
    try:
        # Named MSS since mss 10.2, where the old name warns.
        return mss.MSS() if hasattr(mss, "MSS") else mss.mss()
    except (ScreenShotError, OSError, AssertionError) as error:
        if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
            fix = "there is no display (DISPLAY is not set). Run it inside an X11 session"
        elif sys.platform == "darwin":
            fix = f"{error}. Allow screen recording for this terminal in System Settings, Privacy"
        else:
            fix = f"{error}. A screen can be captured only in a graphical (on Linux: X11) session"
        raise SourceUnavailable(f"Cannot capture the screen: {fix}.") from error


def _described(number: int, monitor: dict[str, int]) -> ScreenDescription:
    return ScreenDescription(number, monitor["left"], monitor["top"], monitor["width"], monitor["height"])


def _rectangle(monitor: dict[str, int]) -> dict[str, int]:
    return {side: monitor[side] for side in ("left", "top", "width", "height")}
