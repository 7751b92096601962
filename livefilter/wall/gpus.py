"""Which GPU of this machine a stream draws on."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from livefilter.inference.hardware import Gpu, find_gpu
from livefilter.wall.config import StreamPlan
from livefilter.wall.cost import Cost, cost_of
from livefilter.wall.placement import Place, Taken, choose
from livefilter.wall.process import Running

# Streams that agree in these are taken to cost as much.
_COSTS = ("style", "network", "process_size", "backend", "fps")
_UNKNOWN = 1.0


class Gpus:
    """Starts each stream on the GPU that is least busy with it, by what streams were measured to take.

    Streams that nobody has measured count as much as the others, so they go to all GPUs in turn. One that names its GPU
    gets that one; one that has shown no picture goes elsewhere the next time.
    numbers: of the GPUs; None asks the driver when it is needed.
    """

    def __init__(self, numbers: Sequence[int] | None = None) -> None:
        self._asked = numbers
        self._runs: list[PlacedRun] = []
        self._shares: dict[tuple[Any, ...], float] = {}
        self._last: dict[str, PlacedRun] = {}

    def start(self, plan: StreamPlan, start: Callable[[Mapping[str, Any]], Running]) -> Running:
        """Start a stream. start: does so with settings."""
        if self._asked is None:
            self._asked = _numbers()
        if len(self._asked) < 2:
            return start(plan.settings)
        gpu = self._choose(plan, self._asked) if plan.gpu is None else plan.gpu
        run = PlacedRun(start({**plan.settings, "gpu": gpu}), gpu, _kind(plan))
        self._runs.append(run)
        self._last[plan.name] = run
        return run

    def _choose(self, plan: StreamPlan, numbers: Sequence[int]) -> int:
        for run in self._runs:
            if run.share is not None:
                self._shares[run.kind] = run.share
        self._runs = [run for run in self._runs if run.code() is None]
        typical = statistics.median(self._shares.values()) if self._shares else _UNKNOWN
        taken = [
            Taken(str(run.gpu), 0, Cost(0.0, self._shares.get(run.kind, typical) if run.share is None else run.share))
            for run in self._runs
        ]
        cost = Cost(0.0, self._shares.get(_kind(plan), typical))
        last = self._last.get(plan.name)
        avoid = str(last.gpu) if last is not None and last.share is None else ""
        places = [Place(str(number), "", 1, 1) for number in numbers]
        found = choose(places, taken, {place.node: cost for place in places}, avoid)
        assert found is not None
        return int(found[0].node)


class PlacedRun:
    """A stream on a GPU that was chosen for it. share: of that GPU's time; None before it has shown pictures."""

    def __init__(self, run: Running, gpu: int, kind: tuple[Any, ...]) -> None:
        self.run, self.gpu, self.kind, self.machine = run, gpu, kind, run.machine
        self.share: float | None = None
        self._last: dict[str, Any] = {}

    def told(self) -> list[dict[str, Any]]:
        told = self.run.told()
        for said in told:
            self._last |= said
        cost = cost_of(self._last)
        if cost is not None:
            self.share = cost.gpu
        return told

    def code(self) -> int | None:
        return self.run.code()

    def end(self) -> None:
        self.run.end()

    def kill(self) -> None:
        self.run.kill()

    def wait(self, timeout_s: float) -> int | None:
        return self.run.wait(timeout_s)


def _kind(plan: StreamPlan) -> tuple[Any, ...]:
    return tuple(repr(plan.settings.get(key)) for key in _COSTS)


def _numbers() -> list[int]:
    return list(itertools.takewhile(lambda number: isinstance(find_gpu(number), Gpu), range(64)))
