"""How far a build has come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class BuildProgress:
    """Turns TensorRT's nested phases into one fraction that never falls.

    TensorRT calls from threads of its own, repeats the names of phases, and never finishes some; a phase counts for
    one step of its parent.

    report: told the fraction, 0 to 1, and the name of the phase that moved.
    """

    def __init__(self, report: Callable[[float, str], None]) -> None:
        self._report = report
        self._phases: dict[str, _Phase] = {}
        self._reached = 0.0
        self._lock = threading.Lock()

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """A phase of so many steps begins, inside `parent`."""
        with self._lock:
            self._phases[name] = _Phase(parent if parent != name else None, max(1, steps))
        self._tell(name)

    def step(self, name: str, step: int) -> None:
        """Step number `step`, from 0, of a phase is done."""
        with self._lock:
            if name in self._phases:
                self._phases[name].done = step + 1
        self._tell(name)

    def finish(self, name: str) -> None:
        """A phase has ended, whether or not all its steps were seen."""
        with self._lock:
            phase = self._phases.pop(name, None)
            if phase is not None and phase.parent is None:
                self._reached = 1.0
        self._tell(name)

    def _tell(self, name: str) -> None:
        with self._lock:
            roots = [key for key, phase in self._phases.items() if phase.parent not in self._phases]
            fraction = max((self._fraction(root, 0) for root in roots), default=self._reached)
            # 1 is kept for the end: some builds go on after the last step of the outermost phase.
            self._reached = max(self._reached, min(fraction, 0.99))
            reached = self._reached
        self._report(reached, name)

    def _fraction(self, name: str, depth: int) -> float:
        phase = self._phases[name]
        inner = [key for key, other in self._phases.items() if other.parent == name and depth < 20]
        part = max((self._fraction(key, depth + 1) for key in inner), default=0.0)
        return min(1.0, (phase.done + part) / phase.steps)
