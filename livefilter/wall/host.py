"""Streams of a wall in one process, which share their engines: `python -m livefilter.wall.host`.

On stdin come lines of JSON: {"start": NUMBER, "settings": {...}} and {"end": NUMBER}. What a stream tells comes as a
line on stdout with its number under "stream", at last its exit code under "code". All end when stdin does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from typing import Any

import livefilter.quiet  # noqa: F401 - before every library that would report its use
from livefilter.errors import StageStuck
from livefilter.inference.engine_pool import EnginePool
from livefilter.wall.stream import LATER, leave_the_terminal_to_the_wall, run_told, tell

_CLOSE_S = 8.0


class Host:
    """Runs each stream on a thread of its own; one that fails ends alone."""

    def __init__(self) -> None:
        self._pool = EnginePool()
        self._ended: dict[int, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._telling = threading.Lock()

    def follow(self, lines: Iterable[str]) -> None:
        """Do what is asked, until there is nothing more; then end all streams."""
        for line in lines:
            said = json.loads(line)
            if "start" in said:
                self._start(int(said["start"]), said["settings"])
            elif said.get("end") in self._ended:
                self._ended[said["end"]].set()
        for ended in list(self._ended.values()):
            ended.set()
        until = time.monotonic() + _CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _start(self, number: int, settings: dict[str, Any]) -> None:
        self._ended[number] = threading.Event()
        thread = threading.Thread(target=self._run, args=(number, settings), name=f"stream-{number}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, number: int, settings: dict[str, Any]) -> None:
        def say(told: dict[str, Any]) -> None:
            with self._telling:
                tell({"stream": number} | told)

        try:
            code = run_told(settings, self._ended[number], say, self._pool, lambda: max(1, len(self._ended)))
        except StageStuck:
            os._exit(LATER)  # a thread that does not end holds on to what it has, until its process ends
        except Exception:  # a fault of ours ends this stream, which the wall starts again, and not the others
            traceback.print_exc()
            code = LATER
        del self._ended[number]
        say({"code": code})


def main() -> int:
    """Run streams until stdin ends."""
    leave_the_terminal_to_the_wall()
    Host().follow(sys.stdin)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a driver's thread may never come back
