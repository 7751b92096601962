"""Raw samples of one measured window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from livefilter.metrics import Metrics


@dataclass
class Window:
    """What happened between `begin` and `end`.

    stages: stage -> seconds of every frame. sends: the moment of every send, repeats included.
    beats: the source's beat of every new frame that was sent, in order. styled: frames that were styled.
    """

    duration_s: float = 0.0
    stages: dict[str, list[float]] = field(default_factory=dict)
    sends: list[float] = field(default_factory=list)
    beats: list[int] = field(default_factory=list)
    styled: int = 0


class Recorder(Metrics):
    """The pipeline's metrics, kept raw and in full, from the moment `begin` is called.

    The pipeline's own "capture" holds the wait for the camera and its "output" and "age" hold repeats, so these
    three come from the benchmark's source and sink instead, which serve every loop alike.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(clock=clock)
        self._guard = threading.Lock()
        self._now = clock
        self._window = Window()
        self._began: float | None = None

    def begin(self) -> None:
        """Forget the warm-up and keep what comes from now on."""
        with self._guard:
            self._window, self._began = Window(), self._now()

    def end(self) -> Window:
        """Stop keeping; what was kept since `begin`."""
        with self._guard:
            if self._began is not None:
                self._window.duration_s = self._now() - self._began
            self._began = None
            return self._window

    def record(self, stage: str, seconds: float) -> None:
        if stage not in ("capture", "output", "age"):
            self.note(stage, seconds)

    def note(self, stage: str, seconds: float) -> None:
        """Add one frame's seconds in a stage."""
        with self._guard:
            if self._began is not None:
                self._window.stages.setdefault(stage, []).append(seconds)

    def count(self, kind: str) -> None:
        if kind == "styled":
            with self._guard:
                if self._began is not None:
                    self._window.styled += 1

    def note_sent(self, at: float, beat: int | None) -> None:
        """Add one send; beat: the source's beat of a new frame, None for a repeat."""
        with self._guard:
            if self._began is not None:
                self._window.sends.append(at)
                if beat is not None:
                    self._window.beats.append(beat)
