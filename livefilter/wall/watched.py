"""A stream as the wall sees it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from livefilter.errors import StageStuck
from livefilter.wall.config import StreamPlan
from livefilter.wall.hosts import Hosts
from livefilter.wall.process import GONE, NoPlace, Running
from livefilter.wall.stream import NEVER

_log = logging.getLogger(__name__)

State: TypeAlias = Literal["starting", "running", "moving", "waiting", "ended", "refused", "stopped"]
OVER = ("ended", "refused", "stopped")

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
# Between two looks for a place.
_PLACE_WAIT_S = 0.5
# A stream that has run this long has recovered, and its next failure is a new one.
_SOUND_S = 60.0
# Nothing heard for this long: it hangs. Opening an input and an engine may take long before the first word.
_SILENT_S, _START_S = 20.0, 180.0
_CLOSE_S = 10.0


class Watched:
    """Starts a stream, reads what it tells, and starts it again when it fails; alone, and ever later.

    start: starts it somewhere; by default on this machine, alone. Raises: NoPlace: not now.
    told: what the process has said last. restarts: how often it was started again. error: the last failure.
    lacks: why it cannot be started now.
    """

    def __init__(
        self,
        plan: StreamPlan,
        *,
        start: Callable[[StreamPlan], Running] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plan = plan
        self.state: State = "waiting"
        self.told: dict[str, Any] = {}
        self.restarts = 0
        self.error = self.lacks = ""
        self.running: Running | None = None
        self._open, self._clock = start or Hosts().open, clock
        self._starts = 0
        self._fault = ""
        self._began = self._heard = self._again_at = clock()
        self._wait_s = _FIRST_WAIT_S
        self._start()

    @property
    def machine(self) -> str:
        """Where it runs; empty where that is this machine alone, or nowhere."""
        return self.running.machine if self.running is not None else ""

    def look(self) -> None:
        """Find out how it is and do what is needed; called again and again."""
        now = self._clock()
        if self.state == "waiting" and now >= self._again_at:
            self._start()
            return
        running = self.running
        if running is None or self.state in OVER:
            return
        code = running.code()
        self._hear(running, now)
        patience_s = {"running": _SILENT_S, "moving": _CLOSE_S}.get(self.state, _START_S)
        if code is None and now - self._heard > patience_s:
            if self.state != "moving":
                self._fault = f"It has said nothing for {patience_s:.0f} s and was ended."
            running.kill()
            code = GONE if self.state == "moving" else 1
        if code is not None:
            self._ended(code, now)

    def move(self) -> None:
        """End it here, and start it where there is a place; at once, as nothing has failed."""
        if self.running is not None and self.state in ("starting", "running"):
            self.running.end()
            self.state, self._heard = "moving", self._clock()

    def end(self) -> None:
        """Ask the process to end; `close` waits for it."""
        if self.running is not None:
            self.running.end()

    def close(self) -> None:
        """End the process. Can be called twice.

        Raises: StageStuck: it does not end, not even by force.
        """
        self.state = "stopped" if self.state not in OVER else self.state
        running, self.running = self.running, None
        if running is None:
            return
        running.end()
        if running.wait(_CLOSE_S) is None:
            running.kill()
            if running.wait(_CLOSE_S) is None:
                where = f" on {running.machine}" if running.machine else ""
                raise StageStuck(f"The stream {self.plan.name} does not end{where}; end its process there.")

    def _start(self) -> None:
        self._began = self._heard = self._clock()
        try:
            self.running = self._open(self.plan)
        except NoPlace as error:
            self.state, self.lacks, self._again_at = "waiting", str(error), self._began + _PLACE_WAIT_S
            return
        self.state, self.told, self.lacks, self._fault = "starting", {}, "", ""
        self.restarts = self._starts
        self._starts += 1

    def _hear(self, running: Running, now: float) -> None:
        for said in running.told():
            if self.state != "moving":
                self._heard = now
            if "error" in said:
                self._fault = str(said["error"])
            else:
                self.told = {**self.told, **said}
            if "figures" in said and self.state == "starting":
                self.state = "running"

    def _ended(self, code: int, now: float) -> None:
        where, moved = self.machine, self.state == "moving"
        self.running = None
        if moved or code == GONE:
            self.error = f"It was moved from {where or 'its GPU'}." if moved else f"{where} is gone."
            self._wait_s, self._again_at = _FIRST_WAIT_S, now
            self.state = "waiting"
            return
        if code == 0:
            self.state = "ended"
            return
        self.error = self._fault or f"Its process ended with code {code}."
        if code == NEVER:
            self.state = "refused"
            _log.error("Stream %s: %s", self.plan.name, self.error)
            return
        self._wait_s = _FIRST_WAIT_S if now - self._began > _SOUND_S else min(self._wait_s * 2, _LONGEST_WAIT_S)
        self._again_at = now + self._wait_s
        self.state = "waiting"
        _log.warning("Stream %s: %s Started again in %.0f s.", self.plan.name, self.error, self._wait_s)
