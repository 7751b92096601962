"""The steps between which the governor chooses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Below this size even a full network loses the eyes of small faces, which a lite one of 360 lines still has.
SMALLEST_FULL = 288


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to style: a network at a size.

    network: "lite" or "full", or empty where there is only one. size: shorter side in pixels.
    cost: multiply-accumulates of one frame, or anything that grows as they do.
    """

    network: str
    size: int
    cost: float

    def __str__(self) -> str:
        return f"{self.network} {self.size}".strip()


def ladder(rungs: Iterable[Rung]) -> tuple[Rung, ...]:
    """Rungs from the cheapest to the dearest, each of which looks better than the one before.

    Size is the less visible lever, so full networks come down to SMALLEST_FULL before a lite one takes over; a lite
    one that costs as much as that has no place.
    """
    given = list(rungs)
    full = sorted((rung for rung in given if rung.network == "full"), key=lambda rung: rung.cost)
    rest = sorted((rung for rung in given if rung.network != "full"), key=lambda rung: rung.cost)
    if not rest:
        return _rising(full)
    full = [rung for rung in full if rung.size >= SMALLEST_FULL]
    least = full[0].cost if full else float("inf")
    return _rising([*(rung for rung in rest if rung.cost < least), *full])


def _rising(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """Without those that cost no more than the one before: two sizes may come out as the same picture."""
    kept: list[Rung] = []
    for rung in rungs:
        if not kept or rung.cost > kept[-1].cost:
            kept.append(rung)
    return tuple(kept)
