"""Workers on this machine alone: the first one begins at once, and Ray comes when there is work for more."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from livefilter.cluster.crew import Crew, Event, Member, Said
from livefilter.cluster.own_worker import OwnWorker
from livefilter.cluster.recipe import Recipe
from livefilter.cluster.start import Session
from livefilter.cluster.tasks import Task

_RAY = "Ray on this machine"
# While both are waited for, the driver's own worker is asked so often.
_POLL_S = 0.05


class HereFirst:
    """A crew of the driver's own worker and, as soon as a task is waiting, of those that Ray starts beside it.

    own: its process. workers: of all. open_session: starts Ray. open_crew: Ray's workers, so many.
    """

    def __init__(
        self,
        own: OwnWorker,
        recipe: Recipe,
        here: str,
        workers: int,
        open_session: Callable[[], Session],
        open_crew: Callable[[Session, int], Crew],
    ) -> None:
        self._own, self._more = own, workers - 1
        self._open_session, self._open_crew = open_session, open_crew
        self._crew: Crew | None = None
        self._session: Session | None = None
        self._error: BaseException | None = None
        self._ending = threading.Event()
        # Ray ends what it has started together with the thread that did it.
        self._thread: threading.Thread | None = None
        own.begin(recipe, here)

    def members(self) -> list[Member]:
        own = [self._own.member] if self._own.member is not None else []
        return own + (self._crew.members() if self._crew is not None else [])

    def starting(self) -> set[str]:
        if self._crew is not None:
            return self._crew.starting()
        return {_RAY} if self._thread is not None else set()

    def needed(self) -> None:
        if self._more and self._thread is None:
            self._thread = threading.Thread(target=self._run_ray, name="ray", daemon=True)
            self._thread.start()

    def submit(self, member: Member, task: Task) -> None:
        if member == self._own.member:
            self._own.submit(task)
        elif self._crew is not None:
            self._crew.submit(member, task)

    def cancel(self, member: Member, task: Task) -> None:
        if self._own.task is not None and self._own.task.number == task.number and member == self._own.member:
            self._own.cancel(task.number)
        elif self._crew is not None:
            self._crew.cancel(member, task)

    def progress(self) -> dict[int, tuple[int, int]]:
        own = {0: self._own.progress()} if self._own.task is not None else {}
        return own | (self._crew.progress() if self._crew is not None else {})

    def wait(self, timeout_s: float) -> list[Event]:
        ends = time.monotonic() + timeout_s
        ready = self._own.member is not None
        while True:
            events = self._take_ray()
            left_s = max(0.0, ends - time.monotonic())
            events += self._own.poll(0.0 if events or self._crew is not None else min(left_s, _POLL_S))
            if self._crew is not None and not events:
                events = self._crew.wait(min(left_s, _POLL_S))
            if events or not left_s or ready != (self._own.member is not None):
                return events

    def close(self) -> None:
        self._own.close()
        if self._crew is not None:
            self._crew.close()
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def _take_ray(self) -> list[Event]:
        """Take Ray's workers in once it has started."""
        if self._error is not None:
            raise self._error
        session = self._session
        if session is None or self._crew is not None:
            return []
        self._crew = self._open_crew(session, self._more)
        return [Said(f"Dashboard: {session.dashboard}")] if session.dashboard else []

    def _run_ray(self) -> None:
        try:
            session = self._open_session()
        except BaseException as error:  # raised again by `wait`
            self._error = error
            return
        self._session = session
        self._ending.wait()
        with contextlib.suppress(Exception):
            session.close()
