"""Turns are measured on the real pipeline and on the naive loop, and leave nothing behind."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from livefilter.bench.measure import Bench, Case, Schedule
from livefilter.bench.naive import NaiveLoop
from livefilter.bench.session import Parts, open_case
from livefilter.bench.source import Preloaded
from livefilter.errors import EngineFailed, SinkLost
from livefilter.inference.styler import Styler
from livefilter.live.style_switch import FrameStyler
from livefilter.styles.catalogue import Catalogue
from tests.conftest import picture
from tests.fakes import FakeSink, FakeStyler

CASE = Case("test", "identity", 64, 48, "full")
SCHEDULE = Schedule(fps=5.0, seconds=0.6, rounds=1, warmup_s=0.1, settle_beats=0)


@pytest.fixture
def styler() -> Iterator[Styler]:
    """A warm styler that changes nothing."""
    made = Styler(Path("none"), "identity")
    made.warm_up(64, 48)
    yield made
    made.close()


def bench(
    styler: FrameStyler,
    sinks: list[FakeSink],
    schedule: Schedule = SCHEDULE,
    naive: NaiveLoop | None = None,
    stop: threading.Event | None = None,
    make_sink: type[FakeSink] = FakeSink,
) -> Bench:
    """A benchmark whose outputs are collected in `sinks`."""

    def open_sinks() -> list[FakeSink]:
        sinks.append(make_sink())
        return sinks[-1:]

    preloaded = Preloaded("pictures", [picture(number=number) for number in range(4)], [])
    return Bench(CASE, schedule, styler, naive, preloaded, open_sinks, stop or threading.Event())


def test_every_loop_is_measured_in_every_mode(styler: Styler) -> None:
    """Two rounds with the naive loop are eight turns, the second round's loops the other way round."""
    naive = NaiveLoop(Path("none"), styler.engine_info)
    sinks: list[FakeSink] = []
    schedule = Schedule(fps=60.0, seconds=0.6, rounds=2, warmup_s=0.2, against="naive", settle_beats=0)
    rounds = list(bench(styler, sinks, schedule, naive).run())
    assert len(rounds) == schedule.turns == 8
    assert [(figures.mode, figures.loop) for figures in rounds] == [
        ("throughput", "pipeline"),
        ("throughput", "naive"),
        ("live", "pipeline"),
        ("live", "naive"),
        ("throughput", "naive"),
        ("throughput", "pipeline"),
        ("live", "naive"),
        ("live", "pipeline"),
    ]
    for figures in rounds:
        assert figures.new_frames > 0
        assert figures.new_fps == pytest.approx(figures.new_frames / figures.duration_s)
        assert set(figures.latency) == {"capture", "preprocess", "inference", "postprocess", "output", "age"}
        assert all(0 <= each.p50_ms <= each.p95_ms <= each.p99_ms for each in figures.latency.values())
        assert figures.memory_peak_mb > 1
        assert (figures.jitter_p95_ms is not None) == (figures.mode == "live")
    assert [sink.closed for sink in sinks] == [1] * 8
    styler(picture())  # it was only lent


def test_flat_out_is_not_held_to_the_live_rate(styler: Styler) -> None:
    """The source follows the engine and the output follows both, so more frames come than a live camera gives."""
    fast, live = list(bench(styler, []).run())
    assert fast.new_frames > live.new_frames


def test_stop_ends_the_turn_and_keeps_what_was_measured(styler: Styler) -> None:
    """A stop in the second turn leaves the first turn's figures, and every part closed."""
    stop = threading.Event()
    sinks: list[FakeSink] = []
    schedule = Schedule(fps=60.0, seconds=0.3, rounds=50, warmup_s=0.0, settle_beats=0)
    kept = []
    for figures in bench(styler, sinks, schedule, stop=stop).run():
        kept.append(figures)
        stop.set()
    assert len(kept) == 1
    assert [sink.closed for sink in sinks] == [1]


def test_a_turn_that_is_cut_off_is_no_result(styler: Styler) -> None:
    """Half a window would be a figure with another length than the others."""
    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    schedule = Schedule(fps=60.0, seconds=3000.0, rounds=1, warmup_s=0.0, settle_beats=0)
    assert list(bench(styler, [], schedule, stop=stop).run()) == []
    timer.join(60)


def test_an_engine_that_fails_says_why() -> None:
    """The engine's own error reaches the caller: a benchmark does not go on with another engine."""
    sinks: list[FakeSink] = []
    broken = FakeStyler()
    measured = bench(broken, sinks)
    turns = measured.run()
    next(turns)
    broken._errors.append(EngineFailed("the device is gone"))
    with pytest.raises(EngineFailed, match="the device is gone"):
        next(turns)
    assert [sink.closed for sink in sinks] == [1, 1]


class LostSink(FakeSink):
    """Fails on its third frame."""

    def __init__(self) -> None:
        super().__init__(SinkLost("the disk is full"), fail_at=2)


@pytest.mark.parametrize("loop", ["pipeline", "naive"])
def test_an_output_that_fails_says_why(styler: Styler, loop: str) -> None:
    """On either loop's thread, the first error ends the turn and reaches the caller."""
    naive = NaiveLoop(Path("none"), styler.engine_info)
    sinks: list[FakeSink] = []
    measured = bench(styler, sinks, naive=naive, make_sink=LostSink)
    with pytest.raises(SinkLost, match="the disk is full"):
        measured._turn("naive" if loop == "naive" else "pipeline", "throughput", 100.0)
    assert [sink.closed for sink in sinks] == [1]


def test_a_plan_knows_how_long_it_takes() -> None:
    """Turns times their length, plus the time in which a live output settles."""
    schedule = Schedule(fps=20.0, seconds=5.0, rounds=3, warmup_s=1.0, against="naive", settle_beats=200)
    assert (schedule.turns, schedule.planned_s()) == (12, 12 * 6 + 3 * 10)


def test_a_live_output_settles_before_it_is_measured(styler: Styler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the live pipeline gets the extra beats: its output moves to the right moment while they pass."""
    waits: list[float] = []

    def wait(self: Bench, seconds: float, ended: object, usage: object) -> bool:
        waits.append(seconds)
        return True

    monkeypatch.setattr(Bench, "_wait", wait)
    naive = NaiveLoop(Path("none"), styler.engine_info)
    schedule = Schedule(fps=20.0, seconds=5.0, rounds=1, warmup_s=1.0, settle_beats=200)
    assert len(list(bench(styler, [], schedule, naive).run())) == 4
    assert waits == [1.0, 5.0, 1.0, 5.0, 11.0, 5.0, 1.0, 5.0]


@pytest.mark.parametrize(("asked", "drawn"), [("full", 384), ("auto", 360)])
def test_frames_are_drawn_at_the_size_that_was_asked_for(asked: str, drawn: int) -> None:
    """ "full" is the frame's own size, also where a run would not draw more than so many lines by itself."""
    case, schedule = Case("hayao", "onnxruntime", 384, 384, asked), Schedule(fps=0.1)
    with contextlib.closing(open_case(case, schedule, Parts(), Catalogue(user=Path("no such folder")))) as styler:
        assert styler.working_size == drawn
