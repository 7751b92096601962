"""A worker in a process of the driver's own: `python -m livefilter.cluster.own_worker FD`."""

from __future__ import annotations

import contextlib
import os
import platform
import queue
import subprocess
import sys
import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import livefilter.quiet  # noqa: F401 - before every library that would report its use
from livefilter.cluster.crew import Event, Finished, Lost, Member
from livefilter.cluster.recipe import Recipe
from livefilter.cluster.tasks import Hello, Outcome, Task
from livefilter.cluster.worker import Worker
from livefilter.errors import ClusterUnavailable, LivefilterError

_NODE = "the driver's own"
_MOST_STARTS = 3
_CLOSE_S = 5.0


class OwnWorker:
    """Starts the process, which loads what it needs until `begin` tells it what to do.

    member: once it is ready. task: what it does.
    """

    def __init__(self) -> None:
        self.member: Member | None = None
        self.task: Task | None = None
        self._done = (-1, 0)
        self._starts = 0
        self._told: tuple[Recipe, str] | None = None
        self._start()

    def begin(self, recipe: Recipe, here: str) -> None:
        """Get ready. here: a file in the folder of results."""
        self._told = (recipe, here)
        self._send(self._told)

    def submit(self, task: Task) -> None:
        self.task, self._done = task, (task.number, 0)
        self._send(task)

    def cancel(self, number: int) -> None:
        self._send(number)

    def progress(self) -> tuple[int, int]:
        """The task in work, and how many of its frames were done a moment ago."""
        self._send(None)
        return self._done

    def poll(self, timeout_s: float) -> list[Event]:
        """What has happened; waits until something has, or the time is over.

        Raises: ClusterUnavailable: it cannot style so, or does not start.
        """
        events: list[Event] = []
        try:
            while self._pipe.poll(0 if events else timeout_s):
                timeout_s = 0.0
                self._take(self._pipe.recv(), events)
        except (EOFError, OSError):
            self._died(events)
        return events

    def close(self) -> None:
        """End it. Can be called twice."""
        self._pipe.close()
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_S)
        self.member = None

    def _start(self) -> None:
        self._pipe, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-m", "livefilter.cluster.own_worker", str(theirs.fileno())]
            quiet = subprocess.DEVNULL
            # In a session of its own: Ctrl-C is for the driver, which cancels what it has handed out.
            self._process = subprocess.Popen(
                command, stdin=quiet, stdout=quiet, stderr=quiet, pass_fds=[theirs.fileno()], start_new_session=True
            )
        self._starts += 1

    def _send(self, said: Any) -> None:
        with contextlib.suppress(OSError):  # that it has died is found when it is asked
            self._pipe.send(said)

    def _take(self, said: Any, events: list[Event]) -> None:
        if isinstance(said, Hello):
            self._starts = 0
            self.member = Member(0, _NODE, said.host, said.device, said.reaches)
        elif isinstance(said, Outcome) and self.member is not None and self.task is not None:
            task, self.task = self.task, None
            events.append(Finished(self.member, task, said))
        elif isinstance(said, tuple) and self.task is not None and said[0] == self.task.number:
            self._done = said
        elif isinstance(said, str):
            raise ClusterUnavailable(f"{platform.node()} cannot work: {said}")

    def _died(self, events: list[Event]) -> None:
        member, task = self.member, self.task
        self.close()
        self.task = None
        if member is not None and task is not None:
            events.append(Lost(member, task, with_node=False))
        if self._starts >= _MOST_STARTS:
            raise ClusterUnavailable(
                "A worker on this machine ends as soon as it is started. Render without --cluster."
            )
        self._start()
        if self._told is not None:
            self._send(self._told)


def serve(pipe: Connection) -> None:
    """Be that worker, until the driver is gone."""
    recipe, here = pipe.recv()
    try:
        worker = Worker(recipe, here)
        pipe.send(worker.hello())
    except LivefilterError as error:
        pipe.send(str(error))
        return
    sending = threading.Lock()
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()

    def send(told: Any) -> None:
        with sending:
            pipe.send(told)

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                said = pipe.recv()
                if isinstance(said, Task):
                    tasks.put(said)
                elif isinstance(said, int):
                    worker.cancel(said)
                else:
                    send(worker.progress())
        os._exit(0)

    threading.Thread(target=listen, name="driver", daemon=True).start()
    while True:
        send(worker.do(tasks.get()))


if __name__ == "__main__":
    with contextlib.suppress(EOFError, OSError):
        serve(Connection(int(sys.argv[1])))
