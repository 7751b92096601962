"""Rendering on 10 to 1,000 GPUs, simulated event by event with measured costs.

python -m tools.scale.simulate [PLOT.png [COSTS]], COSTS as JSON. What is simulated is what `livefilter.cluster` does:
one driver that hands out one task after the other, workers that each do one at a time, the largest first, a loss that
costs the task in work. Storage is shared and has a limit.
"""

from __future__ import annotations

import heapq
import json
import random
import sys
from dataclasses import dataclass, replace
from pathlib import Path

FPS = 30.0


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds, unless the name says otherwise.

    driver_s: of the driver for each task, handing it out and taking the result. join_s: Ray started or joined, at
    the driver. start_s: of a worker, from nothing to its first frame. frame_s: a worker's, for each frame: decoding,
    styling and encoding go on side by side, so it is the slowest of these. warm_s: of each part of a film, decoding
    from the key frame before and opening. mb_per_s: of a film. read_mb_per_s: of all storage together. mtbf_h: hours
    between failures of a machine; repair_s: until it is back; noticed_s: until its loss is noticed.
    """

    driver_s: float = 0.004
    join_s: float = 5.0
    start_s: float = 8.0
    frame_s: float = 0.005
    warm_s: float = 0.5
    mb_per_s: float = 1.2
    read_mb_per_s: float = 2000.0
    mtbf_h: float = 2000.0
    repair_s: float = 600.0
    noticed_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Library:
    """films: how many, of which each lasts minutes_s seconds, more or less. cut_s: seconds of a part; 0 cuts none."""

    films: int = 400
    lasts_s: float = 300.0
    cut_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    tail_s: from the moment when nothing waits to the end. busy: share of the time of all workers in which they styled
    frames that count. driver_busy: share of its time in which the driver handed out tasks.
    """

    gpus: int
    seconds: float
    fps: float
    busy: float
    tail_s: float
    lost: int
    driver_busy: float


def simulate(gpus: int, library: Library, costs: Costs, seed: int = 1) -> Outcome:
    """One night."""
    chance = random.Random(seed)
    tasks = _tasks(library, chance)
    total_frames = sum(tasks)
    # The driver is one queue: a worker that is free waits for its turn.
    driver_free = costs.join_s
    driver_worked = 0.0
    events: list[tuple[float, int]] = [(costs.join_s + costs.start_s, worker) for worker in range(gpus)]
    heapq.heapify(events)
    waiting = sorted(tasks)  # the largest is at the end
    styled = 0.0
    lost = 0
    ends: list[float] = []
    again: list[tuple[float, float]] = []
    running = 0
    share = costs.read_mb_per_s / min(gpus, len(tasks))  # of the storage, when all read
    emptied = 0.0
    while waiting or again or running:
        if not events:
            break
        now, worker = heapq.heappop(events)
        if worker < 0:
            running -= 1
            ends.append(now)
            continue
        while again and again[0][0] <= now:
            waiting.append(heapq.heappop(again)[1])
            waiting.sort()
        if not waiting:
            if again:
                heapq.heappush(events, (max(now, again[0][0]), worker))
            continue
        frames = waiting.pop()
        emptied = now if not waiting else emptied
        begin = max(now, driver_free) + costs.driver_s
        driver_free = begin
        driver_worked += costs.driver_s
        reads_s = frames / FPS * costs.mb_per_s / share
        lasts = costs.warm_s + max(frames * costs.frame_s, reads_s)
        dies_after = chance.expovariate(1 / (costs.mtbf_h * 3600))
        if dies_after < lasts:
            lost += 1
            heapq.heappush(again, (begin + dies_after + costs.noticed_s, frames))
            heapq.heappush(events, (begin + dies_after + costs.repair_s + costs.start_s, worker))
            continue
        styled += frames * costs.frame_s
        running += 1
        heapq.heappush(events, (begin + lasts, -1))
        heapq.heappush(events, (begin + lasts, worker))
    ended = max(ends)
    return Outcome(
        gpus, ended, total_frames / ended, styled / (ended * gpus), ended - emptied, lost, driver_worked / ended
    )


def _tasks(library: Library, chance: random.Random) -> list[float]:
    """Frames of each task: films, cut into parts."""
    made: list[float] = []
    for _ in range(library.films):
        lasts_s = library.lasts_s * chance.lognormvariate(0, 0.8)
        parts = max(1, int(lasts_s / library.cut_s)) if library.cut_s else 1
        made += [lasts_s / parts * FPS] * parts
    return made


def table(costs: Costs, library: Library, counts: tuple[int, ...]) -> list[Outcome]:
    """Several numbers of GPUs."""
    return [simulate(gpus, library, costs) for gpus in counts]


def main() -> None:
    """Print the table of docs/scale.md as JSON lines, and draw the plot."""
    counts = (1, 10, 30, 100, 300, 1000)
    costs = Costs(**json.loads(sys.argv[2])) if len(sys.argv) > 2 else Costs()
    library = Library()
    cases = {
        "400 films, cut": (costs, library),
        "400 films, whole": (costs, replace(library, cut_s=0)),
        "40,000 films, cut": (costs, replace(library, films=40_000)),
        "400 films, cut, machines fail 100 times as often": (replace(costs, mtbf_h=costs.mtbf_h / 100), library),
        "400 films, cut, a tenth of the storage": (replace(costs, read_mb_per_s=costs.read_mb_per_s / 10), library),
    }
    found = {name: table(case[0], case[1], counts) for name, case in cases.items()}
    for name, rows in found.items():
        for row in rows:
            sys.stdout.write(
                f"| {name} | {row.gpus} | {row.seconds / 60:.1f} | {row.fps:,.0f} | {row.busy:.0%} | {row.tail_s:.0f} "
                f"| {row.lost} | {row.driver_busy:.0%} |\n"
            )
    if len(sys.argv) > 1:
        _plot(found, Path(sys.argv[1]))


def _plot(found: dict[str, list[Outcome]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.5, 4.2), dpi=110)
    first = next(iter(found.values()))
    axes.plot([row.gpus for row in first], [row.gpus * first[0].fps for row in first], "k:", label="as many times one")
    for name, rows in found.items():
        axes.plot([row.gpus for row in rows], [row.fps for row in rows], marker="o", markersize=3, label=name)
    axes.set(xscale="log", yscale="log", xlabel="GPUs", ylabel="frames per second, from the command to its end")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    main()
