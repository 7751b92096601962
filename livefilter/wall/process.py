"""The process of a stream, on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Any, Protocol

from livefilter.errors import LivefilterError

COMMAND = (sys.executable, "-m", "livefilter.wall.stream")
# In place of an exit code: its machine is gone, and it with it.
GONE = -1000
_READ_S, _KILLED_S = 10.0, 1.0
# What a stream has no business with: the key to the cluster, and that its keeper takes no GPU for itself.
_KEPT_FROM = ("RAY_AUTH_TOKEN",)
_NO_GPU = "CUDA_VISIBLE_DEVICES"


class NoPlace(LivefilterError):
    """A stream cannot be started now; it may be in a moment."""


class Running(Protocol):
    """A stream that was started, here or elsewhere. machine: its name; empty for this one."""

    machine: str

    def told(self) -> list[dict[str, Any]]:
        """What it has said since the last question."""

    def code(self) -> int | None:
        """Its exit code; None while it runs, GONE when its machine went with it."""

    def end(self) -> None:
        """Ask it to end; nobody waits. Can be called twice."""

    def kill(self) -> None:
        """End it by force. Can be called twice."""

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, once it has one or the time is over."""


class StreamProcess:
    """Starts `python -m livefilter.wall.stream` and reads what it tells.

    first: the line that it is told first, which is its settings, all of them. name: of the thread that reads.
    """

    machine = ""

    def __init__(self, first: Mapping[str, Any], name: str = "", command: Sequence[str] = COMMAND) -> None:
        environment = {key: text for key, text in os.environ.items() if key not in _KEPT_FROM}
        if not environment.get(_NO_GPU, "-"):
            del environment[_NO_GPU]
        self.process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        assert self.process.stdout is not None
        self.say(first)
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), name=f"wall-{name}")
        self._reader.daemon = True
        self._reader.start()

    def say(self, line: Mapping[str, Any]) -> None:
        """Tell it something, if it still listens."""
        # Over stdin, as keys of streams in arguments are seen by everybody on this machine.
        with contextlib.suppress(OSError, ValueError):
            if self.process.stdin is not None:
                self.process.stdin.write(json.dumps(dict(line)) + "\n")
                self.process.stdin.flush()

    def told(self) -> list[dict[str, Any]]:
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._told.get_nowait())
        return found

    def code(self) -> int | None:
        code = self.process.poll()
        if code is not None:
            self._reader.join(_READ_S)  # its last words are there before its code
        return code

    def end(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self.process.stdin is not None:
                self.process.stdin.close()

    def kill(self) -> None:
        self.process.kill()
        self.wait(_KILLED_S)

    def wait(self, timeout_s: float) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout_s)
        return self.code()

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                try:
                    said = json.loads(line)
                except ValueError:
                    continue  # a library prints
                if isinstance(said, dict):
                    self._told.put(said)
