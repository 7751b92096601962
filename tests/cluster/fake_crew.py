"""Workers in this very process, one task after the other, with the accidents that a test wants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from livefilter.cluster.crew import Event, Finished, Lost, Member, Said
from livefilter.cluster.recipe import Recipe, fix_recipe
from livefilter.cluster.tasks import Outcome, Task
from livefilter.cluster.worker import Worker
from livefilter.config import Config

# Called for each task before it is done: an outcome in its place, "dies" or "node dies", "hangs", or None.
Accident = Callable[[Member, Task], Outcome | str | None]


def small_recipe(**settings: object) -> Recipe:
    """A recipe that needs no time: the identity, at a small size."""
    told = {"backend": "identity", "process_size": 64, "threads": 1} | settings
    return fix_recipe(Config.model_validate(told))


class FakeCrew:
    """As many nodes as asked for, with a worker each.

    accident: what goes wrong. log: (host, kind of task, name of the source) of all that was handed out, in order.
    working: the host of the newest task. coming: members that are there once nobody else has anything to do.
    """

    def __init__(
        self,
        recipe: Recipe,
        here: Path,
        nodes: int = 2,
        accident: Accident = lambda member, task: None,
        *,
        reaches: bool = True,
    ) -> None:
        self._members = [Member(number, f"node{number}", f"host{number}", "CPU", reaches) for number in range(nodes)]
        self._workers = {member.number: Worker(recipe, str(here)) for member in self._members}
        self._accident = accident
        self._given: list[tuple[Member, Task]] = []
        self._late: set[int] = set()
        self._hanging: list[tuple[Member, Task]] = []
        self.log: list[tuple[str, str, str]] = []
        self.closed = False
        self.needs = 0
        self.coming: list[Member] = []
        self.working = ""

    def members(self) -> list[Member]:
        return list(self._members)

    def starting(self) -> set[str]:
        return {member.node for member in self.coming}

    def needed(self) -> None:
        self.needs += 1

    def submit(self, member: Member, task: Task) -> None:
        self.log.append((member.host, task.kind, Path(task.source).name))
        self._given.append((member, task))

    def cancel(self, member: Member, task: Task) -> None:
        if (member, task) in self._hanging:
            self._hanging.remove((member, task))
            self._given.append((member, task))
            self._late.add(task.number)
        self._workers[member.number].cancel(task.number)

    def progress(self) -> dict[int, tuple[int, int]]:
        return {member.number: (task.number, 0) for member, task in self._given + self._hanging}

    def wait(self, timeout_s: float) -> list[Event]:
        if not self._given and self.coming:
            self._members.append(self.coming.pop())
        if not self._given:
            return []
        member, task = self._given[0]
        late = task.number in self._late
        happened = None if late else self._accident(member, task)  # it may raise, and the task is still there
        self._given.pop(0)
        self.working = member.host
        if isinstance(happened, Outcome):
            return [Finished(member, task, happened)]
        if happened == "hangs":
            self._hanging.append((member, task))
            return []
        if happened in ("dies", "node dies"):
            if happened == "node dies":
                self._members.remove(member)
                return [Said(f"{member.host} is gone.", True, gone=True), Lost(member, task, True)]
            return [Lost(member, task, False)]
        return [Finished(member, task, self._workers[member.number].do(task))]

    def close(self) -> None:
        self.closed = True
