"""The machines of a cluster of Ray, and the streams of a wall on them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from livefilter import __version__
from livefilter.errors import UnknownName
from livefilter.wall.config import StreamPlan
from livefilter.wall.cost import Cost
from livefilter.wall.elsewhere import RemoteRun
from livefilter.wall.keeper import Keeper
from livefilter.wall.machine import Machine, Trial, kind_of
from livefilter.wall.placement import Place, Taken, choose, load_of
from livefilter.wall.process import GONE, NoPlace

_LOOK_EVERY_S = 2.0
# A keeper that owes an answer for so long gets no stream.
_LATE_S = 5.0
# Nobody waits longer than this for a machine that measures.
_TRIAL_S = 90.0


class Machines:
    """Keeps a keeper on every machine, measures there what streams cost, and starts each where the load is the lowest.

    ray: the module, connected. said: told of machines that come and go, a line each.
    """

    def __init__(
        self, ray: Any, said: Callable[[str], None] = lambda text: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ray, self._said, self._clock = ray, said, clock
        self._kind = ray.remote(num_cpus=0, max_restarts=0)(Keeper)
        self._machines: dict[str, Machine] = {}
        self._kinds: dict[str, dict[str, Any]] = {}
        self._last_on: dict[str, str] = {}  # name of a stream -> node
        self._drained: set[str] = set()
        self._refused: set[str] = set()
        self._number = 0
        self._looked = float("-inf")

    def start(self, plan: StreamPlan) -> RemoteRun:
        """Start a stream where the load is the lowest with it.

        Raises: NoPlace: not now.
        """
        kind = self._learn(plan)
        known = [each for each in self._fit(plan) if not each.leaves and not self._late(each)]
        measured = {each.node: cost for each in known if isinstance(cost := each.costs.get(kind), Cost)}
        hurries = plan.name in self._last_on
        if not measured or not (hurries or self._all_measured(kind)):
            raise NoPlace(self._why_not(plan, kind, known))
        places = [each.place for each in known if each.place is not None]
        found = choose(places, self._taken(), measured, self._last_on.get(plan.name, ""), plan.gpu)
        assert found is not None
        place, gpu = found
        self._last_on[plan.name] = place.node
        cost = measured[place.node]
        settings = dict(plan.settings) | ({"gpu": gpu} if cost.gpu else {})
        together = plan.shares(on_gpu=cost.gpu > 0)
        return self._run(self._machines[place.node], settings, gpu, cost, together=together)

    def leaves(self, run: Any, plan: StreamPlan) -> bool:
        """Whether a stream is to be moved: its machine is to be left, and there is another one that can take it."""
        machine = self._machines.get(getattr(run, "node", ""))
        if machine is None or not machine.leaves:
            return False
        kind = self._learn(plan)
        others = (each for each in self._fit(plan) if not each.leaves and not self._late(each))
        return any(isinstance(each.costs.get(kind), Cost) for each in others)

    def drain(self, name: str) -> None:
        """Let all streams move away from a machine, which gets none any more.

        Raises: UnknownName: no machine has that name.
        """
        places = [each.place for each in list(self._machines.values()) if each.place is not None]
        found = {place.node for place in places if place.host == name}
        if not found:
            raise UnknownName("machine of the wall", name[:80], {place.host for place in places})
        self._drained |= found

    def state(self) -> list[dict[str, Any]]:
        """Each machine, how many streams it has and how full it is, 1 being all that it can do."""
        taken = self._taken()
        return [
            {
                "name": each.place.host,
                "streams": sum(not run.trial for run in list(each.runs.values())),
                "cores": each.place.cores,
                "gpus": each.place.gpus,
                "load": round(max(load_of(each.place, taken, gpu) for gpu in range(max(1, each.place.gpus))), 3),
                "leaves": each.leaves,
            }
            for each in list(self._machines.values())
            if each.place is not None
        ]

    def look(self, timeout_s: float = 0.0) -> None:
        """Find machines that have come, are to be left or are gone, and ask all how their streams are."""
        if self._clock() - self._looked >= _LOOK_EVERY_S:
            self._looked = self._clock()
            self._find()
        self._poll(timeout_s)
        for machine in self._machines.values():
            self._try(machine)

    def _find(self) -> None:
        nodes = {node["NodeID"]: node for node in self._ray.nodes() if node["Alive"]}
        for number in set(self._machines) - set(nodes):
            self._lose(self._machines[number])
        for number, node in nodes.items():
            cores, gpus = node["Resources"].get("CPU", 0), node["Resources"].get("GPU", 0)
            if number not in self._machines and number not in self._refused and (cores or gpus):
                self._open(number, node)
        leaving = self._drained | _draining(self._ray)
        for machine in self._machines.values():
            if machine.node in leaving and not machine.leaves and machine.place is not None:
                stays = any(each.place is not None and each.node not in leaving for each in self._machines.values())
                what = "its streams move away" if stays else "there is no other machine yet, so its streams stay"
                self._said(f"{machine.place.host} is to be left: {what}.")
            machine.leaves = machine.node in leaving

    def _open(self, number: str, node: Mapping[str, Any]) -> None:
        there = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(number, soft=False)
        keeper = self._kind.options(scheduling_strategy=there).remote()
        self._machines[number] = Machine(
            number, node["NodeManagerHostname"], node["Resources"], keeper, keeper.hello.remote(), self._clock()
        )

    def _lose(self, machine: Machine) -> None:
        """A machine or its keeper is gone, and all that ran there."""
        del self._machines[machine.node]
        for run in machine.runs.values():
            run.hear([], GONE)
        if machine.place is not None:
            self._said(f"{machine.place.host} is gone.")

    def _poll(self, timeout_s: float) -> None:
        refs = [ref for each in self._machines.values() for ref in (each.hello, each.asked) if ref is not None]
        if refs and timeout_s:
            self._ray.wait(refs, num_returns=1, timeout=timeout_s)
        elif timeout_s:
            time.sleep(timeout_s)
        ready = set(self._ray.wait(refs, num_returns=len(refs), timeout=0)[0]) if refs else set()
        for machine in list(self._machines.values()):
            try:
                if machine.hello in ready:
                    self._greet(machine)
                if machine.asked in ready:
                    self._hear(machine)
            except self._ray.exceptions.RayError as error:
                self._lose(machine)
                if machine.place is None and self._lives(machine.node):
                    self._refuse(machine, _cause(error))
                continue
            if machine.asked is None and machine.place is not None:
                machine.asked, machine.asked_at = machine.keeper.told.remote(), self._clock()

    def _greet(self, machine: Machine) -> None:
        ref, machine.hello = machine.hello, None
        host, version = self._ray.get(ref)
        if version != __version__:
            del self._machines[machine.node]
            self._refuse(machine, f"it has livefilter {version}, and not {__version__}.")
            return
        alike = sum(node["Alive"] and node["NodeManagerHostname"] == machine.name for node in self._ray.nodes())
        name = f"{host}/{machine.node[:4]}" if alike > 1 else host
        resources = machine.resources
        machine.place = Place(machine.node, name, int(resources.get("CPU", 0)), int(resources.get("GPU", 0)))
        cores, gpus = machine.place.cores, machine.place.gpus
        self._said(f"{name} has come: {cores} core{'s' * (cores != 1)}, {gpus} GPU{'s' * (gpus != 1)}.")

    def _refuse(self, machine: Machine, why: str) -> None:
        self._refused.add(machine.node)
        self._said(f"{machine.name} is left out: {why}")

    def _lives(self, number: str) -> bool:
        return any(node["NodeID"] == number and node["Alive"] for node in self._ray.nodes())

    def _hear(self, machine: Machine) -> None:
        ref, machine.asked = machine.asked, None
        for number, (told, code) in self._ray.get(ref).items():
            run = machine.runs.get(number)
            if run is not None:
                run.hear(told, code)
            if code is not None:
                machine.runs.pop(number, None)

    def _run(
        self,
        machine: Machine,
        settings: Mapping[str, Any],
        gpu: int,
        cost: Cost,
        *,
        trial: bool = False,
        together: bool = False,
    ) -> RemoteRun:
        assert machine.place is not None
        self._number += 1
        number = self._number

        def command(force: bool) -> None:
            with contextlib.suppress(self._ray.exceptions.RayError):
                machine.keeper.end.remote(number, force)

        run = RemoteRun(machine.place.host, machine.node, gpu, cost, command, self._poll, trial)
        machine.runs[number] = run
        machine.keeper.start.remote(number, settings, together)
        return run

    def _try(self, machine: Machine) -> None:
        """Measure a kind of stream that is not known there, one after the other."""
        trial = machine.trial
        if trial is not None:
            if trial.run.measured:
                machine.costs[trial.kind] = trial.run.cost
            elif trial.run.code() is not None or self._clock() - trial.since > _TRIAL_S:
                errors = [said["error"] for said in trial.run.told() if "error" in said]
                machine.costs[trial.kind] = errors[-1] if errors else "it styles no picture there."
            else:
                return
            trial.run.kill()
            machine.trial = None
        if machine.place is None or machine.leaves:
            return
        for kind, settings in self._kinds.items():
            if kind not in machine.costs:
                machine.trial = Trial(kind, self._run(machine, settings, 0, Cost(0.0), trial=True), self._clock())
                return

    def _learn(self, plan: StreamPlan) -> str:
        """The kind of a stream: those of one kind cost the same."""
        kind, settings = kind_of(json.dumps(dict(plan.settings), sort_keys=True, default=str))
        self._kinds.setdefault(kind, settings)
        return kind

    def _fit(self, plan: StreamPlan) -> list[Machine]:
        """The machines on which a stream may run."""
        ready = [each for each in self._machines.values() if each.place is not None]
        return [
            each
            for each in ready
            if not plan.machine or (each.place is not None and plan.machine in (each.place.host, each.node))
        ]

    def _all_measured(self, kind: str) -> bool:
        """Whether a stream of a kind need not wait for a machine that was there from the start."""
        return not any(
            self._clock() - each.since < _TRIAL_S and (each.place is None or kind not in each.costs)
            for each in self._machines.values()
        )

    def _late(self, machine: Machine) -> bool:
        return machine.asked is not None and self._clock() - machine.asked_at > _LATE_S

    def _taken(self) -> list[Taken]:
        return [
            Taken(run.node, run.gpu, run.cost)
            for each in list(self._machines.values())
            for run in list(each.runs.values())
            if not run.trial
        ]

    def _why_not(self, plan: StreamPlan, kind: str, known: list[Machine]) -> str:
        if not known:
            return f"{plan.machine or 'A machine'} is waited for."
        if not self._all_measured(kind) or any(kind not in each.costs for each in known):
            return "What it costs is being measured."
        return " ".join(sorted({f"{each.place.host}: {each.costs[kind]}" for each in known if each.place}))


def _cause(error: BaseException) -> str:
    lines = [line.strip() for line in str(getattr(error, "cause", None) or error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _draining(ray: Any) -> set[str]:
    """Nodes that Ray is about to take away, as a cloud does before it ends a machine, or `ray drain-node`."""
    asked = getattr(ray._private.state.state, "get_draining_nodes", None)
    return set(asked()) if asked is not None else set()
