"""Workers as actors of Ray: one for each set of cores, or each GPU, of every machine."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

from livefilter import __version__
from livefilter.cluster.crew import Event, Finished, Lost, Member, Said
from livefilter.cluster.recipe import Recipe
from livefilter.cluster.tasks import Hello, Task
from livefilter.cluster.worker import Worker
from livefilter.errors import ClusterUnavailable

_LOOK_EVERY_S = 2.0
_ASK_EVERY_S, _ASK_EACH_S = 0.5, 0.005
# A worker that dies before it has ever answered is started again this often, on the same place.
_MOST_STARTS = 3
_START_S = 300.0
_CONTROL = "control"


@dataclass
class _Slot:
    """A place for a worker: a set of cores, or a GPU, of one machine."""

    node: str
    host: str
    actor: Any = None
    hello: Any = None
    member: Member | None = None
    task: Task | None = None
    work: Any = None
    asked: Any = None
    done: tuple[int, int] = (-1, 0)
    starts: int = 0
    since: float = field(default_factory=time.monotonic)


class RayCrew:
    """Finds machines as they come, keeps workers on them, and tells when one is gone.

    ray: the module, connected. here: a file in the folder of results. workers: at most so many; 0 for all that fit.
    """

    def __init__(self, ray: Any, recipe: Recipe, here: str, workers: int = 0) -> None:
        self._ray, self._recipe, self._here, self._limit = ray, recipe, here, workers
        self._kind = _actor_class(ray)
        self._recipe_ref = ray.put(recipe)
        self._slots: list[_Slot] = []
        self._known: set[str] = set()
        self._names: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._first: Hello | None = None
        self._number = 0
        self._looked = self._asked = float("-inf")
        self._since = time.monotonic()

    def members(self) -> list[Member]:
        return [slot.member for slot in self._slots if slot.member is not None]

    def starting(self) -> set[str]:
        return {slot.node for slot in self._slots if slot.member is None}

    def needed(self) -> None:
        """All are coming already."""

    def submit(self, member: Member, task: Task) -> None:
        slot = self._slot(member)
        slot.task, slot.done = task, (task.number, 0)
        slot.work = slot.actor.do.remote(task)

    def cancel(self, member: Member, task: Task) -> None:
        for slot in self._slots:
            if slot.member == member and slot.task is not None and slot.task.number == task.number:
                slot.actor.cancel.remote(task.number)

    def progress(self) -> dict[int, tuple[int, int]]:
        return {slot.member.number: slot.done for slot in self._slots if slot.member and slot.task is not None}

    def wait(self, timeout_s: float) -> list[Event]:
        events = self._look()
        pending = [ref for slot in self._slots for ref in (slot.hello, slot.work) if ref is not None]
        if pending and not events:
            self._ray.wait(pending, num_returns=1, timeout=timeout_s)
        elif not pending:
            time.sleep(timeout_s)
        ready = self._ready(pending)
        for slot in list(self._slots):
            events += self._answered(slot, ready)
        self._ask()
        if not self._slots and time.monotonic() - self._since > _START_S:
            raise ClusterUnavailable(f"No machine of the cluster can work. {self._why_nobody()}")
        if not self._slots and self._refused and not self._known - set(self._refused):
            raise ClusterUnavailable(f"No machine of the cluster can work. {self._why_nobody()}")
        return events

    def close(self) -> None:
        for slot in self._slots:
            with contextlib.suppress(Exception):
                self._ray.kill(slot.actor)
        self._slots = []

    def _slot(self, member: Member) -> _Slot:
        return next(slot for slot in self._slots if slot.member == member)

    def _look(self) -> list[Event]:
        """Find machines that have come or gone, every few seconds."""
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S:
            return []
        self._looked = now
        events: list[Event] = []
        for node in self._ray.nodes():
            number = node["NodeID"]
            if node["Alive"] and number not in self._known:
                self._known.add(number)
                places = self._places(node["Resources"])
                if self._limit:
                    places = min(places, self._limit - len(self._slots))
                host = self._names[number] = self._name(node)
                if self._first is not None:
                    events.append(Said(f"{host} has come."))
                for _ in range(places):
                    self._open(_Slot(number, host))
            elif not node["Alive"] and number in self._known:
                self._known.discard(number)
                events.append(Said(f"{self._names[number]} is gone.", warning=True, gone=True))
        if self._known and not self._slots and not self._refused and now - self._since > 30:
            wanted = "a GPU" if self._recipe.on_gpu else f"{self._recipe.threads} cores"
            raise ClusterUnavailable(f"No machine of the cluster has {wanted} free. Lower --threads, or add one.")
        return events

    def _places(self, resources: dict[str, float]) -> int:
        if self._recipe.on_gpu:
            return int(resources.get("GPU", 0))
        return int(resources.get("CPU", 0)) // self._recipe.threads

    def _name(self, node: dict[str, Any]) -> str:
        """The machine's name; with a part of its number where several nodes are on one machine."""
        host = str(node["NodeManagerHostname"])
        alike = sum(other["NodeManagerHostname"] == host and other["Alive"] for other in self._ray.nodes())
        return f"{host}/{node['NodeID'][:4]}" if alike > 1 else host

    def _open(self, slot: _Slot) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        place = NodeAffinitySchedulingStrategy(slot.node, soft=False)
        cores, gpus = (0, 1) if self._recipe.on_gpu else (self._recipe.threads, 0)
        slot.starts += 1
        slot.actor = self._kind.options(num_cpus=cores, num_gpus=gpus, scheduling_strategy=place).remote(
            self._recipe_ref, self._here
        )
        slot.hello = slot.actor.hello.remote()
        if slot not in self._slots:
            self._slots.append(slot)

    def _answered(self, slot: _Slot, ready: set[Any]) -> list[Event]:
        if slot.hello in ready:
            return self._greet(slot)
        if slot.work in ready and slot.task is not None and slot.member is not None:
            task, member, work = slot.task, slot.member, slot.work
            slot.task = slot.work = slot.asked = None
            try:
                return [Finished(member, task, self._ray.get(work))]
            except self._ray.exceptions.RayError:
                return self._gone(slot, member, task)
        return []

    def _greet(self, slot: _Slot) -> list[Event]:
        ref, slot.hello = slot.hello, None
        try:
            hello: Hello = self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            if self._alive(slot.node) and slot.starts < _MOST_STARTS and _died(self._ray, error):
                self._open(slot)
                return []
            self._slots.remove(slot)
            return self._refuse(slot, _cause(error)) if self._alive(slot.node) else []
        trouble = self._differs(hello)
        if trouble:
            self._drop(slot)
            return self._refuse(slot, trouble)
        self._first = self._first or hello
        self._number += 1
        slot.member = Member(self._number, slot.node, slot.host, hello.device, hello.reaches)
        return []

    def _differs(self, hello: Hello) -> str:
        """Why what this machine makes would not be what the others make."""
        if hello.version != __version__:
            return f"it has livefilter {hello.version}, and not {__version__}. Install the same one there."
        first = self._first
        if first is not None and (hello.backend, hello.precision) != (first.backend, first.precision):
            return (
                f"it computes in {hello.precision}, and the first one in {first.precision}, which looks a little "
                "different. Let machines of one kind work together."
            )
        return ""

    def _refuse(self, slot: _Slot, why: str) -> list[Event]:
        if self._refused.get(slot.node) == why:
            return []
        self._refused[slot.node] = why
        return [Said(f"{slot.host} is left out: {why}", warning=True)]

    def _gone(self, slot: _Slot, member: Member, task: Task) -> list[Event]:
        """A worker died: a new one takes its place where the machine lives on."""
        alive = self._alive(slot.node)
        slot.member, slot.starts = None, 0
        if alive:
            self._open(slot)
        else:
            self._slots = [other for other in self._slots if other is not slot]
            self._since = time.monotonic()
        return [Lost(member, task, with_node=not alive)]

    def _alive(self, number: str) -> bool:
        return any(node["NodeID"] == number and node["Alive"] for node in self._ray.nodes())

    def _ask(self) -> None:
        """Ask the busy for their progress; nobody is waited for."""
        now = time.monotonic()
        if now - self._asked < max(_ASK_EVERY_S, _ASK_EACH_S * len(self._slots)):
            return
        self._asked = now
        ready = self._ready([slot.asked for slot in self._slots if slot.asked is not None])
        for slot in self._slots:
            if slot.task is None:
                continue
            if slot.asked in ready:
                with contextlib.suppress(self._ray.exceptions.RayError):
                    number, frames = self._ray.get(slot.asked)
                    if number == slot.task.number:
                        slot.done = (number, frames)
                slot.asked = None
            if slot.asked is None:
                slot.asked = slot.actor.progress.remote()

    def _ready(self, refs: list[Any]) -> set[Any]:
        """Which of these are there, in one question."""
        return set(self._ray.wait(refs, num_returns=len(refs), timeout=0)[0]) if refs else set()

    def _drop(self, slot: _Slot) -> None:
        self._slots.remove(slot)
        with contextlib.suppress(Exception):
            self._ray.kill(slot.actor)

    def _why_nobody(self) -> str:
        return " ".join(sorted(set(self._refused.values()))) or "Start Ray on one."


def _actor_class(ray: Any) -> Any:
    """Workers as actors, whose `progress` and `cancel` are answered while a task is in work."""
    beside = ray.method(concurrency_group=_CONTROL)
    methods = {
        "progress": beside(lambda self: Worker.progress(self)),
        "cancel": beside(lambda self, number: Worker.cancel(self, number)),
    }
    return ray.remote(concurrency_groups={_CONTROL: 2})(type("PlacedWorker", (Worker,), methods))


def _died(ray: Any, error: BaseException) -> bool:
    return isinstance(error, ray.exceptions.ActorDiedError) and "creation task" not in str(error)


def _cause(error: BaseException) -> str:
    cause = getattr(error, "cause", None) or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[-1] if lines else type(cause).__name__
