"""Engines that several runs of one process share."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from livefilter.errors import EngineFailed, LivefilterError
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineFactory, EngineOptions
from livefilter.inference.batcher import Batcher, Ordered
from livefilter.inference.checks import require_frame
from livefilter.inference.look import ComposingEngine, Look

_log = logging.getLogger(__name__)

# Grey levels, on average, by which a picture of a batch may differ from one that was drawn alone: rounding.
_ALIKE = 2.0

_Key: TypeAlias = tuple[EngineFactory, Path, int, int, EngineOptions]


@dataclass
class _Entry:
    """An engine, and for how many it is open."""

    batcher: Batcher
    users: int = 0


class EnginePool:
    """Opens one engine for all who want the same one; and, where their frames often wait for each other, further ones
    that draw several at once, which nobody needs who is alone.

    beside: runs what takes long; a thread each by default.
    """

    def __init__(self, beside: Callable[[Callable[[], None]], None] | None = None) -> None:
        self._entries: dict[_Key, _Entry] = {}
        self._refused: set[tuple[_Key, int]] = set()
        self._lock, self._opening, self._batching = threading.Lock(), threading.Lock(), threading.Lock()
        self._beside = beside or (lambda work: threading.Thread(target=work, name="batch-opener", daemon=True).start())

    def open(self, factory: EngineFactory, network: Path, width: int, height: int, options: EngineOptions) -> Engine:
        """An engine as `factory` would open it, which others may have as well.

        Raises: as the factory does.
        """
        options = replace(options, shared=True)
        key = (factory, network, width, height, options)
        with self._opening:  # two that want the same one at once get the same one
            with self._lock:
                entry = self._entries.get(key)
            if entry is None or entry.batcher.failed:
                wanted = self._batches(key) if getattr(factory, "takes_batches", False) else None
                entry = _Entry(Batcher(factory(network, width, height, options), wanted=wanted))
            with self._lock:
                self._entries[key] = entry
                entry.users += 1
        kind = _SharedComposing if isinstance(entry.batcher.engine, ComposingEngine) else _Shared
        return kind(entry.batcher, lambda: self._leave(key, entry))

    def figures(self) -> dict[str, float]:
        """Of the newest draws: milliseconds of the engines for each frame, and frames at once; empty without any."""
        with self._lock:
            draws = [draw for entry in self._entries.values() for draw in entry.batcher.recent]
        frames = sum(size for size, _ in draws)
        if not frames:
            return {}
        return {"frame_ms": sum(seconds for _, seconds in draws) / frames * 1000, "batch": frames / len(draws)}

    def _batches(self, key: _Key) -> Callable[[Batcher, int], None]:
        return lambda batcher, size: self._beside(lambda: self._open_batch(key, batcher, size))

    def _open_batch(self, key: _Key, batcher: Batcher, size: int) -> None:
        """Open an engine for so many frames at once and see that it draws each as the one for one frame does.

        One that failed is not tried again in this process: it may have been built for minutes.
        """
        factory, network, width, height, options = key
        with self._batching:  # one after the other, as building may take all of a GPU
            if batcher.closed or (key, size) in self._refused:
                return
            try:
                engine = factory(network, width, height, replace(options, batch=size))
                try:
                    _require_alike(batcher, engine, size)
                except BaseException:
                    engine.close()
                    raise
            except Exception as error:  # whatever a runtime throws, the streams go on
                if not batcher.closed:
                    self._refused.add((key, size))
                    _log.warning("%d frames are not drawn at once: %s", size, error, exc_info=_unforeseen(error))
                return
            batcher.add(size, engine)

    def _leave(self, key: _Key, entry: _Entry) -> None:
        with self._lock:
            entry.users -= 1
            left = entry.users == 0
            if left and self._entries.get(key) is entry:
                del self._entries[key]
        if left:
            entry.batcher.close()


def _unforeseen(error: Exception) -> bool:
    return not isinstance(error, LivefilterError)


def _require_alike(batcher: Batcher, engine: Engine, size: int) -> None:
    """Some networks hold their batch in constants and mix pictures up, without an error. Raises: EngineFailed."""
    info = engine.info
    chance = np.random.default_rng(1)
    pictures = [chance.integers(0, 256, (info.height, info.width, 3), np.uint8) for _ in range(size)]
    together = [styled.copy() for styled, _ in engine.run_batch(pictures, [1.0] * size)]
    for picture, styled in zip(pictures, together, strict=True):
        with batcher.turn() as alone:
            apart = np.abs(alone.run(picture).astype(np.int16) - styled).mean()
        if apart > _ALIKE:
            raise EngineFailed(f"{info.backend} draws something else then, by {apart:.0f} grey levels.")


class _Shared(Engine):
    """One user's way to an engine that others use as well. close: called once."""

    def __init__(self, batcher: Batcher, close: Callable[[], None]) -> None:
        engine = batcher.engine
        self.info, self.takes_strength, self.gives_person = engine.info, engine.takes_strength, engine.gives_person
        self.contrast = engine.contrast
        self._batcher, self._close = batcher, close
        self._closing = threading.Lock()
        self._person = None if (person := engine.person) is None else np.zeros_like(person)
        self._frame: Ordered | None = None
        self._cancelled = False

    @property
    def person(self) -> Image | None:
        return self._person

    def run(self, image: Image, strength: float = 1.0) -> Image:
        return self._drawn(Ordered(image, strength, run=id(self)))

    def verdict(self) -> str | None:
        return self._batcher.engine.verdict()

    def keep_verdict(self, verdict: str) -> None:
        self._batcher.engine.keep_verdict(verdict)

    def cancel(self) -> None:
        self._cancelled, frame = True, self._frame
        if frame is not None:
            self._batcher.leave(frame)

    def close(self) -> None:
        with self._closing:
            close, self._close = self._close, _nothing
        self._cancelled = True
        close()

    def _drawn(self, frame: Ordered) -> Image:
        require_frame(frame.image, self.info)
        self._frame = frame
        if self._cancelled:
            raise EngineFailed(f"The shared {self.info.backend} engine was closed or cancelled. Open a new one.")
        self._batcher.draw(frame)
        assert frame.styled is not None
        self._person = frame.person
        return frame.styled


class _SharedComposing(_Shared, ComposingEngine):
    """The same for an engine that gives the finished picture."""

    def __init__(self, batcher: Batcher, close: Callable[[], None]) -> None:
        super().__init__(batcher, close)
        self.nv12 = bool(getattr(batcher.engine, "nv12", False))

    def run(self, image: Image, strength: float = 1.0) -> Image:
        return ComposingEngine.run(self, image, strength)

    def compose(self, image: Image, look: Look) -> Image:
        return self._drawn(Ordered(image, look=look, run=id(self)))


def _nothing() -> None:
    """After the first time."""
