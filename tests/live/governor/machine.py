"""A machine made of arithmetic, on which the control law runs without any time passing."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from livefilter.live.governor.law import ControlLaw, Decision
from livefilter.live.governor.policy import Policy
from livefilter.live.governor.reading import Reading
from livefilter.live.governor.rung import Rung

TICK_S = 0.2
SIZES = (192, 240, 288, 360, 480, 540, 720)
LADDER = tuple(Rung("lite", size, float(size * size * 16 // 9)) for size in SIZES)


@dataclass
class Machine:
    """Two cores that style one frame at a time.

    around_ms: scaling and the like. unit_ms: the network at the smallest rung on a quiet machine.
    power: how its time grows with a rung's cost; 1 is what the law reckons with. noise: of a reading, as a part.
    lag_ticks: readings until a decided rung runs.
    """

    around_ms: float
    unit_ms: float
    power: float = 1.0
    noise: float = 0.0
    lag_ticks: int = 0
    offered_fps: float = 30.0
    ladder: tuple[Rung, ...] = LADDER
    seed: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def frame_ms(self, rung: int, load: float) -> float:
        """What a frame takes while other programs take `load` of the machine."""
        network = self.unit_ms * (self.ladder[rung].cost / self.ladder[0].cost) ** self.power
        return float((self.around_ms + network) / (1.0 - load))

    def read(self, at_s: float, decision: Decision, rung: int, load: float) -> Reading:
        """The reading of a moment at which `rung` runs."""
        frame_ms = self.frame_ms(rung, load) * (1.0 + self._random.uniform(-self.noise, self.noise))
        styled_fps = min(self.offered_fps, decision.rate_fps, 1000.0 / frame_ms)
        network_ms = frame_ms - self.around_ms / (1.0 - load)
        # A core's worth of work, on two cores, less what others make it wait.
        share = min(1.0, 0.02 + styled_fps * frame_ms * (1.0 - load) / 1000.0 / 2)
        waits = max(0.0, frame_ms - 1000.0 / self.offered_fps)
        return Reading(
            at_s,
            rung,
            self.offered_fps,
            styled_fps,
            frame_ms * 1.3 + waits + 18.0,
            frame_ms,
            frame_ms * 1.2,
            max(0.1, network_ms),
            share,
            load,
        )


@dataclass(frozen=True)
class Moment:
    """What held during one tick."""

    at_s: float
    reading: Reading
    decision: Decision


def play(
    machine: Machine, policy: Policy, start: int, seconds: float, load: Callable[[float], float], *, fixed: bool = False
) -> list[Moment]:
    """Run the law on the machine for so many seconds of its own time."""
    law = ControlLaw(machine.ladder, policy, start, fixed=fixed)
    decision, running, waited = law.decision, start, 0
    moments: list[Moment] = []
    for tick in range(round(seconds / TICK_S)):
        at_s = tick * TICK_S
        waited = 0 if running == decision.rung else waited + 1
        if waited > machine.lag_ticks:
            running, waited = decision.rung, 0
        reading = machine.read(at_s, decision, running, load(at_s))
        decision = law.step(reading)
        moments.append(Moment(at_s, reading, decision))
    return moments


def changes(moments: list[Moment]) -> list[tuple[float, int, float]]:
    """When the decision changed, and to what."""
    found = []
    for before, after in pairwise(moments):
        if (before.decision.rung, before.decision.rate_fps) != (after.decision.rung, after.decision.rate_fps):
            found.append((after.at_s, after.decision.rung, after.decision.rate_fps))
    return found
