"""A client that keeps the virtual camera open through everything and notes when each frame came."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np

from livefilter.frame import Image
from tests.system.waiting import until


class Viewer:
    """Reads a device on a thread of its own until `close`.

    keep: notes every frame, else only the newest and their number. failed: reads that gave no frame.
    times, written: when it had each frame, and when the program gave it to the driver, in seconds.
    """

    def __init__(self, device: str, *, keep: bool = False) -> None:
        self.frames: list[Image] = []
        self.times: list[float] = []
        self.written: list[float] = []
        self.count = 0
        self.failed = 0
        self._keep = keep
        self._ending = threading.Event()
        self._capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
        assert self._capture.isOpened(), f"{device} cannot be opened"
        self._thread = threading.Thread(target=self._run, name="viewer", daemon=True)
        self._thread.start()

    @property
    def newest(self) -> Image:
        """The last frame that came."""
        return self.frames[-1]

    def wait_for(self, frames: int) -> Image:
        """Wait for so many more frames; the last of them."""
        wanted = self.count + frames
        until(lambda: self.count >= wanted, f"{frames} more frames at the viewer, which has {self.count}")
        return self.newest

    def close(self) -> None:
        """Leave the device."""
        self._ending.set()
        self._thread.join(60)
        self._capture.release()

    def _run(self) -> None:
        while not self._ending.is_set():
            ok, image = self._capture.read()
            if not ok:
                self.failed += 1
                self._ending.wait(0.02)
                continue
            newest = np.asarray(image, np.uint8)
            if self._keep:
                self.frames.append(newest)
            else:
                self.frames = [newest]
            self.times.append(time.perf_counter())
            self.written.append(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
            self.count += 1
