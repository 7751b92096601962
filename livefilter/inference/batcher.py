"""One engine for the frames of several threads."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from livefilter.errors import EngineFailed, GpuFault, LivefilterError
from livefilter.frame import Image
from livefilter.inference.base import Engine
from livefilter.inference.batch_choice import BatchChoice
from livefilter.inference.checks import closed
from livefilter.inference.look import ComposingEngine, Look

_log = logging.getLogger(__name__)

BATCHES = (2, 4, 8)
# So many frames at once are wanted when as many have waited together in this many of the newest draws.
_OFTEN, _OF = 30, 300
# Of so many draws the figures are.
_RECENT = 120
# A run that has brought no frame for so long rests.
_ACTIVE_S = 1.0


@dataclass(eq=False, slots=True)
class Ordered:
    """A frame that waits to be drawn, and what became of it.

    look: for an engine that composes. run: whose it is. came_s: when it came, set by the batcher.
    styled, person: as of Engine, but arrays of its own. gone: nobody waits any more.
    """

    image: Image
    strength: float = 1.0
    look: Look | None = None
    run: int = 0
    came_s: float = 0.0
    styled: Image | None = None
    person: Image | None = None
    error: BaseException | None = None
    gone: bool = False

    @property
    def over(self) -> bool:
        return self.styled is not None or self.error is not None or self.gone


class Batcher:
    """Draws the frames of several threads with one engine, first come, first served.

    No frame waits for another one to come. What has come while the engine was busy is drawn together where that was
    measured to be faster and no frame is done later for it than it could have been in turn.
    engine: its owner from now on. wanted: told, once for each of BATCHES, that an engine for so many frames at once
    would often have had them; `add` takes one. failed: it has failed, and draws no more.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], float] = time.perf_counter,
        wanted: Callable[[Batcher, int], None] | None = None,
    ) -> None:
        self.engine = engine
        self.failed = False
        self._engines = {1: engine}
        self._clock = clock
        self._choice = BatchChoice()
        self._waiting: deque[Ordered] = deque()
        self._changed = threading.Condition()
        self._runs: dict[int, float] = {}  # when each has brought its newest frame
        self._wanted, self._asked = wanted, set[int]()
        self._crowds: deque[int] = deque(maxlen=_OF)  # frames that waited together, of the newest draws
        self._busy = self._closed = False
        self._recent: deque[tuple[int, float]] = deque(maxlen=_RECENT)

    @property
    def closed(self) -> bool:
        """Whether all is over."""
        return self._closed

    @property
    def recent(self) -> list[tuple[int, float]]:
        """Of the newest draws: how many frames at once, and seconds."""
        with self._changed:
            return list(self._recent)

    def draw(self, frame: Ordered) -> None:
        """Wait until a frame is drawn, or `leave` was called for it; draw it and others when it is this one's turn.

        Raises: EngineError.
        """
        with self._changed:
            frame.came_s = self._runs[frame.run] = self._clock()
            self._waiting.append(frame)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: frame.over or not self._busy)
                if frame.over:
                    break
                self._busy = True
                batch = self._next()
            try:
                self._draw(batch)
            finally:
                self._free()
            self._ask()
        if frame.error is not None:
            raise frame.error
        if frame.gone:
            raise EngineFailed(f"{self.engine.info.backend} was told to draw this frame no more.")

    def leave(self, frame: Ordered) -> None:
        """Let whoever waits for a frame go; any thread may call it."""
        with self._changed:
            frame.gone = True
            if frame in self._waiting:
                self._waiting.remove(frame)
            self._changed.notify_all()

    def add(self, size: int, engine: Engine) -> None:
        """Take an engine that draws so many frames at once; it is closed at once if all is over."""
        with self._changed:
            late = self._closed
            if not late:
                self._engines[size] = engine
        if late:
            engine.close()

    @contextmanager
    def turn(self) -> Iterator[Engine]:
        """The engine for one frame, alone, between those of others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy)
            self._busy = True
        try:
            yield self.engine
        finally:
            self._free()

    def close(self) -> None:
        """Free the engines. Can be called twice."""
        with self.turn():
            with self._changed:
                self._closed, engines, self._engines = True, list(self._engines.values()), {1: self.engine}
            for engine in engines:
                engine.close()

    def _next(self) -> list[Ordered]:
        """The frames that are drawn now."""
        now = self._clock()
        self._runs = {run: came for run, came in self._runs.items() if now - came < _ACTIVE_S}
        first = self._waiting[0]
        alike = [frame for frame in self._waiting if frame.look == first.look]
        waited = [now - frame.came_s for frame in alike]
        others = [now - frame.came_s for frame in self._waiting if frame.look != first.look]
        runs = max(len(self._runs), len(self._waiting))
        batch = alike[: self._choice.size(waited, runs, self._engines, others)]
        for frame in batch:
            self._waiting.remove(frame)
        self._crowds.append(len(alike))
        return batch

    def _ask(self) -> None:
        """Ask for what would often have been of use."""
        if self._wanted is None:
            return
        with self._changed:
            newest = self._crowds[-1]
            might = [size for size in BATCHES if size <= newest and size not in self._asked]
            often = [size for size in might if sum(crowd >= size for crowd in self._crowds) >= _OFTEN]
            self._asked.update(often)
        for size in often:
            self._wanted(self, size)

    def _free(self) -> None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()

    def _draw(self, batch: Sequence[Ordered]) -> None:
        began = self._clock()
        try:
            if self._closed:
                raise closed(self.engine.info)
            for frame, (styled, person) in zip(batch, self._drawn(batch), strict=True):
                frame.person = None if person is None else person.copy()
                frame.styled = styled.copy()
        except BaseException as error:
            lost = isinstance(error, GpuFault) and error.lost  # with all that is open on that GPU
            if isinstance(error, LivefilterError) and len(batch) > 1 and not self._closed and not lost:
                self._give_up(len(batch), error)
                for frame in batch:
                    self._draw([frame])
                return
            self.failed = True
            for frame in batch:
                frame.error = error
            return
        seconds = self._clock() - began
        with self._changed:
            self._choice.note(len(batch), seconds)
            self._recent.append((len(batch), seconds))

    def _give_up(self, size: int, error: LivefilterError) -> None:
        """Draw no more so many at once, as when a GPU has no memory for them."""
        _log.warning("%d frames are no more drawn at once: %s", size, error)
        with self._changed:
            engine = self._engines.pop(size)
        engine.close()

    def _drawn(self, batch: Sequence[Ordered]) -> list[tuple[Image, Image | None]]:
        engine, first = self._engines[len(batch)], batch[0]
        if first.look is not None and isinstance(engine, ComposingEngine):
            return engine.compose_batch([frame.image for frame in batch], first.look)
        return engine.run_batch([frame.image for frame in batch], [frame.strength for frame in batch])
