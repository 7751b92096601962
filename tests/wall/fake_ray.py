"""A cluster of Ray in this very process, whose machines come, go and hang when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from livefilter.wall.keeper import Keeper


class FakeStream:
    """A stream that takes so many cores, or fails at once with an error."""

    machine = ""

    def __init__(self, settings: Mapping[str, Any], cores: float | str) -> None:
        self.settings, self._cores = settings, cores
        self._code: int | None = 1 if isinstance(cores, str) else None

    def told(self) -> list[dict[str, Any]]:
        if isinstance(self._cores, str):
            return [{"error": self._cores}]
        figures = {"styled_fps": 30.0, "input_fps": 30.0, "latency": {"inference": {"p50_ms": 10.0}}}
        return [{"figures": figures, "cores": self._cores, "fps": 30.0, "on_gpu": self.settings.get("gpu") is not None}]

    def code(self) -> int | None:
        return self._code

    def end(self) -> None:
        self._code = 0

    def kill(self) -> None:
        self._code = -9

    def wait(self, timeout_s: float) -> int | None:
        return self._code


@dataclass
class FakeNode:
    """cores: that it has. costs: cores that a stream takes there, or why it fails, by its settings.

    alive, hangs, version: what a test changes. streams: all that were started there; together: whether with others.
    """

    cores: int
    costs: Callable[[Mapping[str, Any]], float | str] = lambda settings: 0.5
    gpus: int = 0
    alive: bool = True
    hangs: bool = False
    version: str = ""
    streams: list[FakeStream] = field(default_factory=list)
    together: list[bool] = field(default_factory=list)

    def start(self, settings: Mapping[str, Any], together: bool) -> FakeStream:
        self.together.append(together)
        self.streams.append(FakeStream(settings, self.costs(settings)))
        return self.streams[-1]


class _Broken(Exception):
    """What Ray raises where a machine is gone."""


@dataclass(frozen=True, eq=False)
class _Answer:
    """Comes when its machine neither hangs nor is gone; then it fails."""

    node: FakeNode
    value: Any


class FakeRay:
    """nodes: by the name of the machine, which is its number as well. draining: that Ray is about to take away."""

    def __init__(self, nodes: Mapping[str, FakeNode]) -> None:
        self.machines, self.draining = dict(nodes), set[str]()
        self.exceptions = SimpleNamespace(RayError=_Broken)
        affinity = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda number, soft: number)
        self.util = SimpleNamespace(scheduling_strategies=affinity)
        state = SimpleNamespace(get_draining_nodes=lambda: dict.fromkeys(self.draining, 0))
        self._private = SimpleNamespace(state=SimpleNamespace(state=state))

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {
                "NodeID": name,
                "NodeManagerHostname": name,
                "Alive": node.alive,
                "Resources": {"CPU": float(node.cores), "GPU": float(node.gpus)},
            }
            for name, node in self.machines.items()
        ]

    def remote(self, **options: Any) -> Callable[[type[Keeper]], Any]:
        return lambda kind: SimpleNamespace(options=lambda scheduling_strategy: self._actor(kind, scheduling_strategy))

    def wait(self, refs: list[_Answer], num_returns: int, timeout: float) -> tuple[list[_Answer], list[_Answer]]:
        ready = [ref for ref in refs if not ref.node.hangs]
        return ready, [ref for ref in refs if ref not in ready]

    def get(self, ref: _Answer) -> Any:
        if not ref.node.alive or isinstance(ref.value, BaseException):
            raise _Broken("The machine is gone." if not ref.node.alive else str(ref.value))
        return ref.value

    def _actor(self, kind: type[Keeper], number: str) -> Any:
        node = self.machines[number]
        keeper = kind(start=node.start)

        def method(name: str) -> Any:
            def call(*arguments: Any) -> _Answer:
                if name == "hello":
                    return _Answer(node, (number, node.version) if node.version else RuntimeError("no livefilter"))
                return _Answer(node, getattr(keeper, name)(*arguments) if node.alive else None)

            return SimpleNamespace(remote=call)

        names = ("hello", "start", "end", "told")
        return SimpleNamespace(remote=lambda: SimpleNamespace(**{name: method(name) for name in names}))
