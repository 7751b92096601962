"""The camera made of frames in memory."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from livefilter.bench.recorder import Recorder
from livefilter.bench.source import Preloaded, PreloadedSource, preload
from livefilter.errors import EndOfStream, InvalidInput
from tests.conftest import picture
from tests.fakes import WAIT_S, FakeSource


def three() -> Preloaded:
    """Three different pictures."""
    return Preloaded("three pictures", [picture(number=number) for number in range(3)], [])


def test_preloading_fits_frames_and_times_each() -> None:
    """Frames come at the size that is measured, with what each took to make."""
    found = preload(FakeSource(frames=5, every_s=0.0), 32, 32, timed=True)
    assert [image.shape for image in found.images] == [(32, 32, 3)] * 5
    assert len(found.read_s) == 5


def test_preloading_is_bounded() -> None:
    """An endless input fills neither the memory nor the time, and a camera's waits are no cost."""
    found = preload(FakeSource(every_s=0.0), 64, 48, timed=False)
    assert 4 <= len(found.images) <= 48
    assert list(found.read_s) == []


def test_an_input_without_a_frame_is_refused() -> None:
    """There is nothing to measure with, and that is said before anything runs."""
    with pytest.raises(InvalidInput, match="fake camera has no frame"):
        preload(FakeSource(frames=0), 64, 48, timed=True)


def test_a_paced_source_keeps_the_beat() -> None:
    """Each frame carries the moment at which it was due, one period or more after the one before."""
    recorder = Recorder()
    recorder.begin()
    with PreloadedSource(three(), 200.0, recorder, paced=True) as source:
        frames = [source.read() for _ in range(5)]
    beats = [round((frame.media_s or 0.0) * 200) for frame in frames]
    assert beats == sorted(set(beats))
    for beat, frame in zip(beats, frames, strict=True):
        assert frame.captured_at - frames[0].captured_at == pytest.approx((beat - beats[0]) / 200)
        assert np.array_equal(frame.image, three().images[beat % 3])
    assert len(recorder.end().stages["capture"]) == 5


def test_frames_are_copies() -> None:
    """As from a driver: whoever gets a frame owns it, and the next pass finds the original unharmed."""
    preloaded = three()
    with PreloadedSource(preloaded, 200.0, Recorder(), paced=True) as source:
        source.read().image[:] = 0
    assert np.array_equal(preloaded.images[0], picture(number=0))


def test_an_unpaced_source_waits_for_a_request() -> None:
    """Flat out, one frame is made for each that is asked for: it neither starves nor races."""
    source = PreloadedSource(three(), 30.0, Recorder(), paced=False)
    assert source.read().number == 0
    got: list[int] = []
    reader = threading.Thread(target=lambda: got.append(source.read().number))
    reader.start()
    assert got == []
    source.request()
    reader.join(WAIT_S)
    assert got == [1]
    source.close()


@pytest.mark.parametrize("paced", [True, False])
def test_closing_wakes_a_reader(paced: bool) -> None:
    """A reader that waits for a far beat or a request hears of the end at once; close can be called twice."""
    source = PreloadedSource(three(), 0.01 if paced else 30.0, Recorder(), paced=paced)
    source.read()
    ended = threading.Event()

    def read() -> None:
        with pytest.raises(EndOfStream):
            source.read()
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    source.close()
    source.close()
    assert ended.wait(WAIT_S)
    reader.join(WAIT_S)
