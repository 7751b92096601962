"""A camera made of frames that lie in memory: every loop gets the same pictures at the same moments."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livefilter.bench.recorder import Recorder
from livefilter.capture.base import Source, SourceInfo
from livefilter.errors import EndOfStream, InvalidInput
from livefilter.frame import Frame, Image
from livefilter.letterbox import letterboxed

_MOST_FRAMES = 48
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Preloaded:
    """Frames taken from an input before the measurement.

    images: (H, W, 3) uint8 BGR, all of one size.
    read_s: seconds that each took to decode or draw; empty for a camera, whose frames cannot be hurried.
    """

    name: str
    images: Sequence[Image]
    read_s: Sequence[float]


def preload(source: Source, width: int, height: int, *, timed: bool) -> Preloaded:
    """Read frames into memory, at most 48 of them and 64 MB, fitted into width x height.

    Raises: InvalidInput: there is no frame in it. SourceLost.
    """
    wanted = max(4, min(_MOST_FRAMES, _MOST_BYTES // (width * height * 3)))
    images: list[Image] = []
    read_s: list[float] = []
    while len(images) < wanted:
        started = time.perf_counter()
        try:
            image = source.read().image
        except EndOfStream:
            break
        read_s.append(time.perf_counter() - started)
        same = (image.shape[1], image.shape[0]) == (width, height)
        images.append(np.array(image) if same else letterboxed(image, width, height))
    if not images:
        raise InvalidInput(f"The benchmark cannot start: {source.info.name} has no frame. Name another --input.")
    return Preloaded(source.info.name, images, read_s if timed else [])


class PreloadedSource(Source):
    """Delivers preloaded frames: on the beat like a camera that keeps its newest frame, or one for each `request`.

    A frame is copied on the way out, as a driver does it; that copy is the stage "capture". `media_s` is the beat's
    time, so beats that nobody fetched can be counted.
    fps: beats per second, or the nominal rate when not `paced`.
    """

    def __init__(self, preloaded: Preloaded, fps: float, recorder: Recorder, *, paced: bool) -> None:
        first = preloaded.images[0]
        self.info = SourceInfo(preloaded.name, first.shape[1], first.shape[0], fps, live=paced)
        self._images = preloaded.images
        self._recorder = recorder
        self._paced = paced
        self._closed = threading.Event()
        self._requested = threading.Semaphore(1)
        self._start = time.perf_counter()
        self._beat = -1

    def request(self) -> None:
        """Ask for one more frame; the first needs no asking."""
        self._requested.release()

    def read(self) -> Frame:
        if self._paced:
            captured_at = self._wait_for_beat()
        else:
            self._requested.acquire()
            self._beat += 1
            captured_at = time.perf_counter()
        if self._closed.is_set():
            raise EndOfStream(f"The benchmark is done with {self.info.name}.")
        started = time.perf_counter()
        image = np.array(self._images[self._beat % len(self._images)])
        self._recorder.note("capture", time.perf_counter() - started)
        return Frame(image, self._beat, captured_at, self._beat / self.info.fps)

    def close(self) -> None:
        self._closed.set()
        self._requested.release()

    def _wait_for_beat(self) -> float:
        """Wait for the next beat, or take the newest one that passed; the moment at which it was due."""
        now = time.perf_counter()
        self._beat = max(self._beat + 1, int((now - self._start) * self.info.fps))
        due = self._start + self._beat / self.info.fps
        if due > now:
            self._closed.wait(due - now)
        return due
