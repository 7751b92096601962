"""Three threads in a row that lose nothing."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Generic, Literal, TypeAlias, TypeVar

from livefilter.capture.base import Source
from livefilter.cutout import Cutout, on_green
from livefilter.errors import EndOfStream, LivefilterError, StageStuck
from livefilter.frame import Frame, Image
from livefilter.output.base import Sink, SinkOptions

A = TypeVar("A")
B = TypeVar("B")

# Styles one picture: (H, W, 3) uint8 BGR of any size in, a new one of the same size out, or one with straight alpha,
# (H, W, 4), where something of it is cut away.
Stylist: TypeAlias = Callable[[Image], Image]

# Called after each frame with how many are done.
Progress: TypeAlias = Callable[[int], None]

# Frames that may wait between two stages: enough to keep all three busy, few enough for 4K (25 MB each).
_DEPTH = 4
_JOIN_TIMEOUT_S = 5.0
_POLL_S = 0.2


def render(
    source: Source,
    stylist: Stylist,
    sink_factory: Callable[[SinkOptions], Sink],
    progress: Progress,
    tracks: Literal["default", "all", "none"] = "default",
) -> int:
    """Style every frame of a finite source into a sink, which is opened and closed for it; the number of frames.

    tracks: of the sound.
    The source and the stylist stay open. Ctrl-C and errors close the sink too, so that its file is playable.
    Raises: the first error of any stage; KeyboardInterrupt.
    """
    info = source.info
    ended = threading.Event()

    def read() -> Frame:
        try:
            return source.read()
        except EndOfStream:
            ended.set()
            raise

    options = SinkOptions(info.width, info.height, info.fps or 30.0, info.media, live=False, tracks=tracks, ended=ended)
    sink = sink_factory(options)
    return run_stages(read, lambda frame: _styled(frame, stylist(frame.image)), sink.send, progress, finish=sink.close)


def _styled(frame: Frame, drawn: Image) -> Frame:
    if drawn.shape[2] == 3:
        return replace(frame, image=drawn)
    return replace(frame, image=on_green(drawn), cutout=Cutout(lambda: drawn))


def run_stages(
    read: Callable[[], A],
    work: Callable[[A], B],
    write: Callable[[B], None],
    progress: Progress,
    *,
    finish: Callable[[], None] = lambda: None,
    depth: int = _DEPTH,
) -> int:
    """Read, work and write on one thread each, in order, until `read` raises EndOfStream; how many were written.

    finish: called once after the last `write`, on the same thread, however the run ends.
    depth: items that may wait between two stages.
    Raises: the first error of any stage; KeyboardInterrupt; StageStuck: a stage did not end in time after either.
    """
    decoded: _Channel[A] = _Channel(depth)
    styled: _Channel[B] = _Channel(depth)
    errors: list[BaseException] = []
    failing = threading.Lock()
    written = 0

    def fail(error: BaseException) -> None:
        with failing:
            errors.append(error)
        decoded.abort()
        styled.abort()

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
        try:
            for item in styled:
                write(item)
                written += 1
                progress(written)
        except BaseException:
            with suppress(LivefilterError):  # it would only hide the first error
                finish()
            raise
        finish()

    stages = [_Stage("render-decode", decode, fail), _Stage("render-style", style, fail)]
    stages.append(_Stage("render-encode", encode, fail))
    try:
        for stage in stages:
            stage.thread.start()
        while not all(stage.over.wait(_POLL_S) for stage in stages) and not errors:
            pass
    except BaseException as interrupt:
        fail(interrupt)
        _wait_for_the_end(stages)
        raise
    _wait_for_the_end(stages)
    if errors:
        raise errors[0]
    return written


class _Stage:
    """A thread, and an event that says that it is over.

    The event is what is waited for: a thread that was being joined when Ctrl-C came can never be joined again.
    """

    def __init__(self, name: str, run: Callable[[], None], fail: Callable[[BaseException], None]) -> None:
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._stage, self._fail = run, fail

    def _run(self) -> None:
        try:
            self._stage()
        except _Aborted:
            pass  # another stage failed first
        except BaseException as error:  # it is raised again by the caller's thread
            self._fail(error)
        finally:
            self.over.set()


def _wait_for_the_end(stages: list[_Stage]) -> None:
    for stage in stages:
        if stage.thread.ident is None:
            continue  # Ctrl-C came before it was started
        if not stage.over.wait(_JOIN_TIMEOUT_S):
            raise StageStuck(f"Stage {stage.thread.name} did not end within {_JOIN_TIMEOUT_S:.0f} s; end the program.")
        stage.thread.join()


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
