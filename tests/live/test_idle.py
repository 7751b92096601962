"""Resting while nobody watches."""

from __future__ import annotations

import threading

import numpy as np

from livefilter.capture.base import Source
from livefilter.errors import SourceUnavailable
from livefilter.frame import Frame
from livefilter.live.idle import IdleWatch
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.output.card import holding_card
from tests.fakes import FakeSink, FakeSource, until

OPTIONS = PipelineOptions(64, 48, 100.0, idle_after_s=0.05)
CARD = holding_card(64, 48, "One moment, please", "")


class Camera(FakeSink):
    """A virtual camera that says whether it is watched."""

    def __init__(self) -> None:
        super().__init__()
        self.watching: bool | None = True

    def watched(self) -> bool | None:
        return self.watching

    def watches(self) -> bool:
        return self.watching is not False


class Inverter:
    """Inverts pictures; counts them."""

    def __init__(self) -> None:
        self.styled = 0

    def __call__(self, frame: Frame) -> Frame:
        self.styled += 1
        return Frame(255 - frame.image, frame.number, frame.captured_at)

    def may_show(self, frame: Frame) -> bool:
        return True

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def shows_card(sink: FakeSink) -> bool:
    """Whether the last thing sent is the holding card."""
    return bool(sink.sent) and np.array_equal(sink.sent[-1].image, CARD)


def test_nobody_watches_and_everything_rests_until_somebody_does() -> None:
    """The camera is closed, nothing is styled, the outputs stay alive with the card; then it all goes on."""
    sources = [FakeSource(), FakeSource()]
    stylist, sink = Inverter(), Camera()
    pipeline = Pipeline(sources[0], stylist, [sink], OPTIONS, reopen=lambda: sources[1])
    pipeline.start()
    until(lambda: len(sink.sent) > 5, "frames")
    sink.watching = False
    until(lambda: sources[0].closed and pipeline.idle.resting, "a closed camera")
    until(lambda: shows_card(sink), "the card")
    styled = stylist.styled
    sent = len(sink.sent)
    until(lambda: len(sink.sent) > sent, "another card")
    assert stylist.styled <= styled + 1, "at most the frame that was under way"
    assert sources[1].reads == 0
    woken_at = len(sink.sent)
    sink.watching = True
    until(lambda: not shows_card(sink), "styled frames again")
    assert not pipeline.idle.resting
    first = next(frame for frame in sink.sent[woken_at:] if not np.array_equal(frame.image, CARD))
    assert first.number >= styled, "an old frame came out after the rest"
    pipeline.stop()
    pipeline.join()
    assert sources[1].closed


def test_an_output_that_cannot_tell_keeps_everything_awake() -> None:
    """A recording is always watched; once it is over the rest begins."""
    sink, recording = Camera(), FakeSink()
    sink.watching = False
    source = FakeSource()
    pipeline = Pipeline(source, Inverter(), [sink, recording], OPTIONS, reopen=FakeSource)
    pipeline.start()
    until(lambda: len(recording.sent) > 20, "twenty frames")
    assert not pipeline.idle.resting
    assert not source.closed
    pipeline.outputs.remove(recording)
    until(lambda: source.closed, "a closed camera")
    pipeline.stop()
    pipeline.join()


def test_a_resting_run_can_be_stopped() -> None:
    """Without waiting for anybody."""
    sink = Camera()
    sink.watching = False
    opened: list[Source] = []
    pipeline = Pipeline(FakeSource(), Inverter(), [sink], OPTIONS, reopen=lambda: opened[0])
    pipeline.start()
    until(lambda: pipeline.idle.resting, "a rest")
    pipeline.stop()
    pipeline.join()
    assert opened == []


def test_a_camera_that_somebody_else_took_meanwhile_is_waited_for() -> None:
    """The card says so, and it goes on when the camera is free."""
    sink, back = Camera(), FakeSource()
    free = threading.Event()

    def reopen() -> Source:
        if not free.is_set():
            raise SourceUnavailable("Cannot open it: in use by zoom.")
        return back

    pipeline = Pipeline(FakeSource(), Inverter(), [sink], OPTIONS, reopen=reopen)
    pipeline.start()
    sink.watching = False
    until(lambda: pipeline.idle.resting, "a rest")
    sink.watching = True
    until(lambda: pipeline.waiting_for == "fake camera", "a camera that is waited for")
    free.set()
    until(lambda: pipeline.waiting_for is None and not shows_card(sink), "frames of the camera")
    pipeline.stop()
    pipeline.join()


def test_a_short_look_away_is_no_reason_to_rest() -> None:
    """Programs close a camera and open it again; only when nobody came back for a while does the rest begin."""
    now = [0.0]
    watch = IdleWatch(5.0, clock=lambda: now[0])
    sink = Camera()
    sink.watching = False
    now[0] = 4.0
    assert not watch.follow(sink.watches)
    sink.watching = True
    assert not watch.follow(sink.watches)
    sink.watching = False
    now[0] = 8.0
    assert not watch.follow(sink.watches)
    now[0] = 9.5
    assert watch.follow(sink.watches)
    sink.watching = True
    assert not watch.follow(sink.watches)


def test_it_can_be_switched_off() -> None:
    """Without a time nothing ever rests."""
    sink = Camera()
    sink.watching = False
    watch = IdleWatch(None, clock=lambda: 1e9)
    assert not watch.follow(sink.watches)
    assert not watch.resting
