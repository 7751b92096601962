"""Actions that are undone by themselves, such as "paprika for 30 seconds"."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from livefilter.errors import Busy, LivefilterError

MAX_WAITING = 20


@dataclass(frozen=True, slots=True)
class _Wish:
    action: str
    values: dict[str, Any]
    for_s: float
    cooldown_s: float


@dataclass(slots=True)
class _Lane:
    """What is timed of one setting: the one that runs, those that wait, and when what is next may happen."""

    waiting: deque[_Wish] = field(default_factory=deque)
    running: _Wish | None = None
    undo: tuple[Any, Any] = (None, None)
    due: float = 0.0  # the running one ends, or the cooldown does


class TimedActions:
    """Does timed actions one after the other for each setting, on a thread of its own that starts with the first.

    apply: does one; gives the setting's value before and after. give_back: undoes it, with those two.
    """

    def __init__(
        self,
        apply: Callable[[str, str, dict[str, Any]], tuple[Any, Any]],
        give_back: Callable[[str, Any, Any], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._apply, self._give_back, self._clock = apply, give_back, clock
        self._lanes: dict[str, _Lane] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def add(self, lane: str, action: str, values: dict[str, Any], for_s: float, cooldown_s: float = 0.0) -> None:
        """Do an action now, or when those before it on the same setting have ended and cooled down.

        Raises: Busy: too many wait already. What doing it raises, where it can be done at once.
        """
        with self._changed:
            line = self._lanes.setdefault(lane, _Lane())
            if len(line.waiting) >= MAX_WAITING:
                raise Busy(f"{MAX_WAITING} timed actions wait for {lane} already. Try again later.")
            line.waiting.append(_Wish(action, values, for_s, cooldown_s))
            if line.running is None and len(line.waiting) == 1 and self._clock() >= line.due:
                self._begin(lane, line)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="timed-actions", daemon=True)
                self._thread.start()
            self._changed.notify()

    def state(self) -> list[dict[str, Any]]:
        """What runs and waits, for each setting that has any: what, how long it goes on, and how many follow."""
        with self._changed:
            now = self._clock()
            return [
                {
                    "setting": name,
                    "action": lane.running.action if lane.running else None,
                    "left_s": round(max(0.0, lane.due - now), 1),
                    "waiting": len(lane.waiting),
                }
                for name, lane in self._lanes.items()
                if lane.running or lane.waiting
            ]

    def step(self) -> float | None:
        """Do what is due now; seconds until the next thing is, None when nothing is left."""
        with self._changed:
            for name, lane in self._lanes.items():
                now = self._clock()
                if lane.running is not None and now >= lane.due:
                    ended, lane.running = lane.running, None
                    self._give_back(name, *lane.undo)
                    lane.due = now + ended.cooldown_s
                while lane.running is None and lane.waiting and now >= lane.due:
                    try:
                        self._begin(name, lane)
                    except LivefilterError:
                        continue  # it was refused, so it is over; the next one may be better
            busy = [lane.due for lane in self._lanes.values() if lane.running or lane.waiting]
            return max(0.0, min(busy) - self._clock()) if busy else None

    def close(self) -> None:
        """Forget all of it, and end the thread. Can be called twice."""
        with self._changed:
            self._closed = True
            self._lanes.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(5.0)

    def _begin(self, name: str, lane: _Lane) -> None:
        wish = lane.waiting.popleft()
        lane.undo = self._apply(name, wish.action, wish.values)
        lane.running, lane.due = wish, self._clock() + wish.for_s

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                self._changed.wait(self.step())
