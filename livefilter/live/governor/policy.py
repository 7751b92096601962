"""How the governor weighs looks against speed and against everything else that the machine does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from livefilter.live.governor.promise import Promise

Prefer: TypeAlias = Literal["auto", "looks", "speed", "cool"]

GAMING_SHARE = 0.15
# What a laptop on battery, or one that would rather stay quiet, gives to the filter.
_COOL_SHARE = 0.25
# Parts of a frame's time: a larger picture is taken where styling it should need at most the first, and a smaller
# one where styling needs more than the second. Between them nothing changes.
_BANDS: dict[str, tuple[float, float]] = {
    "auto": (0.5, 0.8),
    "looks": (0.62, 0.9),
    "speed": (0.35, 0.65),
    "cool": (0.5, 0.8),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What the control law obeys, for a run of a known rate.

    promise: with its rate filled in. least_fps: the rate may come down to this before sizes do below steps.COARSE;
        0: it does not. share: the most of the machine's CPU or GPU that this program may take, 0 to 1.
    climb_at, drop_at: parts of a frame's time, see `policy_for`.
    reason: in a word or two, why share or preference are not what was asked for; empty when they are.
    """

    promise: Promise
    least_fps: float
    prefer: Prefer = "auto"
    gaming: bool = False
    share: float = 1.0
    climb_at: float = 0.5
    drop_at: float = 0.8
    reason: str = ""

    def __str__(self) -> str:
        limits = f", at most {self.share:.0%}" if self.share < 1 else ""
        name = "gaming" if self.gaming else self.prefer
        return f"{name}: hold {self.promise}{limits}"


def policy_for(
    promise: Promise, prefer: Prefer, *, gaming: bool, share: float = GAMING_SHARE, on_battery: bool = False
) -> Policy:
    """The policy for what was asked for, on this power supply.

    promise: with its rate filled in. share: of CPU or GPU, in gaming mode. on_battery: "auto" is then "cool".
    """
    reason = ""
    if prefer == "auto" and on_battery:
        prefer, reason = "cool", "on battery"
    climb_at, drop_at = _BANDS[prefer]
    limit = share if gaming else 1.0
    if prefer == "cool":
        limit = min(limit, _COOL_SHARE)
    least_fps = 0.0 if prefer == "speed" else promise.least_fps
    return Policy(promise, least_fps, prefer, gaming, limit, climb_at, drop_at, reason)
