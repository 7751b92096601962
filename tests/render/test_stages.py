"""Complete mode: nothing lost, order kept, the first error wins."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefilter.capture.base import Source, SourceInfo
from livefilter.errors import EndOfStream, EngineFailed, LivefilterError, SinkLost, SourceLost
from livefilter.frame import Frame, Image
from livefilter.output.base import Sink, SinkOptions
from livefilter.render import render
from livefilter.render.stages import run_stages
from tests.conftest import frame

WAIT_S = 60.0


class FakeVideo(Source):
    """Counts out `frames` pictures, then ends or fails."""

    def __init__(self, frames: int, error: LivefilterError | None = None) -> None:
        self.info = SourceInfo("fake video", 64, 48, 25.0, live=False, frames=frames)
        self.closed = 0
        self._left = iter(range(frames))
        self._error = error or EndOfStream("over")

    def read(self) -> Frame:
        number = next(self._left, None)
        if number is None:
            raise self._error
        return frame(number=number, captured_at=number / 25)

    def close(self) -> None:
        self.closed += 1


class FakeFile(Sink):
    """Keeps what it is sent; fails at frame `fails_at`."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.name = "fake file"
        self.frames: list[Frame] = []
        self.options: SinkOptions | None = None
        self.closed = 0
        self._fails_at = fails_at

    def open(self, options: SinkOptions) -> Sink:
        """Note what was asked for."""
        self.options = options
        return self

    def send(self, frame: Frame) -> None:
        if frame.number == self._fails_at:
            raise SinkLost("the disk is full")
        self.frames.append(frame)

    def close(self) -> None:
        self.closed += 1


def invert(image: Image) -> Image:
    """A style that is easy to see."""
    return 255 - image


def no_progress(done: int) -> None:
    """Shown to nobody."""


def test_every_frame_is_styled_and_written_in_order() -> None:
    """Nothing is dropped however long the video is, and each frame keeps its number and time."""
    source, file, seen = FakeVideo(100), FakeFile(), list[int]()
    assert render(source, invert, file.open, seen.append) == 100
    assert [(given.number, given.captured_at) for given in file.frames] == [(n, n / 25) for n in range(100)]
    assert all(np.array_equal(given.image, 255 - frame(number=given.number).image) for given in file.frames)
    assert seen == list(range(1, 101))
    assert (file.closed, source.closed) == (1, 0)


def test_the_sink_is_told_what_will_come() -> None:
    """Size and rate of the source, and that nobody waits for the clock."""
    file = FakeFile()
    render(FakeVideo(1), invert, file.open, no_progress)
    assert file.options is not None
    assert file.options.ended is not None
    assert file.options.ended.is_set()
    assert replace(file.options, ended=None) == SinkOptions(64, 48, 25.0, None, loop=False, live=False)


def test_the_three_stages_run_at_once_on_threads_with_names() -> None:
    """Reading, styling and writing wait for each other here, which only works side by side."""
    names: set[str] = set()
    meeting = threading.Barrier(3, timeout=WAIT_S)
    items = iter(range(10))

    def meet(item: int, at: int) -> int:
        names.add(threading.current_thread().name)
        if item == at:
            meeting.wait()
        return item

    def read() -> int:
        item = next(items, None)
        if item is None:
            raise EndOfStream("over")
        return meet(item, 2)

    def write(item: int) -> None:
        meet(item, 0)

    run_stages(read, lambda item: meet(item, 1), write, no_progress)
    assert names == {"render-decode", "render-style", "render-encode"}


def test_no_more_than_a_few_frames_wait() -> None:
    """A fast reader waits for a slow writer, so a long video does not fill the memory."""
    read_ahead = 0
    counts = {"read": 0, "written": 0}
    items = iter(range(200))

    def read() -> int:
        item = next(items, None)
        if item is None:
            raise EndOfStream("over")
        counts["read"] += 1
        return item

    def write(item: int) -> None:
        nonlocal read_ahead
        read_ahead = max(read_ahead, counts["read"] - counts["written"])
        counts["written"] += 1

    run_stages(read, lambda item: item, write, no_progress, depth=2)
    assert counts == {"read": 200, "written": 200}
    assert read_ahead <= 2 + 2 + 4  # two queues, and what each of the three stages holds in its hands


@pytest.mark.parametrize("failing", ["decode", "style", "encode"])
def test_the_first_error_stops_all_and_reaches_the_caller(failing: str) -> None:
    """The sink is closed once, so that its file is whole as far as it goes, and no thread is left."""
    before = set(threading.enumerate())
    source = FakeVideo(20, SourceLost("the file is torn") if failing == "decode" else None)
    file = FakeFile(fails_at=7 if failing == "encode" else None)
    styled = 0

    def style(image: Image) -> Image:
        nonlocal styled
        styled += 1
        if failing == "style" and styled == 9:
            raise EngineFailed("the engine fell over")
        return image

    errors: dict[str, type[Exception]] = {"decode": SourceLost, "style": EngineFailed, "encode": SinkLost}
    with pytest.raises(errors[failing]):
        render(source, style, file.open, no_progress)
    assert file.closed >= 1
    assert [given.number for given in file.frames] == list(range(len(file.frames)))
    assert set(threading.enumerate()) <= before


def test_ctrl_c_ends_all_stages_and_closes_the_sink() -> None:
    """The interrupt reaches the caller, after the file was finished."""
    before = set(threading.enumerate())
    file = FakeFile()
    interrupted = threading.Event()

    def style(image: Image) -> Image:
        if len(file.frames) >= 3 and not interrupted.is_set():
            interrupted.set()
            _thread.interrupt_main()
        return image

    with pytest.raises(KeyboardInterrupt):
        render(FakeVideo(10**6), style, file.open, no_progress)
    assert file.closed >= 1
    assert set(threading.enumerate()) <= before


def test_an_error_while_closing_does_not_hide_the_first_one() -> None:
    """Two failures in a row: the user hears of the cause."""

    class Stubborn(FakeFile):
        def close(self) -> None:
            raise SinkLost("and it cannot be closed")

    with pytest.raises(SinkLost, match="the disk is full"):
        render(FakeVideo(5), invert, Stubborn(fails_at=2).open, no_progress)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 40), depth=st.integers(1, 5))
def test_whatever_the_depth_everything_comes_through_in_order(count: int, depth: int) -> None:
    """Queues of any size, videos of any length."""
    items = iter(range(count))
    written: list[int] = []

    def read() -> int:
        item = next(items, None)
        if item is None:
            raise EndOfStream("over")
        return item

    work: Callable[[int], int] = lambda item: item * 2  # noqa: E731
    assert run_stages(read, work, written.append, no_progress, depth=depth) == count
    assert written == [2 * item for item in range(count)]
