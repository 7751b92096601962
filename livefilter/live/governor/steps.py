"""The order in which pictures yield: which size at which rate, from the cheapest to the dearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livefilter.live.governor.rung import Rung

# Parts of the promised rate at which motion stays even: every frame, two of three, every second, and so on.
RATES = (1.0, 2 / 3, 1 / 2, 1 / 3, 1 / 4, 1 / 6)
# Drawn smaller than this, the faces of a webcam lose an eye and lines look thick: people rather have fewer drawings.
COARSE = 240


@dataclass(frozen=True, slots=True)
class Step:
    """One way to go on: index of a rung in the ladder, and the part of the promised rate at which frames are drawn."""

    rung: int
    rate: float


@dataclass(frozen=True, slots=True)
class Steps:
    """all: cheapest first. least: index of the lowest one that late frames lead to; those below are for shares alone.

    fine: index of the lowest one that is not coarse, which is not left lightly; `least` where nothing is to be kept.
    """

    all: tuple[Step, ...]
    least: int
    fine: int

    def of(self, rung: int, rate: float = 1.0) -> int:
        """The index of the step with this rung whose rate comes nearest to `rate`."""
        return min(
            (index for index, step in enumerate(self.all) if step.rung == rung),
            key=lambda index: abs(self.all[index].rate - rate),
        )


def steps_for(ladder: Sequence[Rung], least_part: float, fixed: int | None = None) -> Steps:
    """From the top: size down to COARSE, then the rate down to `least_part` of the promised one, then the sizes below.

    Last of all the rate yields further, at the smallest size. Where the largest size is below COARSE, sizes go first.

    ladder: cheapest first. least_part: 0 keeps the whole rate at any size. fixed: a rung that stays; then only the
        rate yields, and only to a share.
    """
    if fixed is not None:
        return Steps(tuple(Step(fixed, rate) for rate in sorted(RATES)), len(RATES) - 1, len(RATES) - 1)
    fine = next((index for index, rung in enumerate(ladder) if rung.size >= COARSE), 0)
    kept = [rate for rate in RATES if rate >= (least_part or 1.0) - 1e-6]
    down = [Step(rung, 1.0) for rung in range(len(ladder) - 1, fine, -1)]
    down += [Step(fine, rate) for rate in kept]
    down += [Step(rung, kept[-1]) for rung in range(fine - 1, -1, -1)]
    beyond = [Step(0, rate) for rate in RATES if rate < kept[-1]]
    return Steps(tuple(reversed([*down, *beyond])), len(beyond), len(beyond) + (fine if least_part else 0))
