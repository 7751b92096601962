"""The control law: from readings to a rung of the ladder and a rate. It knows no clock and no thread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from livefilter.live.governor.policy import Policy
from livefilter.live.governor.reading import Reading
from livefilter.live.governor.rung import Rung
from livefilter.live.governor.steps import Step, Steps, steps_for

# Trouble that lasts this long is no hiccup.
DOWN_AFTER_S = 0.35
# Before drawings get coarse: a browser or a game that starts takes the machine for a few seconds.
COARSE_AFTER_S = 4.0
_BREATH_S = 1.0
# Of the least rate: with fewer drawings than this, fewer lines are the lesser evil.
_FEW = 0.9
# The share of the machine is counted over seconds, not over frames.
SHARE_AFTER_S = 1.0
UP_AFTER_S = 10.0
# What was measured this soon after a change tells of the change.
SETTLE_S = 0.2
# Readings without room for less than this are hiccups, and of ten seconds' readings this part counts.
_CRAMPED_S = 1.0
_COUNTS = 0.85
# A climb that is taken back within this time has failed, and is tried again only after the second, which doubles.
_FAILED_WITHIN_S = 20.0
_RETRY_AFTER_S = 60.0
_LONGEST_RETRY_S = 1800.0
# Or when frames have become so much cheaper that the machine is another one.
_CHEAPER = 0.7
# After a step down, styling should need this part of the time at which it would step down again; a rate that yields
# already yields no further than it must.
_SAFE, _SAFE_SLOWED = 0.75, 0.875
# Of a promise, for a climb.
_MARGIN = 0.9
# Frames that take less than this part of their time are late for another reason, and no smaller size mends that.
_OURS = 0.3
# Other programs that take this part of the machine are to blame.
_BUSY = 0.2


@dataclass(frozen=True, slots=True)
class Decision:
    """What to style with from now on.

    rung: index in the ladder. rate_fps: frames to style per second. why: of the newest change, a few words.
    """

    rung: int
    rate_fps: float
    why: str = ""


@dataclass
class _Failed:
    """A climb that was taken back: how dear a frame was below it, and when it may be tried again."""

    slow_frame_ms: float
    wait_s: float
    retry_at_s: float


class ControlLaw:
    """Goes down within a second of trouble and up after ten seconds of head-room, to what readings say is affordable.

    ladder: cheapest first. start: the index that a measurement at the start suggests.
    fixed: keep that rung whatever happens; only the rate then yields to a share.
    What yields in which order: livefilter.live.governor.steps.
    """

    def __init__(self, ladder: Sequence[Rung], policy: Policy, start: int, *, fixed: bool = False) -> None:
        if not 0 <= start < len(ladder):
            raise ValueError(f"There is no rung {start} on a ladder of {len(ladder)}.")
        self._ladder = tuple(ladder)
        self._policy = policy
        self._fixed = start if fixed else None
        self._steps = self._steps_of(policy)
        self._at = self._steps.of(start)
        self._why = ""
        self._settled_at_s = -math.inf
        self._in_effect = True
        self._trouble_since_s: float | None = None
        self._trouble_at_s = -math.inf
        self._over_since_s: float | None = None
        self._cramped_since_s: float | None = None
        self._roomy: list[Reading] = []
        self._climbed: tuple[float, float] | None = None
        self._failed: dict[int, _Failed] = {}

    @property
    def decision(self) -> Decision:
        """What holds now."""
        return Decision(self._now.rung, self._policy.promise.fps * self._now.rate, self._why)

    @property
    def _now(self) -> Step:
        return self._steps.all[self._at]

    def _steps_of(self, policy: Policy) -> Steps:
        return steps_for(self._ladder, policy.least_fps / policy.promise.fps, self._fixed)

    def obey(self, policy: Policy) -> None:
        """Follow another policy from now on."""
        if policy.share > self._policy.share or policy.climb_at > self._policy.climb_at:
            self._failed.clear()
        steps = self._steps_of(policy)
        if steps != self._steps:
            self._failed.clear()
            self._steps, self._at = steps, steps.of(self._now.rung, self._now.rate)
        self._policy = policy
        self._forget()

    def pause(self) -> None:
        """Forget what led up to a change: nothing was measured for a while."""
        self._forget()
        self._in_effect = False

    def step(self, reading: Reading) -> Decision:
        """Take in one reading and say what to do; readings should come a few times a second."""
        now = reading.at_s
        if reading.rung != self._now.rung:
            return self.decision  # what was decided does not run yet
        if not self._in_effect:
            self._in_effect, self._settled_at_s = True, now + SETTLE_S
        if now < self._settled_at_s:
            return self.decision
        self._follow_share(reading)
        trouble = self._trouble(reading)
        if trouble:
            self._roomy.clear()
            self._trouble_at_s = now
            if self._trouble_since_s is None:
                self._trouble_since_s = now
            if now - self._trouble_since_s >= (COARSE_AFTER_S if self._last_resort else DOWN_AFTER_S):
                self._go_down(reading, trouble)
            return self.decision
        if not self._last_resort or now - self._trouble_at_s >= _BREATH_S:
            self._trouble_since_s = None
        if self._over_since_s is None:
            self._look_up(reading)
        return self.decision

    @property
    def _last_resort(self) -> bool:
        """Whether the next step down is one to coarse drawings."""
        return self._at == self._steps.fine > self._steps.least

    def _trouble(self, reading: Reading) -> str:
        """What is wrong with the rate or the delay, and may be mended by a smaller size; empty for nothing."""
        promise, time_ms, last = self._policy.promise, self._time_ms(self._at), self._last_resort
        if reading.slow_frame_ms > self._policy.drop_at * time_ms and not last:
            return "frames take too long"
        if reading.slow_frame_ms < _OURS * time_ms:
            return ""
        if reading.styled_fps < (_FEW if last else 0.95) * min(promise.fps * self._now.rate, reading.offered_fps):
            return "too few frames"
        if (reading.age_p95_ms or 0.0) <= promise.age_ms or self._at <= self._steps.least:
            return ""
        helps = not last or self._age_ms(reading, self._at - 1) <= promise.age_ms
        return "frames too old" if helps else ""

    def _time_ms(self, step: int) -> float:
        """What styling one frame may take at most: a period, and less than the promised age."""
        promise = self._policy.promise
        return min(1000.0 / (promise.fps * self._steps.all[step].rate), promise.age_ms)

    def _go_down(self, reading: Reading, trouble: str) -> None:
        if self._at <= self._steps.least:
            return
        target = self._at - 1
        least = self._steps.fine if self._at > self._steps.fine else self._steps.least
        while target > least and not self._safe(reading, target):
            target -= 1
        if self._climbed is not None and reading.at_s - self._climbed[0] <= _FAILED_WITHIN_S:
            before = self._failed.get(self._at)
            wait_s = min(_LONGEST_RETRY_S, 2 * before.wait_s) if before else _RETRY_AFTER_S
            self._failed[self._at] = _Failed(self._climbed[1], wait_s, reading.at_s + wait_s)
        self._change(target, self._blame(reading, trouble))

    def _blame(self, reading: Reading, trouble: str) -> str:
        if reading.throttled:
            return "the machine is hot"
        if reading.others_share >= _BUSY:
            return "other programs"
        return trouble

    def _follow_share(self, reading: Reading) -> None:
        """Yield to the share that this program may take."""
        limit, now = self._policy.share, reading.at_s
        if limit >= 1 or reading.own_share <= 1.05 * limit:
            self._over_since_s = None
            return
        if self._over_since_s is None:
            self._over_since_s = now
        if now - self._over_since_s < SHARE_AFTER_S or self._at == 0:
            return
        target = self._at - 1
        while target > 0 and self._share(reading, target) > limit:
            target -= 1
        self._change(target, self._policy.reason or f"at most {limit:.0%}")

    def _share(self, reading: Reading, step: int) -> float:
        """What this program should take of the machine at another step."""
        before, after = self._now, self._steps.all[step]
        ratio = self._ladder[after.rung].cost / self._ladder[before.rung].cost
        return reading.own_share * ratio * after.rate / before.rate

    def _look_up(self, reading: Reading) -> None:
        """Climb when ten seconds of readings, but for the dearest few, leave room above."""
        now = reading.at_s
        if self._above(reading):
            self._cramped_since_s = None
        elif self._cramped_since_s is None:
            self._cramped_since_s = now
        if self._cramped_since_s is not None and now - self._cramped_since_s >= _CRAMPED_S:
            self._roomy.clear()
            return
        self._roomy.append(reading)
        if now - self._roomy[0].at_s < UP_AFTER_S:
            return
        readings = sorted(self._roomy, key=lambda each: each.slow_frame_ms)
        worst = replace(readings[round(_COUNTS * (len(readings) - 1))], at_s=now)
        self._roomy.clear()
        above = self._above(worst)
        if above:
            self._climbed = (now, worst.slow_frame_ms)
            self._change(max(above), "head-room again", climbed=True)

    def _above(self, reading: Reading) -> list[int]:
        """The steps above that the reading says are affordable, without a gap."""
        found: list[int] = []
        for step in range(self._at + 1, len(self._steps.all)):
            if not self._affordable(reading, step):
                break
            found.append(step)
        return found

    def _affordable(self, reading: Reading, step: int) -> bool:
        policy = self._policy
        failed = self._failed.get(step)
        cheaper = failed is not None and reading.slow_frame_ms < _CHEAPER * failed.slow_frame_ms
        if failed is not None and reading.at_s < failed.retry_at_s and not cheaper:
            return False
        if policy.share < 1 and self._share(reading, step) > _MARGIN * policy.share:
            return False
        if self._fixed is not None:
            return True  # late or not, the user chose it
        time_ms, slow_ms, age_ms = self._time_ms(step), self._slow_ms(reading, step), self._age_ms(reading, step)
        if self._at < step <= self._steps.fine:  # out of the last resort as soon as may be
            late = (reading.age_p95_ms or 0.0) > policy.promise.age_ms  # with fewer lines too
            return slow_ms <= policy.drop_at * time_ms and (late or age_ms <= policy.promise.age_ms)
        larger = self._steps.all[step].rung != self._now.rung
        if larger and self._frame_ms(reading, step) > policy.climb_at * time_ms:
            return False
        return self._safe(reading, step) and age_ms <= _MARGIN * policy.promise.age_ms

    def _safe(self, reading: Reading, step: int) -> bool:
        """Whether frames should fit into their time at another step, with something to spare."""
        part = _SAFE if self._steps.all[step].rate == 1 else _SAFE_SLOWED
        return self._slow_ms(reading, step) <= part * self._policy.drop_at * self._time_ms(step)

    def _frame_ms(self, reading: Reading, step: int) -> float:
        """What a frame should take at another step: the network's time grows with its cost, the rest stays."""
        ratio = self._ladder[self._steps.all[step].rung].cost / self._ladder[self._now.rung].cost
        return reading.frame_ms + reading.inference_ms * (ratio - 1)

    def _slow_ms(self, reading: Reading, step: int) -> float:
        return self._frame_ms(reading, step) * reading.slow_frame_ms / max(reading.frame_ms, 1e-3)

    def _age_ms(self, reading: Reading, step: int) -> float:
        return (reading.age_p95_ms or 0.0) + self._slow_ms(reading, step) - reading.slow_frame_ms

    def _change(self, step: int, why: str, *, climbed: bool = False) -> None:
        self._at, self._why = step, why
        if not climbed:
            self._climbed = None
        self._in_effect = False
        self._forget()

    def _forget(self) -> None:
        self._trouble_since_s = self._over_since_s = self._cramped_since_s = None
        self._roomy.clear()
