"""The input of a live run: lost and found again, released while nobody watches, exchanged for another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from livefilter.capture.base import Source
from livefilter.errors import EndOfStream, InvalidInput, SourceError, SourceLost, SourceUnavailable
from livefilter.frame import Frame
from livefilter.live.idle import IdleWatch

_log = logging.getLogger(__name__)
_EVERY_S = 0.5


class LiveInput:
    """Gives frames of whatever input the run has now. `read` belongs to one thread; the rest any thread may call.

    source: the first input; this object owns it. reopen: opens the same input again; None makes its loss an error.
    idle: says when the input is to be released. every_s: seconds between two attempts to open a lost
        input. read_s: how long the last frame was waited for.
    """

    def __init__(
        self, source: Source, reopen: Callable[[], Source] | None, idle: IdleWatch, every_s: float = _EVERY_S
    ) -> None:
        self._lock = threading.Lock()
        self._source: Source | None = source
        self._name = source.info.name
        self._reopen = reopen
        self._idle = idle
        self._every_s = every_s
        self._next: tuple[Source, Callable[[], Source] | None] | None = None
        self._closed = threading.Event()
        self._waking = threading.Event()  # set when something changed that ends a wait
        self._waiting_for: str | None = None
        self._opening = False
        self.read_s = 0.0

    @property
    def name(self) -> str:
        """What a person calls the input that is open, or that is waited for."""
        return self._name

    @property
    def waiting_for(self) -> str | None:
        """The name of the input that is lost and not found again yet."""
        return self._waiting_for

    @property
    def opening(self) -> bool:
        """Whether an input is being opened, which nothing can cut short; one that comes too late is closed at once."""
        return self._opening

    def read(self) -> Frame | None:
        """Block until the next frame; None when `close` was called.

        Raises: EndOfStream: a finite input is at its end. SourceLost: it was lost and nothing can open it again.
        """
        while not self._closed.is_set():
            self._take_over()
            source = self._source
            if source is None:
                self._open_again()
            elif self._idle.resting and self._reopen is not None:
                self._release(source)
                self._idle.wait(self._is_over)
            else:
                started = time.perf_counter()
                try:
                    frame = source.read()
                    self.read_s = time.perf_counter() - started
                    return frame
                except EndOfStream:
                    if self._next is None:
                        raise
                except SourceError as error:
                    if not self._closed.is_set() and self._next is None:
                        self._lose(source, error)
        return None

    def replace(self, source: Source, reopen: Callable[[], Source] | None) -> None:
        """Go on with another input, which this object owns from now on, from the next frame on."""
        with self._lock:
            replaced, self._next = self._next, (source, reopen)
            current = self._source
        if replaced is not None:
            replaced[0].close()
        self._waking.set()
        if current is not None:
            current.close()  # so that a read that waits ends
        if self._closed.is_set():
            source.close()

    def close(self) -> None:
        """End a `read` that waits, and free the device as soon as no read uses it. Can be called twice."""
        self._closed.set()
        self._waking.set()
        self._idle.wake()
        with self._lock:
            sources = [self._source, self._next[0] if self._next is not None else None]
        for source in sources:
            if source is not None:
                source.close()

    def _is_over(self) -> bool:
        """Whether the input that is open or waited for now is not wanted any more."""
        return self._closed.is_set() or self._next is not None

    def _take_over(self) -> None:
        with self._lock:
            chosen, self._next = self._next, None
            before = self._source
            if chosen is not None:
                self._source, self._reopen = chosen
                self._name, self._waiting_for = chosen[0].info.name, None
        if chosen is not None and before is not None:
            before.close()
        if self._closed.is_set() and chosen is not None:
            chosen[0].close()

    def _release(self, source: Source) -> None:
        with self._lock:
            self._source = None
        source.close()

    def _lose(self, source: Source, error: SourceError) -> None:
        if self._reopen is None or not isinstance(error, SourceLost):
            raise error
        _log.warning("%s Waiting for it to come back.", error)
        self._release(source)
        self._waiting_for = source.info.name

    def _open_again(self) -> None:
        """Open what was lost or released, until that works, another input is chosen or the run ends."""
        told = ""
        while self._reopen is not None and not self._is_over():
            if self._waiting_for:
                self._waking.clear()
                if self._is_over() or self._waking.wait(self._every_s):
                    return
            self._opening = True
            try:
                found = self._reopen()
            except (SourceUnavailable, InvalidInput) as still_gone:
                self._waiting_for = self._name
                if str(still_gone) != told:
                    told = str(still_gone)
                    _log.warning("Waiting for %s: %s", self._name, told)
                continue
            finally:
                self._opening = False
            with self._lock:
                late = self._closed.is_set()
                if not late:
                    self._source, self._name = found, found.info.name
            if late:
                found.close()
                return
            if self._waiting_for:
                _log.warning("%s is back.", found.info.name)
            self._waiting_for = None
            return
