"""A stream that runs on a machine of a cluster, as the wall sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from livefilter.wall.cost import Cost, cost_of

_POLL_S = 0.1
# So many seconds of figures, of which a stream tells one a second.
_SETTLED = 5


class RemoteRun:
    """What a keeper elsewhere has started under a number.

    machine: its name. node, gpu: where it runs. command: hands `end` and `kill` to the keeper. poll: asks all keepers
    how their streams are; waits so many seconds at most. cost: what it takes, as it was measured last.
    trial: nobody sees it.
    """

    def __init__(
        self,
        machine: str,
        node: str,
        gpu: int,
        cost: Cost,
        command: Callable[[bool], None],
        poll: Callable[[float], None],
        trial: bool = False,
    ) -> None:
        self.machine, self.node, self.gpu, self.cost = machine, node, gpu, cost
        self.trial = trial
        self._seconds = 0
        self._command, self._poll = command, poll
        self._told: list[dict[str, Any]] = []
        self._last: dict[str, Any] = {}
        self._code: int | None = None

    def hear(self, told: list[dict[str, Any]], code: int | None) -> None:
        """Take what the keeper tells."""
        self._told += told
        for said in told:
            self._last |= said
            cost = cost_of(self._last) if "figures" in said else None
            if cost is not None:
                self.cost = cost
                self._seconds += 1
        self._code = code if self._code is None else self._code

    @property
    def measured(self) -> bool:
        """Whether `cost` has settled."""
        return self._seconds >= _SETTLED

    def told(self) -> list[dict[str, Any]]:
        told, self._told = self._told, []
        return told

    def code(self) -> int | None:
        return self._code

    def end(self) -> None:
        self._command(False)

    def kill(self) -> None:
        self._command(True)

    def wait(self, timeout_s: float) -> int | None:
        ends = time.monotonic() + timeout_s
        while self._code is None and time.monotonic() < ends:
            self._poll(_POLL_S)
        return self._code
