"""Runs the live pipeline under the load of a game night, once for each way to choose the size."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import psutil

from livefilter.bench.load import GAME_STEPS, STEP_S, Load, LoadStep
from livefilter.config import Config
from livefilter.live.compose import Live, compose_live
from livefilter.live.governor.promise import Promise
from livefilter.metrics import Recent

# The output's beat moves to the moment at which frames become ready; until it is there a run says little.
_SETTLE_S = 9.0
_SMALL, _LARGE = 240, 720


@dataclass(frozen=True, slots=True)
class Entrant:
    """One way to choose the size.

    name: for tables and plots. config: of its run. governed: whether the governor may act.
    """

    name: str
    config: Config
    governed: bool


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a run.

    at_s: its end, since the first step. step: index of the load's step. fps: new frames that were sent.
    age_p95_ms: None when there was no new one. gap_ms: the longest time between two frames sent, repeats included.
    size: shorter side at its end. kept: whether the promise was. cpu_share: this program's part of the machine.
    others_share: of everything but this program and the load.
    """

    at_s: float
    step: int
    fps: float
    age_p95_ms: float | None
    gap_ms: float
    size: int
    kept: bool
    cpu_share: float
    others_share: float


@dataclass
class LoadedRun:
    """What was measured of one entrant; changes: (seconds since the first step, words)."""

    entrant: Entrant
    promise: Promise
    seconds: list[Second] = field(default_factory=list)
    ages_ms: list[float] = field(default_factory=list)
    changes: list[tuple[float, str]] = field(default_factory=list)

    @property
    def loaded(self) -> list[Second]:
        """The seconds of the load proper."""
        return [second for second in self.seconds if second.step < GAME_STEPS]


def entrants(config: Config) -> list[Entrant]:
    """Governed, without and with a rate that stays whole, measured at the start, and two fixed sizes.

    A chosen process_size of `config` does not count, nor does hold for the second.
    """
    auto = config.model_copy(update={"process_size": "auto"})
    with closing_live(auto) as live:
        measured = live.facts.styler.working_size
        large = min(_LARGE, config.width, config.height)
        whole = auto.model_copy(update={"hold": (f"{live.governor.state.promised_fps:g}fps",)})

    def fixed(size: int) -> Config:
        return config.model_copy(update={"process_size": size})

    return [
        Entrant("governed", auto, True),
        Entrant(f"governed, --hold {whole.hold[0]}", whole, True),
        Entrant(f"measured at the start ({measured})", fixed(measured), False),
        Entrant(f"fixed small ({_SMALL})", fixed(_SMALL), False),
        Entrant(f"fixed large ({large})", fixed(large), False),
    ]


class closing_live:  # noqa: N801
    """Composes a run and takes it apart again, whether or not it was started."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def __enter__(self) -> Live:
        self._live = compose_live(self._config, _NoKeys())
        self._live.pipeline.start()
        return self._live

    def __exit__(self, *_: object) -> None:
        self._live.pipeline.stop()
        self._live.pipeline.join()


def run_loaded(
    entrant: Entrant, steps: Sequence[LoadStep], stop: threading.Event, told: Callable[[Second], None]
) -> LoadedRun:
    """Run one entrant through every step; ends early on `stop`.

    Raises: LivefilterError: the run failed.
    """
    with closing_live(entrant.config) as live, closing(Load()) as load:
        governor = live.governor
        run = LoadedRun(entrant, Promise(governor.state.promised_fps, governor.state.promised_age_ms))
        stop.wait(_SETTLE_S)
        watch = _Watch(live, load, run)
        for number, step in enumerate(steps):
            load.begin(step)
            ends_s = watch.began_s + (number + 1) * STEP_S
            while not stop.is_set() and time.perf_counter() < ends_s - 0.05:
                stop.wait(max(0.0, watch.next_s - time.perf_counter()))
                told(watch.second(number))
        run.changes = [
            (round(change.at_s - watch.began_after_s, 2), change.text)
            for change in governor.state.changes
            if change.at_s >= watch.began_after_s
        ]
    return run


class _Watch:
    """Looks at a run once a second."""

    def __init__(self, live: Live, load: Load, run: LoadedRun) -> None:
        self._live, self._load, self._run = live, load, run
        self._process = psutil.Process()
        self.began_s = self._seen_s = time.perf_counter()
        self.began_after_s = live.governor.age_s
        self._cpu = self._cpu_now()
        self._last_sent_s = self.began_s

    @property
    def next_s(self) -> float:
        return self.began_s + len(self._run.seconds) + 1.0

    def second(self, step: int) -> Second:
        now = time.perf_counter()
        recent = self._live.pipeline.metrics.since(self._seen_s)
        own_s, load_s, all_s = self._cpu_now()
        span_s, cores = now - self._seen_s, psutil.cpu_count() or 1
        before = self._cpu
        self._seen_s, self._cpu = now, (own_s, load_s, all_s)
        ages = recent.durations_ms["age"]
        fps = len(recent.new) / span_s
        age_ms = float(np.percentile(ages, 95)) if ages else None
        own = (own_s - before[0]) / (span_s * cores)
        programs = max(0.0, load_s - before[1]) / (span_s * cores)
        busy = (all_s - before[2]) / (span_s * cores)
        second = Second(
            round(now - self.began_s, 2),
            step,
            round(fps, 2),
            round(age_ms, 1) if age_ms is not None else None,
            round(self._gap_ms(recent), 1),
            self._live.facts.styler.working_size,
            self._run.promise.kept(fps, age_ms),
            round(own, 3),
            round(max(0.0, busy - own - programs), 3),
        )
        self._run.seconds.append(second)
        self._run.ages_ms.extend(ages)
        return second

    def _gap_ms(self, recent: Recent) -> float:
        moments = [self._last_sent_s, *recent.sent]
        self._last_sent_s = moments[-1]
        return float(np.diff(moments).max()) * 1000.0 if len(moments) > 1 else 1000.0

    def _cpu_now(self) -> tuple[float, float, float]:
        own, times = self._process.cpu_times(), psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        return own.user + own.system, self._load.cpu_s(), sum(times) - idle


class _NoKeys:
    def read(self) -> list[str]:
        return []
