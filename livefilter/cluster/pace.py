"""How fast the work goes, of each machine and of all."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from livefilter.cluster.crew import Member

_WINDOW_S = 15.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where a run stands.

    files, segments: done and how many there are. failed: files given up. frames: styled so far.
    fps: frames per second of each machine over the last seconds, by its name. workers: ready ones of each.
    share: of all the work, 0 to 1. eta_s: seconds that are left; None when that is not known.
    """

    files: tuple[int, int]
    segments: tuple[int, int]
    failed: int
    frames: int
    fps: Mapping[str, float]
    workers: Mapping[str, int]
    share: float
    eta_s: float | None


class Pace:
    """Counts frames of members as they come.

    clock: seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._done: dict[str, int] = {}
        self._seen: dict[str, deque[tuple[float, int]]] = {}
        self._rates: dict[str, list[float]] = {}

    @property
    def frames(self) -> int:
        """Frames of all finished tasks."""
        return sum(self._done.values())

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def finished(self, member: Member, frames: int, seconds: float) -> None:
        """A task with so many frames came to its end."""
        self._done[member.host] = self._done.get(member.host, 0) + frames
        if frames and seconds > 0:
            self._rates.setdefault(member.node, []).append(frames / seconds)

    def rate(self) -> float | None:
        """Frames per second of the middle one of the machines' workers; None before the first task is finished."""
        each = [statistics.median(rates[-8:]) for rates in self._rates.values()]
        return statistics.median_high(each) if each else None

    def fps(self, members: Iterable[Member], running: Mapping[int, tuple[int, int]]) -> dict[str, float]:
        """Frames per second of each machine over the last seconds."""
        now = self._clock()
        totals: dict[str, int] = {}
        for member in members:
            counted = totals.get(member.host, self._done.get(member.host, 0))
            totals[member.host] = counted + running.get(member.number, (0, 0))[1]
        found = {}
        for host, total in totals.items():
            seen = self._seen.setdefault(host, deque([(self._started, 0)]))
            if now > seen[-1][0]:
                seen.append((now, total))
            while len(seen) > 2 and now - seen[0][0] > _WINDOW_S:
                seen.popleft()
            (began, before), (ended, after) = seen[0], seen[-1]
            found[host] = max(0.0, (after - before) / (ended - began)) if ended > began else 0.0
        return found
