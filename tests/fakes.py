"""Hand-written stand-ins for the parts of a pipeline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import numpy as np

from livefilter.capture.base import Source, SourceInfo
from livefilter.errors import EndOfStream
from livefilter.frame import Frame, Image
from livefilter.inference.look import PLAIN, Look
from livefilter.inference.timings import Timings
from livefilter.output.base import Sink
from tests.conftest import picture

WAIT_S = 120.0


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait until something has happened; fail with its name when it does not."""
    deadline = time.monotonic() + WAIT_S
    waiting = threading.Event()
    while not happened():
        assert time.monotonic() < deadline, f"never happened: {what}"
        waiting.wait(0.005)


class FakeClock:
    """Seconds that only tests move."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class NoKeys:
    """Nobody presses a key."""

    def read(self) -> list[str]:
        return []


class FakeSource(Source):
    """Delivers `frames` pictures (endlessly when None), `every_s` apart; an error in `failures` replaces that frame."""

    def __init__(
        self,
        frames: int | None = None,
        every_s: float = 0.005,
        failures: dict[int, Exception] | None = None,
        size: tuple[int, int] = (64, 48),
        name: str = "fake camera",
    ) -> None:
        self.info = SourceInfo(name, *size, fps=30.0, live=True)
        self.closed = False
        self.reads = 0
        self._frames = frames
        self._pause = threading.Event()
        self._every_s = every_s
        self._failures = failures or {}

    def read(self) -> Frame:
        self._pause.wait(self._every_s)
        number = self.reads
        self.reads += 1
        if number in self._failures:
            raise self._failures[number]
        if self._frames is not None and number >= self._frames:
            raise EndOfStream("the fake is at its end")
        return Frame(picture(self.info.width, self.info.height, number), number, time.perf_counter())

    def close(self) -> None:
        self.closed = True
        self._pause.set()


class FakeSink(Sink):
    """Keeps what it was sent; raises `error` from frame `fail_at` on."""

    def __init__(self, error: Exception | None = None, fail_at: int = 0) -> None:
        self.name = "fake sink"
        self.sent: list[Frame] = []
        self.closed = False
        self.senders: set[str] = set()
        self._error = error
        self._fail_at = fail_at

    def send(self, frame: Frame) -> None:
        if self._error is not None and len(self.sent) >= self._fail_at:
            raise self._error
        self.senders.add(threading.current_thread().name)
        self.sent.append(frame)

    def close(self) -> None:
        self.closed = True


class FakeStyler:
    """Inverts pictures, so that a raw one that slips through is seen; raises what `errors` holds, one per call."""

    def __init__(self, name: str = "inverted", errors: Iterable[Exception] = (), value: int | None = None) -> None:
        self.name = name
        self.timings = Timings(0.1, 0.2, 0.3)
        self.warmed: list[tuple[int, int]] = []
        self.closed = self.cancelled = False
        self._errors = list(errors)
        self._value = value

    takes_strength = False
    person: Image | None = None

    def composes(self, width: int, height: int) -> bool:
        return False

    def __call__(self, image: Image, look: Look = PLAIN) -> Image:
        assert not look.finish or look == PLAIN
        if self._errors:
            raise self._errors.pop(0)
        return np.full_like(image, self._value) if self._value is not None else 255 - image

    def warm_up(self, width: int, height: int) -> None:
        self.warmed.append((width, height))

    def cancel(self) -> None:
        self.cancelled = True

    def close(self) -> None:
        self.closed = True
