"""The three stages under parts that fail, stall or are slow."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from livefilter.capture.base import Source
from livefilter.errors import EngineFailed, LivefilterError, SinkLost, SourceLost, SourceUnavailable, StageStuck
from livefilter.frame import Frame
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.output.card import holding_card
from tests.conftest import picture
from tests.fakes import WAIT_S, FakeSink, FakeSource, until

OPTIONS = PipelineOptions(64, 48, fps=100, hold_s=60.0)
# The holding card comes soon; on a busy machine it may come at any time.
HOLDS = PipelineOptions(64, 48, fps=100, hold_s=0.2)


class FakeStylist:
    """Inverts frames; raises `error` at frame `fail_at`; waits for `gate` when there is one."""

    def __init__(self, error: Exception | None = None, fail_at: int = 0, gate: threading.Event | None = None) -> None:
        self.closed = self.cancelled = False
        self.numbers: list[int] = []
        self._error = error
        self._fail_at = fail_at
        self._gate = gate

    def __call__(self, frame: Frame) -> Frame:
        if self._gate is not None:
            self._gate.wait(WAIT_S)
        if self._error is not None and len(self.numbers) >= self._fail_at:
            raise self._error
        self.numbers.append(frame.number)
        return replace(frame, image=255 - frame.image)

    def may_show(self, frame: Frame) -> bool:
        return not frame.raw

    def cancel(self) -> None:
        self.cancelled = True

    def close(self) -> None:
        self.closed = True


def stage_threads() -> list[str]:
    """Names of pipeline threads that are alive."""
    return [t.name for t in threading.enumerate() if t.name in {"capture", "inference", "output"}]


def run_until(pipeline: Pipeline, sink: FakeSink, frames: int) -> None:
    """Run until the sink has got this many frames, then stop and join."""
    pipeline.start()
    until(lambda: len(sink.sent) >= frames, f"{frames} frames sent")
    pipeline.stop()
    pipeline.join()


def test_frames_come_out_styled_and_in_order() -> None:
    """Every frame that leaves went through the stylist, and none is older than the one before it."""
    source, stylist, sink = FakeSource(), FakeStylist(), FakeSink()
    pipeline = Pipeline(source, stylist, [sink], OPTIONS)
    pipeline.start()
    until(lambda: len({frame.number for frame in list(sink.sent)}) > 5, "six different frames")
    pipeline.stop()
    pipeline.join()
    numbers = [frame.number for frame in sink.sent]
    assert numbers == sorted(numbers)
    for frame in sink.sent:
        assert np.array_equal(frame.image, 255 - picture(64, 48, frame.number))


def test_every_part_runs_on_its_own_named_thread_and_is_closed_once() -> None:
    """The output stage alone sends; after join no stage thread is left and each part was closed once."""
    source, stylist, sinks = FakeSource(), FakeStylist(), [FakeSink(), FakeSink()]
    run_until(Pipeline(source, stylist, sinks, OPTIONS), sinks[0], 3)
    assert sinks[0].senders == {"output"}
    assert (source.closed, stylist.closed, [sink.closed for sink in sinks]) == (True, True, [True, True])
    assert stage_threads() == []


@pytest.mark.parametrize("failing", ["capture", "inference", "output"])
def test_the_first_failure_stops_everything_and_reaches_the_caller(failing: str) -> None:
    """Whichever stage fails, all end, every part is closed once and join raises that error."""
    errors = {
        "capture": SourceLost("cable pulled"),
        "inference": EngineFailed("bad engine"),
        "output": SinkLost("full"),
    }
    error = errors[failing]
    source = FakeSource(failures={5: error} if failing == "capture" else None)
    stylist = FakeStylist(error if failing == "inference" else None, fail_at=5)
    sink = FakeSink(error if failing == "output" else None, fail_at=5)
    pipeline = Pipeline(source, stylist, [sink], OPTIONS)
    pipeline.start()
    with pytest.raises(LivefilterError, match=str(error)):
        pipeline.join()
    assert (source.closed, stylist.closed, sink.closed) == (True, True, True)
    assert stage_threads() == []


def test_viewers_are_left_with_the_card_when_the_engine_fails() -> None:
    """After an engine error the last thing sent is the holding card, not a face and never a raw frame."""
    sink = FakeSink()
    pipeline = Pipeline(FakeSource(), FakeStylist(EngineFailed("bad"), fail_at=3), [sink], OPTIONS)
    pipeline.start()
    with pytest.raises(EngineFailed):
        pipeline.join()
    assert np.array_equal(sink.sent[-1].image, holding_card(64, 48, "One moment, please", ""))


def test_a_finite_input_ends_the_run_by_itself() -> None:
    """When the input is at its end, what it gave still comes out and join returns without stop."""
    sink = FakeSink()
    pipeline = Pipeline(FakeSource(frames=20), FakeStylist(), [sink], OPTIONS)
    pipeline.start()
    pipeline.join()
    assert sink.sent
    assert sink.closed


def test_output_keeps_its_rate_while_inference_is_stuck() -> None:
    """Output repeats the last styled frame and then the holding card; it does not wait for inference."""
    gate = threading.Event()
    gate.set()
    sink = FakeSink()
    pipeline = Pipeline(FakeSource(), FakeStylist(gate=gate), [sink], HOLDS)
    pipeline.start()
    until(lambda: len(sink.sent) > 5, "first frames")
    gate.clear()
    card = holding_card(64, 48, "One moment, please", "")
    until(lambda: np.array_equal(sink.sent[-1].image, card), "the holding card")
    held = len(sink.sent)
    until(lambda: len(sink.sent) > held + 10, "ten more cards")
    gate.set()
    until(lambda: not np.array_equal(sink.sent[-1].image, card), "styled frames again")
    pipeline.stop()
    pipeline.join()


def test_a_lost_camera_is_waited_for_and_opened_again() -> None:
    """After a loss the source is closed, reopened until it works, and frame numbers go on growing."""
    lost = FakeSource(failures={3: SourceLost("fake camera stopped")})
    back = FakeSource(name="fake camera again")
    attempts: list[int] = []
    plugged_in = threading.Event()

    def reopen() -> Source:
        attempts.append(1)
        if not plugged_in.is_set():
            raise SourceUnavailable("still gone")
        return back

    sink = FakeSink()
    pipeline = Pipeline(lost, FakeStylist(), [sink], OPTIONS, reopen=reopen)
    pipeline.start()
    until(lambda: pipeline.waiting_for == "fake camera", "waiting for the camera")
    until(lambda: bool(attempts), "a failed attempt")
    plugged_in.set()
    until(lambda: back.reads > 10, "frames of the reopened camera")
    pipeline.stop()
    pipeline.join()
    assert len(attempts) >= 2
    assert (lost.closed, back.closed) == (True, True)
    numbers = [frame.number for frame in sink.sent]
    assert numbers == sorted(numbers)
    assert pipeline.waiting_for is None


def test_no_raw_frame_leaves_while_the_camera_is_away() -> None:
    """During a loss viewers get styled frames or the card, nothing else."""
    sink = FakeSink()

    def reopen() -> Source:
        raise SourceUnavailable("gone for good")

    source = FakeSource(failures={3: SourceLost("unplugged")})
    pipeline = Pipeline(source, FakeStylist(), [sink], HOLDS, reopen=reopen)
    pipeline.start()
    late = holding_card(64, 48, "One moment, please", "")
    card = holding_card(64, 48, "One moment, please", "The camera is coming back")
    until(lambda: bool(sink.sent) and np.array_equal(sink.sent[-1].image, card), "the card")
    pipeline.stop()
    pipeline.join()
    for frame in sink.sent:
        styled = np.array_equal(frame.image, 255 - picture(64, 48, frame.number))
        assert styled or np.array_equal(frame.image, card) or np.array_equal(frame.image, late)


def test_a_camera_that_comes_back_larger_is_fitted_into_the_same_frame() -> None:
    """The output size is fixed for the run; a frame of another size is fitted in undistorted."""
    back = FakeSource(size=(96, 48))
    sink = FakeSink()
    source = FakeSource(failures={3: SourceLost("unplugged")})
    pipeline = Pipeline(source, FakeStylist(), [sink], OPTIONS, reopen=lambda: back)
    pipeline.start()
    until(lambda: back.reads > 5 and bool(sink.sent) and not sink.sent[-1].image[0].any(), "letterboxed frames")
    pipeline.stop()
    pipeline.join()
    assert {frame.image.shape for frame in sink.sent} == {(48, 64, 3)}


def test_slow_inference_drops_frames_instead_of_growing_a_queue() -> None:
    """With inference slower than capture the frames are counted as dropped and age stays bounded."""

    class Slow(FakeStylist):
        def __call__(self, frame: Frame) -> Frame:
            threading.Event().wait(0.05)
            return super().__call__(frame)

    sink = FakeSink()
    pipeline = Pipeline(FakeSource(every_s=0.002), Slow(), [sink], OPTIONS)
    pipeline.start()
    until(lambda: pipeline.metrics.snapshot().dropped > 50, "many dropped frames")
    pipeline.stop()
    pipeline.join()
    figures = pipeline.metrics.snapshot()
    assert figures.styled > 0
    assert figures.captured >= figures.styled + figures.dropped - 2


def test_a_stuck_input_is_named_and_everything_else_is_closed() -> None:
    """A source whose read does not end although it was closed makes join raise StageStuck with its name."""
    release = threading.Event()

    class Stuck(FakeSource):
        def read(self) -> Frame:
            release.wait(2 * WAIT_S)
            return super().read()

    source, stylist, sink = Stuck(), FakeStylist(), FakeSink()
    pipeline = Pipeline(source, stylist, [sink], OPTIONS)
    pipeline.start()
    pipeline.stop()
    with pytest.raises(StageStuck, match="fake camera"):
        pipeline.join()
    assert (stylist.closed, sink.closed) == (True, True)
    release.set()
    until(lambda: stage_threads() == [], "the stuck stage's end")


def test_stopping_while_a_stream_is_connected_again_is_clean() -> None:
    """A reopen that takes longer than the end of the run is no stuck stage, and what it opens late is closed."""
    connecting, release = threading.Event(), threading.Event()
    late = FakeSource()

    def reopen() -> Source:
        connecting.set()
        release.wait(2 * WAIT_S)
        return late

    source = FakeSource(failures={2: SourceLost("server gone")})
    pipeline = Pipeline(source, FakeStylist(), [FakeSink()], OPTIONS, reopen=reopen)
    pipeline.start()
    assert connecting.wait(WAIT_S)
    pipeline.stop()
    pipeline.join()
    release.set()
    until(lambda: stage_threads() == [], "the stage's end")
    assert (source.closed, late.closed) == (True, True)


def test_a_part_that_cannot_be_closed_does_not_keep_the_others_open() -> None:
    """The error of a failing close is raised after every other part was closed."""

    class Stubborn(FakeSource):
        def close(self) -> None:
            raise SourceLost("cannot close")

    stylist, sink = FakeStylist(), FakeSink()
    pipeline = Pipeline(Stubborn(), stylist, [sink], OPTIONS)
    pipeline.start()
    pipeline.stop()
    with pytest.raises(SourceLost, match="cannot close"):
        pipeline.join()
    assert (stylist.closed, sink.closed) == (True, True)


def test_a_sink_can_join_and_leave_while_frames_flow() -> None:
    """A removed sink gets nothing after `remove` returned and is not closed by the pipeline."""
    sink, guest = FakeSink(), FakeSink()
    pipeline = Pipeline(FakeSource(), FakeStylist(), [sink], OPTIONS)
    pipeline.start()
    pipeline.outputs.add(guest)
    until(lambda: len(guest.sent) > 3, "frames for the guest")
    pipeline.outputs.remove(guest)
    got, sent = len(guest.sent), len(sink.sent)
    until(lambda: len(sink.sent) > sent + 5, "frames for the other sink")
    pipeline.stop()
    pipeline.join()
    assert len(guest.sent) == got
    assert not guest.closed


def test_age_counts_from_capture() -> None:
    """The age that is measured is the time from capture to sent, so it cannot be less than the source says."""

    class Old(FakeSource):
        def read(self) -> Frame:
            return replace(super().read(), captured_at=time.perf_counter() - 1.0)

    sink = FakeSink()
    pipeline = Pipeline(Old(), FakeStylist(), [sink], OPTIONS)
    run_until(pipeline, sink, 10)
    assert pipeline.metrics.snapshot().latency["age"].p50_ms >= 1000


def test_only_sinks_that_take_nv12_get_it() -> None:
    """The others get the same picture as BGR, and so does whoever needs another size."""
    camera, page = FakeSink(), FakeSink()
    camera.takes_nv12 = True

    class Nv12(FakeStylist):
        def __call__(self, frame: Frame) -> Frame:
            return replace(super().__call__(frame), image=np.full((72, 64), 128, np.uint8))

    run_until(Pipeline(FakeSource(), Nv12(), [camera, page], OPTIONS), page, 2)
    assert camera.sent[0].image.shape == (72, 64)
    assert page.sent[0].image.shape == (48, 64, 3)
    assert page.sent[0].number == camera.sent[0].number
    larger = FakeSink()
    larger.takes_nv12 = True
    run_until(Pipeline(FakeSource(), Nv12(), [larger], PipelineOptions(128, 96, fps=100)), larger, 1)
    assert larger.sent[0].image.shape == (96, 128, 3)
