"""Files played by the clock."""

from __future__ import annotations

import threading
import time

import pytest

from livefilter.capture.base import Source, SourceInfo
from livefilter.capture.paced import PacedSource
from livefilter.errors import EndOfStream, SourceError
from livefilter.frame import Frame
from tests.conftest import picture


class Slides(Source):
    """Pictures at the given media times; reading number `slow_at` takes `slow_s`.

    fps: what the source claims; a frame that is late by less than its period is shown all the same.
    """

    def __init__(self, times: list[float], fps: float = 50.0, slow_at: int = -1, slow_s: float = 0.0) -> None:
        self.info = SourceInfo("slides", 64, 48, fps, live=False)
        self.closed = 0
        self._times = times
        self._slow_at = slow_at
        self._slow_s = slow_s
        self._number = 0
        self._pause = threading.Event()

    def read(self) -> Frame:
        if self._number == len(self._times):
            raise EndOfStream("no more slides")
        if self._number == self._slow_at:
            self._pause.wait(self._slow_s)
        self._number += 1
        number = self._number - 1
        return Frame(picture(number=number), number, time.perf_counter(), self._times[number])

    def close(self) -> None:
        self.closed += 1


def read_all(source: PacedSource) -> list[tuple[Frame, float]]:
    """Every frame with the moment at which it came."""
    frames = []
    try:
        while True:
            frame = source.read()
            frames.append((frame, time.perf_counter()))
    except EndOfStream:
        return frames


def test_a_machine_that_is_too_slow_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """And not every other second: what is late stays late."""
    read_all(PacedSource(Slides([15.0, 10.0, 5.0, 0.0])))
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "slides is 5.0 s late: playing on from there"
    ]


def test_frames_come_when_they_are_due_and_not_before() -> None:
    """Uneven media times become uneven times of the clock."""
    times = [0.0, 0.02, 0.1, 0.12, 0.2]
    frames = read_all(PacedSource(Slides(times)))
    start = frames[0][0].captured_at
    assert all(came >= frame.captured_at for frame, came in frames)
    assert [frame.captured_at - start for frame, _ in frames if frame.media_s is not None] == pytest.approx(
        [frame.media_s for frame, _ in frames if frame.media_s is not None]
    )


def test_frames_after_a_stall_are_dropped_until_it_is_level() -> None:
    """A short stall costs frames, not delay: what comes after it is due at its own time."""
    source = PacedSource(Slides([n / 50 for n in range(30)], fps=10.0, slow_at=5, slow_s=0.3))
    frames = read_all(source)
    start = frames[0][0].captured_at
    assert source.dropped >= 5
    assert len(frames) + source.dropped == 30
    assert [frame.number for frame, _ in frames] == list(range(len(frames)))
    last = frames[-1][0]
    assert last.media_s is not None
    assert last.media_s > 0.4
    assert last.captured_at - start == pytest.approx(last.media_s)


def test_a_long_stall_moves_the_clock_instead() -> None:
    """After more than a second the rest is played, not skipped, and times still grow."""
    source = PacedSource(Slides([n / 50 for n in range(20)], fps=2.0, slow_at=5, slow_s=1.2))
    frames = read_all(source)
    assert source.dropped == 0
    assert len(frames) == 20
    captured = [frame.captured_at for frame, _ in frames]
    assert captured == sorted(captured)
    assert captured[5] - captured[4] > 1.0


def test_a_source_slower_than_its_rate_still_shows_frames() -> None:
    """A decoder that cannot keep up is shown at what it manages instead of not at all."""

    class Sluggish(Slides):
        def read(self) -> Frame:
            self._pause.wait(0.02)
            return super().read()

    source = PacedSource(Sluggish([n / 200 for n in range(40)], fps=200))
    assert len(read_all(source)) >= 5


def test_closing_wakes_whoever_waits() -> None:
    """A reader that waits for a frame due in an hour is freed at once, and the file is closed once."""
    slides = Slides([0.0, 3600.0])
    source = PacedSource(slides)
    source.read()
    ended: list[BaseException] = []

    def reads() -> None:
        try:
            source.read()
        except SourceError as error:
            ended.append(error)

    reader = threading.Thread(target=reads, daemon=True)
    reader.start()
    source.close()
    reader.join(60)
    assert not reader.is_alive()
    assert "closed" in str(ended[0])
    source.close()
    assert slides.closed >= 1
