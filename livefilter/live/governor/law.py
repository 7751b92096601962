"""The control law: from readings to a rung of the ladder and a rate. It knows no clock and no thread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from livefilter.live.governor.policy import Policy
from livefilter.live.governor.reading import Reading
from livefilter.live.governor.rung import Rung

# Trouble that lasts this long is no hiccup.
DOWN_AFTER_S = 0.35
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
# After a step down, styling should need this part of the time at which it would step down again.
_SAFE = 0.75
# Of a promise, for a climb.
_MARGIN = 0.9
# Frames that take less than this part of their time are late for another reason, and no smaller size mends that.
_OURS = 0.3
# Parts of the promised rate at which motion stays even: every frame, two of three, every second, and so on.
RATES = (1.0, 2 / 3, 1 / 2, 1 / 3, 1 / 4, 1 / 6)
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
    """

    def __init__(self, ladder: Sequence[Rung], policy: Policy, start: int, *, fixed: bool = False) -> None:
        if not 0 <= start < len(ladder):
            raise ValueError(f"There is no rung {start} on a ladder of {len(ladder)}.")
        self._ladder = tuple(ladder)
        self._policy = policy
        self._fixed = fixed
        self._rung = start
        self._rate = 0
        self._why = ""
        self._settled_at_s = -math.inf
        self._in_effect = True
        self._trouble_since_s: float | None = None
        self._over_since_s: float | None = None
        self._cramped_since_s: float | None = None
        self._roomy: list[Reading] = []
        self._climbed: tuple[float, float] | None = None
        self._failed: dict[int, _Failed] = {}

    @property
    def decision(self) -> Decision:
        """What holds now."""
        return Decision(self._rung, self._policy.promise.fps * RATES[self._rate], self._why)

    def obey(self, policy: Policy) -> None:
        """Follow another policy from now on."""
        if policy.share > self._policy.share or policy.climb_at > self._policy.climb_at:
            self._failed.clear()
        self._policy = policy
        self._forget()

    def pause(self) -> None:
        """Forget what led up to a change: nothing was measured for a while."""
        self._forget()
        self._in_effect = False

    def step(self, reading: Reading) -> Decision:
        """Take in one reading and say what to do; readings should come a few times a second."""
        now = reading.at_s
        if reading.rung != self._rung:
            return self.decision  # what was decided does not run yet
        if not self._in_effect:
            self._in_effect, self._settled_at_s = True, now + SETTLE_S
        if now < self._settled_at_s:
            return self.decision
        self._follow_share(reading)
        trouble = self._trouble(reading)
        if trouble:
            self._roomy.clear()
            if self._trouble_since_s is None:
                self._trouble_since_s = now
            if now - self._trouble_since_s >= DOWN_AFTER_S:
                self._go_down(reading, trouble)
            return self.decision
        self._trouble_since_s = None
        if self._over_since_s is None:
            self._look_up(reading)
        return self.decision

    def _trouble(self, reading: Reading) -> str:
        """What is wrong with the rate or the delay, and may be mended by a smaller size; empty for nothing."""
        promise, time_ms = self._policy.promise, self._time_ms
        if reading.slow_frame_ms > self._policy.drop_at * time_ms:
            return "frames take too long"
        if reading.slow_frame_ms < _OURS * time_ms:
            return ""
        if reading.styled_fps < 0.95 * min(promise.fps * RATES[self._rate], reading.offered_fps):
            return "too few frames"
        if reading.age_p95_ms is not None and reading.age_p95_ms > promise.age_ms:
            return "frames too old"
        return ""

    @property
    def _time_ms(self) -> float:
        """What styling one frame may take at most: a period, and less than the promised age."""
        promise = self._policy.promise
        return min(1000.0 / (promise.fps * RATES[self._rate]), promise.age_ms)

    def _go_down(self, reading: Reading, trouble: str) -> None:
        if self._fixed or self._rung == 0:
            return
        goal = _SAFE * self._policy.drop_at * self._time_ms
        target = self._rung - 1
        while target > 0 and self._slow_ms(reading, target) > goal:
            target -= 1
        if self._climbed is not None and reading.at_s - self._climbed[0] <= _FAILED_WITHIN_S:
            before = self._failed.get(self._rung)
            wait_s = min(_LONGEST_RETRY_S, 2 * before.wait_s) if before else _RETRY_AFTER_S
            self._failed[self._rung] = _Failed(self._climbed[1], wait_s, reading.at_s + wait_s)
        self._change(target, self._rate, self._blame(reading, trouble))

    def _blame(self, reading: Reading, trouble: str) -> str:
        if reading.throttled:
            return "the machine is hot"
        if reading.others_share >= _BUSY:
            return "other programs"
        return trouble

    def _follow_share(self, reading: Reading) -> None:
        """Yield size, then rate, to the share that this program may take; take the rate back first."""
        limit, now = self._policy.share, reading.at_s
        if limit >= 1 and self._rate == 0:
            self._over_since_s = None
            return
        if reading.own_share <= 1.05 * limit:
            self._over_since_s = None
            return
        if self._over_since_s is None:
            self._over_since_s = now
        if now - self._over_since_s < SHARE_AFTER_S:
            return
        why = self._policy.reason or f"at most {limit:.0%}"
        cost = self._ladder[self._rung].cost
        if self._rung > 0 and not self._fixed:
            target = self._rung - 1
            while target > 0 and reading.own_share * self._ladder[target].cost / cost > limit:
                target -= 1
            self._change(target, self._rate, why)
        elif self._rate < len(RATES) - 1:
            rate = self._rate + 1
            while rate < len(RATES) - 1 and reading.own_share * RATES[rate] / RATES[self._rate] > limit:
                rate += 1
            self._change(self._rung, rate, why)

    def _look_up(self, reading: Reading) -> None:
        """Climb when ten seconds of readings, but for the dearest few, leave room above."""
        now = reading.at_s
        if self._rate > 0 or self._above(reading):
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
        if self._rate > 0:
            self._take_back_rate(worst)
        else:
            rungs = self._above(worst)
            if rungs:
                self._climbed = (now, worst.slow_frame_ms)
                self._change(max(rungs), self._rate, "head-room again", climbed=True)

    def _take_back_rate(self, reading: Reading) -> None:
        for rate in range(self._rate):
            share = reading.own_share * RATES[rate] / RATES[self._rate]
            slow = reading.slow_frame_ms <= self._policy.drop_at * 1000.0 / (self._policy.promise.fps * RATES[rate])
            if share <= _MARGIN * self._policy.share and slow:
                self._change(self._rung, rate, "head-room again")
                return

    def _above(self, reading: Reading) -> list[int]:
        """The rungs above that the reading says are affordable, without a gap."""
        found: list[int] = []
        if self._fixed:
            return found
        for rung in range(self._rung + 1, len(self._ladder)):
            if not self._affordable(reading, rung):
                break
            found.append(rung)
        return found

    def _affordable(self, reading: Reading, rung: int) -> bool:
        policy, time_ms = self._policy, self._time_ms
        failed = self._failed.get(rung)
        cheaper = failed is not None and reading.slow_frame_ms < _CHEAPER * failed.slow_frame_ms
        if failed is not None and reading.at_s < failed.retry_at_s and not cheaper:
            return False
        frame_ms, slow_ms = self._frame_ms(reading, rung), self._slow_ms(reading, rung)
        share = reading.own_share * self._ladder[rung].cost / self._ladder[self._rung].cost
        age_ms = (reading.age_p95_ms or 0.0) + slow_ms - reading.slow_frame_ms
        return (
            frame_ms <= policy.climb_at * time_ms
            and slow_ms <= _SAFE * policy.drop_at * time_ms
            and age_ms <= _MARGIN * policy.promise.age_ms
            and (policy.share >= 1 or share <= _MARGIN * policy.share)
        )

    def _frame_ms(self, reading: Reading, rung: int) -> float:
        """What a frame should take at another rung: the network's time grows with its cost, the rest stays."""
        ratio = self._ladder[rung].cost / self._ladder[self._rung].cost
        return reading.frame_ms + reading.inference_ms * (ratio - 1)

    def _slow_ms(self, reading: Reading, rung: int) -> float:
        return self._frame_ms(reading, rung) * reading.slow_frame_ms / max(reading.frame_ms, 1e-3)

    def _change(self, rung: int, rate: int, why: str, *, climbed: bool = False) -> None:
        self._rung, self._rate, self._why = rung, rate, why
        if not climbed:
            self._climbed = None
        self._in_effect = False
        self._forget()

    def _forget(self) -> None:
        self._trouble_since_s = self._over_since_s = self._cramped_since_s = None
        self._roomy.clear()
