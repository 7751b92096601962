"""Which task is next, and who has which."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from livefilter.cluster.crew import Member
from livefilter.cluster.pace import Pace
from livefilter.cluster.tasks import Task

# Finished files first: what is whole is safe.
_ORDER = {"join": 0, "look": 1, "segment": 2, "whole": 2}
# How many files may have been looked at and wait, so that a library of thousands starts at once.
_AHEAD = 32
# A task counts as late when it takes this much longer than such a task takes elsewhere, and this long at least.
_LATE, _LATE_S = 2.0, 10.0
# Through Ray's object store go files up to this size.
MOST_SENT = 64 << 20


class Board:
    """The tasks that wait and those that run; a late one is run twice, and the faster one counts.

    pace: how fast others are. clock: seconds.
    """

    def __init__(self, pace: Pace, clock: Callable[[], float]) -> None:
        self._pace, self._clock = pace, clock
        self._waiting: list[Task] = []  # in the order in which they are to be done
        self._looked = 0  # of these, files that were looked at
        self._running: list[tuple[Member, Task, float]] = []
        self._ranks: dict[int, int] = {}
        self._avoid: dict[int, set[str]] = {}
        self._done: set[int] = set()
        self._blind: set[int] = set()
        self._nodes: set[str] = set()
        self.doubled = 0

    def rank(self, file: int, rank: int) -> None:
        """Files of a lower rank come first."""
        self._ranks[file] = rank

    def add(self, task: Task, avoid: str = "") -> None:
        """Let a task wait; avoid: a machine that it is not to be given to, where there is another."""
        if avoid:
            self._avoid.setdefault(task.number, set()).add(avoid)
        bisect.insort(self._waiting, replace(task, data=None), key=self._order)
        self._looked += task.kind == "whole"

    def blind(self, member: Member) -> None:
        """That member does not reach the files, and can only be sent small ones."""
        self._blind.add(member.number)

    def any_reaches(self, members: Sequence[Member]) -> bool:
        """Whether somebody reaches the files."""
        return any(self._reaches(member) for member in members)

    def pairs(self, members: Sequence[Member], starting: Collection[str] = ()) -> list[tuple[Member, Task]]:
        """Tasks for those who have none; they count as running from now on.

        starting: machines that soon have one more, for which a task that failed elsewhere waits.
        """
        self._nodes = {member.node for member in members} | set(starting)
        busy = {member.number for member, _, _ in self._running}
        idle = [member for member in members if member.number not in busy]
        made = []
        for member in idle:
            task = self._next(member, members) or self._late(member, members)
            if task is not None:
                self._running.append((member, task, self._clock()))
                made.append((member, task))
        return made

    def crowded(self, members: Sequence[Member]) -> bool:
        """Whether work waits and nobody is free; looking at files is none, as it takes no time."""
        work = any(task.kind != "look" for task in self._waiting)
        return work and 0 < len(members) <= len({member.number for member, _, _ in self._running})

    def ended(self, member: Member, task: Task) -> bool:
        """A member is free again; whether nobody else has the task."""
        self._running = [one for one in self._running if (one[0].number, one[1].number) != (member.number, task.number)]
        return not any(other.number == task.number for _, other, _ in self._running)

    def settle(self, task: Task) -> list[tuple[Member, Task]]:
        """A task is done; who else has it."""
        self._done.add(task.number)
        return [(member, other) for member, other, _ in self._running if other.number == task.number]

    def is_done(self, task: Task) -> bool:
        """Whether a task needs no result any more."""
        return task.number in self._done

    def forget(self, file: int) -> list[tuple[Member, Task]]:
        """Nothing more is to be done for a file; who works on it."""
        self._looked -= sum(task.kind == "whole" for task in self._waiting if task.file == file)
        self._waiting = [task for task in self._waiting if task.file != file]
        running = self.of_running(file)
        self._done |= {task.number for _, task in running}
        return running

    def of(self, file: int) -> list[Task]:
        """The tasks of a file that run, each once."""
        return list({task.number: task for _, task in self.of_running(file)}.values())

    def of_running(self, file: int) -> list[tuple[Member, Task]]:
        """Who works on a file."""
        return [(member, task) for member, task, _ in self._running if task.file == file]

    def running(self) -> list[tuple[Member, Task]]:
        """Who works on what."""
        return [(member, task) for member, task, _ in self._running]

    def _next(self, member: Member, members: Sequence[Member]) -> Task | None:
        ahead = self._looked >= _AHEAD
        for looks in (False, True) if ahead else (None,):
            for place, task in enumerate(self._waiting):
                if looks is not None and (task.kind == "look") != looks:
                    continue
                fitting = self._fitted(task, member, members)
                if fitting is not None:
                    del self._waiting[place]
                    self._looked -= task.kind == "whole"
                    return fitting
        return None

    def _order(self, task: Task) -> tuple[int, int, int]:
        return _ORDER[task.kind], self._ranks.get(task.file, 0), task.number

    def _fitted(self, task: Task, member: Member, members: Sequence[Member]) -> Task | None:
        """The task as this member can do it; None if it cannot, or another one is to."""
        avoided = self._avoid.get(task.number, set())
        if member.node in avoided and self._nodes - avoided:
            return None
        if self._reaches(member):
            return task
        if self.any_reaches(members) and task.kind in ("look", "join", "segment"):
            return None
        try:
            small = Path(task.source).stat().st_size <= MOST_SENT
            return replace(task, data=Path(task.source).read_bytes()) if small else None
        except OSError:
            return None

    def _late(self, member: Member, members: Sequence[Member]) -> Task | None:
        """A task that another machine is slow with, to be done here as well."""
        if self._waiting or not self._reaches(member):
            return None
        rate = self._pace.rate()
        for other, task, since in self._running:
            twins = sum(each.number == task.number for _, each, _ in self._running)
            if rate is None or not task.frames or twins > 1 or task.kind not in ("whole", "segment"):
                continue
            if other.node == member.node and any(each.node != other.node for each in members):
                continue
            if self._clock() - since > max(_LATE_S, _LATE * task.frames / rate):
                self.doubled += 1
                return task
        return None

    def _reaches(self, member: Member) -> bool:
        return member.reaches and member.number not in self._blind
