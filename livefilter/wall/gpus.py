"""Which GPU of this machine a stream draws on."""

from __future__ import annotations

import itertools
import statistics
import time
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
# So many seconds of figures, of which a stream tells one a second; nobody waits longer for a stream that shows nothing.
_SETTLED, _PATIENCE_S = 10, 120.0
# A move darkens a stream for seconds, so it has to take this share off a GPU that has more to do than it can.
_WORTH = 0.1


class Gpus:
    """Starts each stream on the GPU that is least busy with it, by what streams were measured to take.

    Streams that nobody has measured count as much as the others, so they go to all GPUs in turn. One that names its GPU
    gets that one; one that has shown no picture goes elsewhere the next time.
    numbers: of the GPUs; None asks the driver when it is needed.
    """

    def __init__(self, numbers: Sequence[int] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._asked, self._clock = numbers, clock
        self._moved: set[str] = set()
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
        run = PlacedRun(start({**plan.settings, "gpu": gpu}), gpu, _kind(plan), self._clock())
        run.stays = plan.gpu is not None or plan.name in self._moved
        self._runs.append(run)
        self._last[plan.name] = run
        return run

    def leaves(self, run: Running, plan: StreamPlan) -> bool:
        """Whether a stream is to be moved: its GPU has more to do than it can, and there is room for it on another.

        Once for each stream, when all have been measured.
        """
        if run is not self._misplaced():
            return False
        self._moved.add(plan.name)
        self._last[plan.name].stays = True
        return True

    def _misplaced(self) -> PlacedRun | None:
        """The stream of a GPU with too much to do whose move helps most."""
        runs, now = [run for run in self._runs if run.code() is None], self._clock()
        if any(run.reports < _SETTLED and now - run.since < _PATIENCE_S for run in runs):
            return None
        load = {number: sum(run.share or 0.0 for run in runs if run.gpu == number) for number in self._asked or ()}
        full, free = max(load, key=load.__getitem__, default=0), min(load, key=load.__getitem__, default=0)
        may = [run for run in runs if run.gpu == full and not run.stays]
        if full == free or load[full] <= 1.0 or not may:
            return None

        def after(run: PlacedRun) -> float:
            share = run.share or 0.0
            return max(load[full] - share, load[free] + share)

        best = min(may, key=after)
        return best if after(best) <= load[full] - _WORTH else None

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
        last = self._last.get(plan.name)
        own = last.share if last is not None else None
        cost = Cost(0.0, self._shares.get(_kind(plan), typical) if own is None else own)
        avoid = str(last.gpu) if last is not None and own is None else ""
        places = [Place(str(number), "", 1, 1) for number in numbers]
        found = choose(places, taken, {place.node: cost for place in places}, avoid)
        assert found is not None
        return int(found[0].node)


class PlacedRun:
    """A stream on a GPU that was chosen for it. share: of that GPU's time; None before it has shown pictures.

    since: when it was started. reports: how often it has said what it takes. stays: it is not moved any more.
    """

    def __init__(self, run: Running, gpu: int, kind: tuple[Any, ...], since: float) -> None:
        self.run, self.gpu, self.kind, self.machine, self.since = run, gpu, kind, run.machine, since
        self.share: float | None = None
        self.reports = 0
        self.stays = False
        self._last: dict[str, Any] = {}

    def told(self) -> list[dict[str, Any]]:
        told = self.run.told()
        for said in told:
            self._last |= said
            cost = cost_of(self._last) if "figures" in said else None
            if cost is not None:
                self.share = cost.gpu
                self.reports += 1
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
