"""The newest frame of a run, for everyone who watches it over the web."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections import deque

import cv2
import numpy as np

from livefilter.frame import Frame
from livefilter.nv12 import nv12_to_bgr

JPEG_QUALITY = 85


class Picture:
    """Holds the newest frame and nothing older. A frame is encoded at most once, and only if somebody watches.

    width, height: pixels that the frames will have, as told to the page before the first one comes.
    viewers: the names that the open streams were asked for with; only the loop's thread touches it.
    """

    def __init__(self, width: int, height: int) -> None:
        self.instance = secrets.token_hex(4)
        self.viewers: list[str] = []
        self._size = (width, height)
        self._newest: tuple[int, Frame] | None = None  # how many were published, and the last of them
        self._jpeg: tuple[int, bytes] = (0, b"")
        self._cut_out: tuple[int, bytes] = (0, b"")
        self._published_at: deque[float] = deque(maxlen=61)
        self._waking = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._lock = threading.Lock()

    def serve_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell the loop on which viewers wait."""
        self._loop, self._changed = loop, asyncio.Event()

    def publish(self, frame: Frame) -> None:
        """Make `frame` the newest; called by one thread at a time, never waits."""
        self._newest = (self._newest[0] + 1 if self._newest else 1, frame)
        self._published_at.append(time.perf_counter())
        # One wake-up at a time: were the loop held up, they would pile up.
        if self.viewers and not self._waking and self._loop is not None:
            self._waking = True
            self._loop.call_soon_threadsafe(self.wake)

    def wake(self) -> None:
        """Let everyone look who waits for `changed`."""
        self._waking = False
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def forget(self) -> None:
        """Drop the frame."""
        self._newest, self._jpeg, self._cut_out = None, (0, b""), (0, b"")

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next frame; take it before looking at the frame that is there."""
        return self._changed

    @property
    def newest(self) -> Frame | None:
        """The newest frame."""
        return self._newest[1] if self._newest else None

    def encoded(self) -> tuple[int, bytes]:
        """The newest frame as a JPEG file, with its count; (0, b"") before the first one."""
        newest = self._newest
        if newest is not None and newest[0] != self._jpeg[0]:
            image = nv12_to_bgr(newest[1].image)
            _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            self._jpeg = (newest[0], jpeg.tobytes())
        return self._jpeg

    def cut_out(self) -> tuple[int, bytes] | None:
        """The person alone, as a JPEG file of twice the height, with its count: colours, and below how opaque, as grey.

        A browser needs a third of the time for that which a PNG or WebP file takes here to be written. None where the
        newest frame's room is not transparent.
        """
        newest = self._newest
        if newest is None or newest[1].cutout is None:
            return None
        if newest[0] != self._cut_out[0]:
            cutout = newest[1].cutout.image
            both = np.vstack([cutout[:, :, :3], cv2.cvtColor(cutout[:, :, 3], cv2.COLOR_GRAY2BGR)])
            # Colours at full resolution, or those of the edge would be mixed with the black beside it.
            sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
            _, jpeg = cv2.imencode(".jpg", both, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, *sampling])
            self._cut_out = (newest[0], jpeg.tobytes())
        return self._cut_out

    def health(self) -> dict[str, object]:
        """What a person or a watchdog wants to know of the picture."""
        now, newest, times = time.perf_counter(), self.newest, self._published_at.copy()
        recent = [moment for moment in times if now - moment < 2.0]
        width, height = (newest.width, newest.height) if newest else self._size
        return {
            "instance": self.instance,
            "frame": newest.number if newest else None,
            "fps": round((len(recent) - 1) / (recent[-1] - recent[0]), 1) if len(recent) > 2 else 0.0,
            "clients": len(self.viewers),
            "age_s": round(now - newest.captured_at, 3) if newest else None,
            "silent_s": round(now - times[-1], 3) if times else None,
            "mark": newest.mark if newest else "",
            "width": width,
            "height": height,
        }
