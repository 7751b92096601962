"""The processes in which streams share an engine, on this machine."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from livefilter.errors import LivefilterError
from livefilter.inference.hardware import find_gpu
from livefilter.inference.selection import choose_backend, numbers_gpus, runs_on_gpu
from livefilter.wall.config import StreamPlan
from livefilter.wall.gpus import Gpus
from livefilter.wall.process import Running, StreamProcess
from livefilter.wall.stream import LATER

COMMAND = (sys.executable, "-m", "livefilter.wall.host")
# Python runs the pictures of one process in turn, but for what libraries do.
_MOST = 8
# Streams that agree in these draw with the same engine where their frames are of one size.
_ALIKE = ("style", "network", "process_size", "backend", "threads", "gpu", "cuda", "nv12")
_POLL_S = 0.02


class Hosts:
    """Starts streams: alone, or in a process with others that draw with the same engine.

    gpus: of this machine, for `open`.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        alone: type[StreamProcess] = StreamProcess,
        gpus: Gpus | None = None,
    ) -> None:
        self._command, self._alone, self._gpus = command, alone, gpus or Gpus()
        self._hosts: dict[tuple[Any, ...], list[_Host]] = {}

    def open(self, plan: StreamPlan) -> Running:
        """Start a stream on this machine as its plan has it, on the GPU that is least busy if it draws on one."""
        backend = _backend(str(plan.settings.get("backend", "auto")))
        together = plan.shares(on_gpu=bool(backend) and runs_on_gpu(backend))
        if not numbers_gpus(backend):
            return self.start(plan.settings, together, plan.name)
        return self._gpus.start(plan, lambda settings: self.start(settings, together, plan.name))

    def leaves(self, run: Running, plan: StreamPlan) -> bool:
        """Whether a stream that `open` has started is to be moved to another GPU of this machine."""
        return self._gpus.leaves(run, plan)

    def start(self, settings: Mapping[str, Any], together: bool, name: str = "") -> Running:
        """Start a stream. together: with others like it, of which one that fails to end takes all with it."""
        if not together:
            return self._alone(settings, name)
        kind = tuple(repr(settings.get(key)) for key in _ALIKE)
        alike = self._hosts[kind] = [host for host in self._hosts.get(kind, []) if host.open]
        host = next((host for host in alike if len(host.streams) < _MOST), None)
        if host is None:
            host = _Host(self._command)
            alike.append(host)
        return host.start(settings)


class HostedStream:
    """A stream in a process that others use as well."""

    machine = ""

    def __init__(self, host: _Host, number: int) -> None:
        self._host, self._number = host, number
        self._told: list[dict[str, Any]] = []
        self._code: int | None = None

    def hear(self, told: dict[str, Any]) -> None:
        """Take what the process tells of it."""
        if "code" in told:
            self._code = int(told["code"])
        else:
            self._told.append(told)

    def told(self) -> list[dict[str, Any]]:
        self._host.hear()
        told, self._told = self._told, []
        return told

    def code(self) -> int | None:
        self._host.hear()
        return self._code

    def end(self) -> None:
        self._host.process.say({"end": self._number})

    def kill(self) -> None:
        """A thread cannot be ended by force, so the process is, with all streams in it."""
        if self._code is None:
            self._host.process.kill()

    def wait(self, timeout_s: float) -> int | None:
        ends = time.monotonic() + timeout_s
        while self.code() is None and time.monotonic() < ends:
            time.sleep(_POLL_S)
        return self._code


class _Host:
    """One process with its streams, by their numbers."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = StreamProcess({}, "shared", command)
        self.streams: dict[int, HostedStream] = {}
        self.open = True
        self._number = 0

    def start(self, settings: Mapping[str, Any]) -> HostedStream:
        self._number += 1
        stream = self.streams[self._number] = HostedStream(self, self._number)
        self.process.say({"start": self._number, "settings": dict(settings)})
        return stream

    def hear(self) -> None:
        """Hand to each stream what is told of it; the process ends with the last one."""
        code = self.process.code()
        for told in self.process.told():
            number = told.pop("stream", 0)
            stream = self.streams.get(number)
            if stream is None:
                continue
            stream.hear(told)
            if "code" in told:
                del self.streams[number]
        if code is not None:
            for stream in self.streams.values():
                stream.hear({"code": code or LATER})
            self.streams.clear()
        if not self.streams and self.open:
            self.open = False
            self.process.end()


@functools.lru_cache(maxsize=16)
def _backend(named: str) -> str:
    """What a stream with that setting draws with here; "" for a processor, or where its own process says why not."""
    if named != "auto":
        return named
    if sys.platform.startswith("linux") and isinstance(find_gpu(), str):
        return ""  # without asking every runtime
    try:
        return choose_backend(named)[0]
    except LivefilterError:
        return ""
