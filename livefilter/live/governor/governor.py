"""Watches a live run and its machine, and steers size, network and rate."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from livefilter.closeable import Closeable
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.governor.law import ControlLaw, Decision
from livefilter.live.governor.meters import MachineUse
from livefilter.live.governor.pace import Pace
from livefilter.live.governor.policy import Policy, policy_for
from livefilter.live.governor.priority import Priority
from livefilter.live.governor.promise import parse_promise
from livefilter.live.governor.reading import Reading
from livefilter.live.governor.rung import Rung
from livefilter.live.governor.state import GovernorChange, GovernorState
from livefilter.metrics import Metrics, Recent

_log = logging.getLogger(__name__)

TICK_S = 0.2
_WINDOW_S = 1.0
_LEAST_WINDOW_S = 0.4
_JOIN_S = 5.0
_KEPT_SECONDS = 60
_KEPT_CHANGES = 20
_MISSING_OF = 5
# Styling, the wait for the beat and the reserve take a period each at most, less what styling seldom needs.
_RESERVE_PERIODS = 2.5


class Meter(Protocol):
    """What tells of the machine, as livefilter.live.governor.meters.MachineMeter does."""

    def read(self) -> MachineUse: ...


class Governor(Closeable):
    """Runs the control law on a thread of its own, from `start` to `close`.

    fps: the rate of the run. share: of the machine, in gaming mode. meter: tells of the machine.
    game_runs: asked often; gaming mode is on while it says so. clock: the one of `metrics` and of the frames.
    """

    def __init__(
        self,
        metrics: Metrics,
        settings: SharedSettings,
        meter: Meter,
        fps: float,
        *,
        share: float,
        priority: Priority | None = None,
        game_runs: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.pace = Pace()
        self._metrics = metrics
        self._settings = settings
        self._meter = meter
        self._fps = fps
        self._share = share
        self._priority = priority or Priority()
        self._game_runs = game_runs
        self._clock = clock
        self._began_s = self._since_s = clock()
        self._styler: LadderStyler | None = None
        self._rungs: tuple[Rung, ...] = ()
        self._law: ControlLaw | None = None
        self._asked: tuple[Rung, float] | None = None
        self._shown: tuple[Rung, float] | None = None
        self._policy = self._wanted_policy(settings.current, MachineUse())
        self._changes: deque[GovernorChange] = deque(maxlen=_KEPT_CHANGES)
        self._held: deque[bool] = deque(maxlen=_KEPT_SECONDS)
        self._missed: deque[str] = deque(maxlen=_MISSING_OF)
        self._second_s = self._began_s
        self._state = GovernorState(str(self._policy), fps, self._policy.promise.age_ms)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="governor", daemon=True)

    @property
    def state(self) -> GovernorState:
        """The newest state; any thread may ask."""
        return self._state

    @property
    def age_s(self) -> float:
        """Seconds since the start of the run, as the state's changes count them."""
        return self._clock() - self._began_s

    @property
    def styler(self) -> LadderStyler | None:
        """What styles now; None before the first frame."""
        return self._styler

    @property
    def fixed(self) -> bool:
        """Whether the user chose the size."""
        return self._settings.current.process_size != 0

    def may_reserve(self) -> bool:
        """Whether the promised age leaves a period for a frame in reserve, see livefilter.live.steady_queue."""
        return self._policy.promise.age_ms >= _RESERVE_PERIODS * 1000.0 / self._fps

    def follow(self, styler: LadderStyler) -> None:
        """Steer this one, which styles now."""
        self._styler = styler

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the thread. Can be called twice."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            while not self._ending.wait(TICK_S):
                self.breathe()
        except Exception:  # the run goes on as it is, and whoever reads the log learns why it breathes no more
            _log.exception("The governor stopped; size and rate stay as they are")

    def breathe(self) -> None:
        """Look once and act, and open one engine that may be needed soon."""
        self.tick()
        if self._styler is not None and self._styler.prepare():
            self._since_s = self._clock()  # opening an engine took the machine from the frames meanwhile

    def tick(self) -> None:
        """Look once and act."""
        now, use, styler = self._clock(), self._meter.read(), self._styler
        self._obey(self._wanted_policy(self._settings.current, use))
        if styler is None:
            return
        self._priority.follow(self._policy.gaming, styler.thread_id)
        law = self._law_of(styler)
        wanted = self._settings.current
        shown = (styler.rung, law.decision.rate_fps)
        if shown != self._shown:
            self._shown, self._since_s = shown, now
        start = max(self._since_s, now - _WINDOW_S)
        recent = self._metrics.since(start)
        if wanted.bypass or wanted.frozen or styler.rests or not recent.captured:
            self._since_s = now
            law.pause()
            decision = law.decision
        elif now - start < _LEAST_WINDOW_S:
            decision = law.decision
        else:
            decision = law.step(self._reading(now, start, recent, shown, use))
            self._count_second(now)
        self._steer(now, styler, decision)
        self._publish(styler, decision, use)

    def _wanted_policy(self, wanted: LiveSettings, use: MachineUse) -> Policy:
        promise = parse_promise(wanted.hold).at(self._fps)
        return policy_for(
            promise,
            wanted.prefer,
            gaming=wanted.gaming or self._game_runs(),
            share=self._share,
            on_battery=use.on_battery,
        )

    def _obey(self, policy: Policy) -> None:
        if policy != self._policy:
            _log.info("Governor: %s", policy)
            self._policy = policy
            self._held.clear()
            if self._law is not None:
                self._law.obey(policy)

    def _law_of(self, styler: LadderStyler) -> ControlLaw:
        """The law for what is on screen; another style, or a rung that could not be opened, makes another ladder."""
        if self._law is None or styler.rungs != self._rungs:
            self._rungs, self._asked = styler.rungs, None
            self._law = ControlLaw(self._rungs, self._policy, self._rungs.index(styler.rung), fixed=self.fixed)
        return self._law

    def _reading(self, now: float, start: float, recent: Recent, shown: tuple[Rung, float], use: MachineUse) -> Reading:
        rung, rate_fps = shown
        stages = (recent.durations_ms[stage] for stage in ("preprocess", "inference", "postprocess"))
        frames = [sum(parts) for parts in zip(*stages, strict=False)]
        inference = recent.durations_ms["inference"]
        if not frames:
            frames = inference = [(now - start) * 1000.0]  # one frame takes longer than this
        ages = recent.durations_ms["age"]
        return Reading(
            now,
            self._rungs.index(rung),
            _rate(recent.captured, now, self._fps),
            _rate(recent.styled, now, min(self._fps, rate_fps)),
            float(np.percentile(ages, 95)) if ages else None,
            statistics.median(frames),
            float(np.percentile(frames, 90)),
            statistics.median(inference),
            use.own_share,
            use.others_share,
            use.throttled,
        )

    def _steer(self, now: float, styler: LadderStyler, decision: Decision) -> None:
        rung = self._rungs[decision.rung]
        styler.want(rung)
        if self._settings.current.bypass:
            self.pace.rate_fps = float("inf")
            return
        # A whole rate lets everything through, also from a camera that is faster than it says.
        self.pace.rate_fps = decision.rate_fps if decision.rate_fps < self._policy.promise.fps else self._full_rate()
        asked = (rung, decision.rate_fps)
        if self._asked is not None and asked != self._asked:
            text = _change(self._asked, asked, decision.why)
            _log.info("%s", text)
            self._settings.change(notice=text[0].upper() + text[1:])
            self._changes.append(GovernorChange(round(now - self._began_s, 2), text))
        self._asked = asked

    def _full_rate(self) -> float:
        """A promise below the run's rate is a wish to style no more than that."""
        return self._policy.promise.fps if self._policy.promise.fps < 0.99 * self._fps else float("inf")

    def _count_second(self, now: float) -> None:
        """Note once a second whether the promise was kept."""
        if now - self._second_s < 1.0:
            return
        ages = self._metrics.since(now - 1.0).durations_ms["age"]
        self._second_s = now
        age_ms = float(np.percentile(ages, 95)) if ages else None
        promise = self._policy.promise
        kept = promise.kept(len(ages), age_ms)
        self._held.append(kept)
        if age_ms is not None and age_ms > promise.age_ms:
            # Never the promised number itself: a tenth of a millisecond too late is said as a whole one.
            missed = f"{max(round(age_ms), int(promise.age_ms) + 1)} ms instead of {promise.age_ms:g}"
        else:
            missed = f"{len(ages)} of {promise.fps:g} fps"
        self._missed.append("" if kept else missed)

    def _publish(self, styler: LadderStyler, decision: Decision, use: MachineUse) -> None:
        policy, rung = self._policy, styler.rung
        missed = [text for text in self._missed if text]
        often = len(missed) > _MISSING_OF // 2
        self._state = GovernorState(
            policy=f"{policy} ({policy.reason})" if policy.reason else str(policy),
            promised_fps=policy.promise.fps,
            promised_age_ms=policy.promise.age_ms,
            prefer=policy.prefer,
            gaming=policy.gaming,
            share_limit=policy.share,
            own_share=round(use.own_share, 3),
            others_share=round(use.others_share, 3),
            size=rung.size,
            network=rung.network,
            rate_fps=decision.rate_fps,
            sizes=tuple(sorted({rung.size for rung in self._rungs})),
            fixed=self.fixed,
            why=decision.why,
            changes=tuple(self._changes),
            held_share=sum(self._held) / len(self._held) if self._held else None,
            held_of_s=len(self._held),
            missing=missed[-1] if often else "",
        )


def _rate(times: Sequence[float], now: float, fps: float) -> float:
    """Frames per second by the time between them, so that the edges of a short window do not count."""
    if len(times) < 2:
        return float(len(times))
    span_s = max(times[-1], now - 1.5 / fps) - times[0]
    return (len(times) - 1) / span_s if span_s > 0 else 0.0


def _change(before: tuple[Rung, float], after: tuple[Rung, float], why: str) -> str:
    """A change in five words or so."""
    (old, old_fps), (new, new_fps) = before, after
    what = []
    if old.network != new.network:
        what.append(f"{old} -> {new}")
    elif old.size != new.size:
        what.append(f"size {old.size} -> {new.size}")
    if old_fps != new_fps:
        what.append(f"rate {old_fps:.3g} -> {new_fps:.3g} fps")
    return ", ".join(what) + (f": {why}" if why else "")
