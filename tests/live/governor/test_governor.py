"""The governor over a run whose clock stands still between ticks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import ConfigError
from livefilter.frame import Frame, Image
from livefilter.inference.look import PLAIN
from livefilter.inference.styler import Styler
from livefilter.live.governor.governor import Governor
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.governor.meters import MachineMeter, MachineUse
from livefilter.live.governor.nvml import NvmlMeter
from livefilter.live.governor.pace import Pace
from livefilter.live.governor.policy import policy_for
from livefilter.live.governor.priority import Priority
from livefilter.live.governor.promise import Promise, parse_promise
from livefilter.live.governor.rung import Rung, ladder
from livefilter.metrics import Metrics
from tests.live.governor.test_ladder_styler import FRAME, RUNGS, FlatEngine, Now, open_rung


@pytest.fixture(autouse=True)
def _fresh() -> None:
    FlatEngine.opened, FlatEngine.shut = [], []


class FakeMeter:
    """Says what it was told to."""

    use = MachineUse()

    def read(self) -> MachineUse:
        return self.use


class NoPriority(Priority):
    """Remembers what was asked for and leaves this process alone."""

    low = False

    def follow(self, low: bool, inference_thread: int | None) -> None:
        self.low = low


class Run:
    """A run of 30 frames a second whose frames take as long as one says."""

    def __init__(self, settings: LiveSettings | None = None, rungs: tuple[Rung, ...] = RUNGS, at: int = 3) -> None:
        self.clock = Now()
        self.metrics = Metrics(clock=self.clock)
        self.settings = SharedSettings(settings or LiveSettings("flat"))
        self.meter = FakeMeter()
        self.priority = NoPriority()
        self.governor = Governor(
            self.metrics, self.settings, self.meter, 30.0, share=0.15, priority=self.priority, clock=self.clock
        )
        first = open_rung(rungs[at])
        first.warm_up(256, 192)
        self.styler = LadderStyler(rungs, (at, first), open_rung, self.governor.follow, 0.0, self.clock)
        self.styler.warm_up(256, 192)

    def go(self, seconds: float, frame_ms: float) -> None:
        """Let so many seconds pass; a frame at the largest rung takes `frame_ms`, at others in proportion."""
        for number in range(round(seconds * 30)):
            self.clock.at_s += 1 / 30
            self.metrics.count("captured")
            if self.governor.pace(Frame(FRAME, number, self.clock.at_s)):
                self.styler(FRAME)
                took_s = frame_ms / 1000 * self.styler.rung.cost / RUNGS[-1].cost
                for stage, part in (("preprocess", 0.1), ("inference", 0.8), ("postprocess", 0.1)):
                    self.metrics.record(stage, took_s * part)
                self.metrics.count("styled")
                self.metrics.record("age", took_s + 0.02)
            if number % 6 == 0:
                self.governor.breathe()


class Resting:
    """A style that is asked to draw nothing."""

    def __init__(self, styler: LadderStyler) -> None:
        self.rung, self.prepare, self._styler = styler.rung, styler.prepare, styler

    def __call__(self, image: Image) -> None:
        self._styler.skip(image, PLAIN, rests=True)


def test_frames_are_not_judged_by_what_opening_engines_took() -> None:
    """While engines open beside them frames are slow, once and by our own doing: the size stays."""
    run = Run()
    slow: list[Rung] = []

    def open_slowly(rung: Rung) -> Styler:
        slow.append(rung)
        for _ in range(10):
            run.clock.at_s += 0.1
            run.metrics.count("captured")
            run.metrics.record("inference", 0.1)
            run.metrics.record("preprocess", 0.0)
            run.metrics.record("postprocess", 0.0)
            run.metrics.count("styled")
            run.metrics.record("age", 0.2)
        return open_rung(rung)

    first = open_rung(RUNGS[3])
    first.warm_up(256, 192)
    run.styler = LadderStyler(RUNGS, (3, first), open_slowly, run.governor.follow, 0.0, run.clock)
    run.styler.warm_up(256, 192)
    run.go(6.0, 5.0)
    assert len(slow) >= 2
    assert run.styler.rung is RUNGS[3]
    assert not run.governor.state.changes


def test_size_yields_to_other_programs_and_says_so() -> None:
    """When frames take too long the size comes down, and state and notice say from what to what and why."""
    run = Run()
    run.go(5.0, 20.0)
    assert run.styler.rung is RUNGS[3]
    run.meter.use = MachineUse(own_share=0.4, others_share=0.5)
    run.go(2.0, 60.0)
    state = run.governor.state
    assert state.size < 160
    assert state.changes[-1].text == f"size 160 -> {state.size}: other programs"
    assert state.why == "other programs"
    assert run.settings.current.notice.startswith("Size 160 -> ")
    assert "size 160" in str(state)


def test_size_comes_back_when_there_is_room() -> None:
    """After ten seconds of room the size is larger again."""
    run = Run(at=0)
    run.go(14.0, 10.0)
    assert run.styler.rung is RUNGS[-1]
    assert run.governor.state.changes[-1].text == "size 64 -> 192: head-room again"


def test_fewer_drawings_are_told_and_come_back() -> None:
    """When the rate yields, notice and state say why and what is missed; with room the whole rate is back for good."""
    run = Run(at=0)
    run.meter.use = MachineUse(own_share=0.4, others_share=0.5)
    run.go(8.0, 400.0)
    state = run.governor.state
    assert (state.size, state.rate_fps) == (64, 15.0)
    assert state.missing in ("15 of 30 fps", "16 of 30 fps")
    assert run.settings.current.notice == "Rate 30 -> 15 fps: other programs"
    assert "rate 30 -> 15 fps: other programs; missing: " in str(state)
    run.meter.use = MachineUse(own_share=0.4)
    run.go(40.0, 40.0)
    assert [change.text for change in run.governor.state.changes[1:]] == [
        "size 64 -> 128, rate 15 -> 30 fps: head-room again"
    ]
    assert run.governor.state.missing == ""


@pytest.mark.parametrize(("frame_ms", "missing"), [(200.0, "220 ms instead of 100"), (80.2, "101 ms instead of 100")])
def test_a_chosen_size_stays_and_what_is_missed_is_said(frame_ms: float, missing: str) -> None:
    """With process_size as a number nothing changes; the state tells by how much the promise is missed."""
    run = Run(LiveSettings("flat", process_size=192), rungs=RUNGS[-1:], at=0)
    run.go(6.0, frame_ms)
    state = run.governor.state
    assert (state.size, state.fixed, state.changes) == (192, True, ())
    assert state.missing == missing
    assert "(the size is fixed)" in str(state)
    assert state.held_share == 0.0
    assert f"of the last {state.held_of_s} s" in str(replace(state, missing=""))
    assert str(replace(state, missing="", held_of_s=60)).endswith("held in 0% of the last minute")


def test_gaming_mode_makes_the_rate_yield_and_lowers_priorities() -> None:
    """A share that even the smallest size exceeds is reached by fewer frames; the end of the game brings them back."""
    run = Run(at=0)
    run.settings.change(gaming=True)
    run.meter.use = MachineUse(own_share=0.3)
    run.go(5.0, 20.0)
    state = run.governor.state
    assert run.priority.low
    assert state.rate_fps < 30
    assert state.changes[0].text == "rate 30 -> 15 fps: at most 15%"
    run.settings.change(gaming=False)
    run.meter.use = MachineUse(own_share=0.1)
    run.go(15.0, 20.0)
    assert (run.governor.state.rate_fps, run.priority.low) == (30.0, False)


def test_while_there_is_no_picture_to_judge_nothing_changes() -> None:
    """In bypass and while no frames come, old figures are no reason to change anything."""
    run = Run()
    run.settings.change(bypass=True)
    run.go(5.0, 100.0)
    assert run.governor.state.changes == ()
    run.settings.change(bypass=False)
    run.clock.at_s += 60.0
    run.governor.tick()
    assert run.governor.state.changes == ()


def test_while_nothing_is_drawn_nothing_changes() -> None:
    """Of a room without people the person's style draws nothing, at no cost; nobody comes back to a larger one."""
    run = Run(at=0)
    draw = run.styler
    run.styler = Resting(draw)  # type: ignore[assignment]
    run.go(20.0, 0.0)
    assert draw.rung is RUNGS[0]
    run.styler = draw
    run.go(1.0, 10.0)
    assert run.governor.state.changes == ()
    run.go(14.0, 10.0)
    assert draw.rung is RUNGS[-1]


def test_a_battery_makes_it_cool() -> None:
    """A laptop that is unplugged prefers "cool", and says why."""
    run = Run()
    run.meter.use = MachineUse(on_battery=True)
    run.go(1.0, 5.0)
    assert (run.governor.state.prefer, run.governor.state.share_limit) == ("cool", 0.25)
    assert run.governor.state.policy.endswith("(on battery)")


def test_the_thread_starts_and_ends() -> None:
    """A governor that was started ends when it is closed, and can be closed twice."""
    governor = Governor(Metrics(), SharedSettings(LiveSettings("flat")), FakeMeter(), 30.0, share=0.15)
    governor.start()
    governor.close()
    governor.close()
    assert not governor._thread.is_alive()


@pytest.mark.parametrize(("rate", "styled"), [(30.0, 90), (20.0, 60), (15.0, 45), (10.0, 30), (45.0, 90)])
def test_a_pace_lets_through_what_it_should(rate: float, styled: int) -> None:
    """Of three seconds of a camera that strays from its beat by a few milliseconds, the wanted number is styled."""
    pace = Pace()
    pace.rate_fps = rate
    stray = np.random.default_rng(1).uniform(-0.004, 0.004, 90)
    times = [number / 30 + stray[number] for number in range(90)]
    through = [at_s for at_s in times if pace(Frame(FRAME, 0, at_s))]
    assert len(through) == pytest.approx(styled, abs=1)
    assert max(np.diff(through)) < 1.0 / min(rate, 30.0) + 0.045


def test_promises_are_read() -> None:
    """Rate and age can be given alone or together; the run's rate stands in for one that is not, and bounds it."""
    assert parse_promise(()) == Promise(0.0, 100.0)
    assert parse_promise(["60ms", "24 FPS"]) == Promise(24.0, 60.0)
    assert parse_promise(["60fps"]).at(30.0) == Promise(30.0, 100.0)
    assert Promise(30.0, 100.0).kept(29, 99.0)
    assert not Promise(30.0, 100.0).kept(28, 50.0)
    assert not Promise(30.0, 100.0).kept(30, 101.0)
    assert not Promise(30.0, 100.0).kept(30, None)


@pytest.mark.parametrize(("texts", "told"), [(["fast"], "30fps"), (["900fps"], "240fps"), (["30fps", "20fps"], "two")])
def test_a_wrong_promise_is_refused(texts: list[str], told: str) -> None:
    """What is no rate and no age is named, with what is allowed."""
    with pytest.raises(ConfigError, match=told):
        parse_promise(texts)


def test_a_ladder_rises() -> None:
    """Rungs are ordered by cost; full networks come down to 288 before a lite one takes over."""
    lite = [Rung("lite", size, size * size * 1.0) for size in (240, 360, 720)]
    full = [Rung("full", size, size * size * 6.0) for size in (240, 288, 360)]
    assert [str(rung) for rung in ladder([*full, *lite])] == ["lite 240", "lite 360", "full 288", "full 360"]
    assert ladder(full)[0].size == 240
    assert len(ladder([*lite, replace(lite[0], size=250)])) == 3


def test_policies_differ() -> None:
    """Gaming limits the share; "cool" does as well; a plugged machine on "auto" has no limit."""
    promise = Promise(30.0)
    assert policy_for(promise, "auto", gaming=False).share == 1.0
    assert policy_for(promise, "auto", gaming=True, share=0.1).share == 0.1
    assert policy_for(promise, "cool", gaming=True, share=0.4).share == 0.25
    assert policy_for(promise, "looks", gaming=False, on_battery=True).prefer == "looks"


def test_a_machine_can_be_read() -> None:
    """Shares of the real machine are between nothing and all."""
    use = MachineMeter().read()
    assert 0.0 <= use.own_share <= 1.0
    assert 0.0 <= use.others_share <= 1.0


class FakeNvml:
    """A driver's library that knows one busy card; `telling` makes processes known."""

    NVMLError = KeyError
    nvmlClocksThrottleReasonSwThermalSlowdown = 0x20  # noqa: N815
    nvmlClocksThrottleReasonHwThermalSlowdown = 0x40  # noqa: N815

    def __init__(self, reasons: int, processes: dict[int, int]) -> None:
        self._reasons, self._processes = reasons, processes

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:  # noqa: N802
        return number

    def nvmlDeviceGetUtilizationRates(self, device: int) -> object:  # noqa: N802
        return type("Rates", (), {"gpu": 80})

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, device: int) -> int:  # noqa: N802
        return self._reasons

    def nvmlDeviceGetProcessUtilization(self, device: int, since_us: int) -> list[object]:  # noqa: N802
        if not self._processes:
            raise KeyError("not found")
        stamp = since_us + 1
        return [type("S", (), {"pid": p, "smUtil": u, "timeStamp": stamp}) for p, u in self._processes.items()]


def test_a_gpu_is_read_through_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own and others' use and heat come from NVML; what it does not tell counts as nothing."""
    monkeypatch.setattr("os.getpid", lambda: 7)
    use = NvmlMeter(FakeNvml(0x40, {7: 30, 8: 50}), 0).read()
    assert (use.own_share, use.others_share, use.throttled) == (0.3, 0.5, True)
    silent = NvmlMeter(FakeNvml(0, {}), 0).read()
    assert (silent.own_share, silent.others_share, silent.throttled) == (0.0, 0.8, False)


def test_styler_is_what_a_ladder_opens(tmp_path: Path) -> None:
    """A rung is opened as an ordinary styler at its size."""
    styler = open_rung(RUNGS[0])
    assert isinstance(styler, Styler)
    styler.warm_up(256, 192)
    assert styler.working_size == 64
