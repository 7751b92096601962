"""A screen, or a part of one."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from typing import Any

import cv2
import mss.exception
import numpy as np

from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.lease import Lease
from livefilter.capture.screens import find_region, open_grabber
from livefilter.capture.ticker import Ticker
from livefilter.errors import SourceLost, SourceUnavailable
from livefilter.frame import Frame, Image

_log = logging.getLogger(__name__)
_FPS = 30.0


class ScreenSource(Source):
    """What a screen shows, at the asked rate (30 without one).

    target: "" for the main screen, a number from 1, or a region "X,Y,WxH" in pixels of the desktop.
    Raises on construction: InvalidInput (not a target), SourceUnavailable (no display, no such screen or region).
    """

    def __init__(self, target: str, options: SourceOptions) -> None:
        if os.environ.get("XDG_SESSION_TYPE") == "wayland":
            _log.warning("This is a Wayland session, which hides its windows: the picture may stay black. Use X11.")
        self._grabber: Any = open_grabber()
        self._thread = threading.get_ident()
        try:
            name, self._region = find_region(target, self._grabber.monitors)
            self._name = name
            image = self._grab()
        except BaseException:
            self._free()
            raise
        fps = options.fps or _FPS
        self.info = SourceInfo(name, image.shape[1], image.shape[0], fps, live=True)
        self._lease = Lease(name, self._free)
        self._ticker = Ticker(fps, self._lease)
        self._number = 0

    def read(self) -> Frame:
        with self._lease:
            self._ticker.wait()
            captured_at = time.perf_counter()
            image = self._grab()
            if image.shape[:2] != (self.info.height, self.info.width):
                raise SourceLost(f"{self._name} changed its size to {image.shape[1]}x{image.shape[0]}.")
            self._number += 1
            return Frame(image, self._number - 1, captured_at)

    def close(self) -> None:
        self._lease.close()

    def _grab(self) -> Image:
        if self._thread != threading.get_ident():
            # The handles of a grabber belong to the thread that opened it.
            try:
                old, self._grabber = self._grabber, open_grabber()
            except SourceUnavailable as error:
                raise SourceLost(str(error)) from error
            self._thread = threading.get_ident()
            _close(old)
        try:
            shot = self._grabber.grab(self._region)
        except (mss.exception.ScreenShotError, AssertionError, OSError, ValueError) as error:
            # An X server that has ended makes mss stumble over its own checks.
            raise SourceLost(f"Cannot capture {self._name} any more: {str(error) or 'the display is gone'}.") from error
        pixels = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        return np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), dtype=np.uint8)

    def _free(self) -> None:
        if self._grabber is not None:
            _close(self._grabber)
        self._grabber = None


def _close(grabber: Any) -> None:
    with contextlib.suppress(mss.exception.ScreenShotError, AssertionError, OSError):  # the display may be gone
        grabber.close()
