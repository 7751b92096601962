"""A stream as the wall sees it."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, Any, Literal, TypeAlias

from livefilter.errors import StageStuck
from livefilter.wall.config import StreamPlan
from livefilter.wall.stream import NEVER

_log = logging.getLogger(__name__)

State: TypeAlias = Literal["starting", "running", "waiting", "ended", "refused", "stopped"]

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
# A stream that has run this long has recovered, and its next failure is a new one.
_SOUND_S = 60.0
# Nothing heard for this long: it hangs. Opening an input and an engine may take long before the first word.
_SILENT_S, _START_S = 20.0, 180.0
_CLOSE_S = 10.0
_COMMAND = (sys.executable, "-m", "livefilter.wall.stream")


class Watched:
    """Starts the process of a stream, reads what it tells, and starts it again when it fails; alone, and ever later.

    told: what the process has said last. restarts: how often it was started again. error: the last failure.
    """

    def __init__(
        self, plan: StreamPlan, *, command: Sequence[str] = _COMMAND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.plan = plan
        self.state: State = "starting"
        self.told: dict[str, Any] = {}
        self.restarts = 0
        self.error = ""
        self._command, self._clock = list(command), clock
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._began = self._heard = clock()
        self._again_at = 0.0
        self._wait_s = _FIRST_WAIT_S
        self._start()

    def look(self) -> None:
        """Find out how it is and do what is needed; called again and again."""
        now = self._clock()
        if self.state == "waiting" and now >= self._again_at:
            self.restarts += 1
            self._start()
            return
        process = self._process
        if process is None or self.state not in ("starting", "running"):
            return
        code = process.poll()
        patience_s = _SILENT_S if self.state == "running" else _START_S
        if code is None and now - self._heard > patience_s:
            self.error = f"It has said nothing for {patience_s:.0f} s and was ended."
            process.kill()
            code = process.wait()
        if code is not None:
            self._ended(code, now)

    def close(self) -> None:
        """End the process. Can be called twice.

        Raises: StageStuck: it does not end, not even by force.
        """
        self.state = "stopped" if self.state not in ("ended", "refused") else self.state
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError, ValueError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            try:
                process.wait(_CLOSE_S)
            except subprocess.TimeoutExpired:
                raise StageStuck(f"The stream {self.plan.name} does not end; end process {process.pid}.") from None
        if self._reader is not None:
            self._reader.join(_CLOSE_S)

    def _start(self) -> None:
        self.state, self.told = "starting", {}
        self._began = self._heard = self._clock()
        process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        # Over stdin, as keys of streams in arguments are seen by everybody on this machine.
        with contextlib.suppress(OSError):
            process.stdin.write(json.dumps(dict(self.plan.settings)) + "\n")
            process.stdin.flush()
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), name=f"wall-{self.plan.name}")
        self._reader.daemon = True
        self._reader.start()

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                try:
                    said = json.loads(line)
                except ValueError:
                    continue  # a library prints
                self._heard = self._clock()
                if "error" in said:
                    self.error = str(said["error"])
                else:
                    self.told = {**self.told, **said}
                if "figures" in said and self.state == "starting":
                    self.state = "running"

    def _ended(self, code: int, now: float) -> None:
        if self._reader is not None:
            self._reader.join(_CLOSE_S)
        if code == 0:
            self.state = "ended"
            return
        if code == NEVER:
            self.state = "refused"
            _log.error("Stream %s: %s", self.plan.name, self.error)
            return
        self.error = self.error or f"Its process ended with code {code}."
        self._wait_s = _FIRST_WAIT_S if now - self._began > _SOUND_S else min(self._wait_s * 2, _LONGEST_WAIT_S)
        self._again_at = now + self._wait_s
        self.state = "waiting"
        _log.warning("Stream %s: %s Started again in %.0f s.", self.plan.name, self.error, self._wait_s)
