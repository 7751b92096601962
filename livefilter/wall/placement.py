"""Which machine takes a stream: the one whose load is the lowest with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from livefilter.wall.cost import Cost


@dataclass(frozen=True, slots=True)
class Place:
    """A machine: Ray's number for it, its name, and what it has."""

    node: str
    host: str
    cores: int
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What a stream takes now, and where. gpu: the number of the GPU there."""

    node: str
    gpu: int
    cost: Cost


def load_of(place: Place, taken: Iterable[Taken], gpu: int = 0, more: Cost | None = None) -> float:
    """How full a machine is, 1 being all of its cores or all of that GPU; with `more` on it."""
    cores, share = (more.cores, more.gpu) if more else (0.0, 0.0)
    for one in taken:
        if one.node == place.node:
            cores += one.cost.cores
            share += one.cost.gpu if one.gpu == gpu else 0.0
    return max(cores / max(place.cores, 1), share)


def choose(
    places: Iterable[Place],
    taken: Iterable[Taken],
    costs: Mapping[str, Cost],
    avoid: str = "",
    bound: int | None = None,
) -> tuple[Place, int] | None:
    """Where a stream is to run, and on which GPU there; None without a place.

    costs: of the stream on each node; one that is not in it takes no such stream. avoid: a node that comes last.
    bound: the only GPU that may be taken.
    """
    taken = list(taken)
    found: list[tuple[bool, float, Place, int]] = []
    for place in places:
        cost = costs.get(place.node)
        if cost is None:
            continue
        gpus = range(place.gpus) if cost.gpu and place.gpus else range(1)
        for gpu in gpus if bound is None else (bound,):
            found.append((place.node == avoid, load_of(place, taken, gpu, cost), place, gpu))
    if not found:
        return None
    _, _, place, gpu = min(found, key=lambda one: one[:2])
    return place, gpu
