"""Three threads in a row that lose nothing."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Generic, TypeAlias, TypeVar

from livefilter.capture.base import Source
from livefilter.errors import EndOfStream, LivefilterError, StageStuck
from livefilter.frame import Image
from livefilter.output.base import Sink, SinkOptions

A = TypeVar("A")
B = TypeVar("B")

# Styles one picture: (H, W, 3) uint8 BGR of any size in, a new one of the same size out.
Stylist: TypeAlias = Callable[[Image], Image]

# Called after each frame with how many are done.
Progress: TypeAlias = Callable[[int], None]

# Frames that may wait between two stages: enough to keep all three busy, few enough for 4K (25 MB each).
_DEPTH = 4
_JOIN_TIMEOUT_S = 5.0
_POLL_S = 0.2


def render(source: Source, stylist: Stylist, sink_factory: Callable[[SinkOptions], Sink], progress: Progress) -> int:
    """Style every frame of a finite source into a sink, which is opened and closed here; the number of frames.

    The source and the stylist stay open. Ctrl-C and errors close the sink too, so that its file is playable.
    Raises: the first error of any stage; KeyboardInterrupt.
    """
    info = source.info
    options = SinkOptions(info.width, info.height, info.fps or 30.0, info.media, live=False)
    sink = sink_factory(options)
    try:
        done = run_stages(source.read, lambda frame: replace(frame, image=stylist(frame.image)), sink.send, progress)
    except BaseException:
        # The file is finished as far as it goes; that it cannot be would only hide the first error.
        with suppress(LivefilterError):
            sink.close()
        raise
    sink.close()
    return done


def run_stages(
    read: Callable[[], A],
    work: Callable[[A], B],
    write: Callable[[B], None],
    progress: Progress,
    *,
    depth: int = _DEPTH,
) -> int:
    """Read, work and write on one thread each, in order, until `read` raises EndOfStream; how many were written.

    depth: items that may wait between two stages.
    Raises: the first error of any stage; KeyboardInterrupt; StageStuck: a stage did not end in time after either.
    """
    decoded: _Channel[A] = _Channel(depth)
    styled: _Channel[B] = _Channel(depth)
    errors: list[BaseException] = []
    failing = threading.Lock()
    written = 0

    def abort() -> None:
        decoded.abort()
        styled.abort()

    def guarded(stage: Callable[[], None]) -> None:
        try:
            stage()
        except _Aborted:
            pass  # another stage failed first
        except BaseException as error:  # it is raised again by the caller's thread
            with failing:
                errors.append(error)
            abort()

    def decode() -> None:
        while True:
            try:
                item = read()
            except EndOfStream:
                decoded.end()
                return
            decoded.put(item)

    def style() -> None:
        for item in decoded:
            styled.put(work(item))
        styled.end()

    def encode() -> None:
        nonlocal written
        for item in styled:
            write(item)
            written += 1
            progress(written)

    threads = [
        threading.Thread(target=guarded, args=(stage,), name=name, daemon=True)
        for name, stage in (("render-decode", decode), ("render-style", style), ("render-encode", encode))
    ]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads) and not errors:
            threads[-1].join(_POLL_S)
    except BaseException:
        abort()
        _join(threads)
        raise
    _join(threads)
    if errors:
        raise errors[0]
    return written


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(_JOIN_TIMEOUT_S)
        if thread.is_alive():
            raise StageStuck(f"Stage {thread.name} did not end within {_JOIN_TIMEOUT_S:.0f} s; end the program.")


class _Aborted(Exception):
    """The run ended early. A signal between stages, not an error."""


class _Channel(Generic[A]):
    """A bounded queue that can be ended by its writer and aborted by anyone."""

    def __init__(self, depth: int) -> None:
        self._changed = threading.Condition()
        self._items: deque[A] = deque()
        self._depth = depth
        self._ended = False
        self._aborted = False

    def put(self, item: A) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._aborted or len(self._items) < self._depth)
            if self._aborted:
                raise _Aborted
            self._items.append(item)
            self._changed.notify_all()

    def __iter__(self) -> Iterator[A]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._aborted or self._ended or bool(self._items))
                if self._aborted:
                    raise _Aborted
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abort(self) -> None:
        with self._changed:
            self._aborted = True
            self._changed.notify_all()
