"""A thread of its own for a sink that may have to wait."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from livefilter.errors import SinkLost
from livefilter.frame import Frame
from livefilter.output.base import Sink

_log = logging.getLogger(__name__)

# How long `close` lets the inner sink work off its queue, and then how long it waits for the file to be finished.
DRAIN_S = 1.0
FINISH_S = 5.0


class WorkerSink(Sink):
    """Runs a slow sink on its own thread behind a short queue, so that whoever sends never waits.

    depth: frames that may wait; when there are more, the oldest is dropped and counted in `dropped`.
    drain_s, finish_s: seconds that `close` gives the queue, and then the inner sink's own close.
    closing: whether `close` was called.
    The inner sink belongs to the worker: it is used and closed on the worker's thread alone, and closed once.
    """

    def __init__(self, sink: Sink, depth: int, *, drain_s: float = DRAIN_S, finish_s: float = FINISH_S) -> None:
        self.name = sink.name
        self.dropped = 0
        self._sink = sink
        self._depth = max(1, depth)
        self._drain_s = drain_s
        self._finish_s = finish_s
        self._changed = threading.Condition()
        self._queue: deque[Frame] = deque()
        self._error: Exception | None = None
        self._failed = False
        self.closing = False
        self._drain_until = self._end_by = 0.0
        # A daemon, so that a sink stuck in a dead network cannot keep the program from ending.
        self._thread = threading.Thread(target=self._work, name=f"sink-{sink.name}", daemon=True)
        self._thread.start()

    def send(self, frame: Frame) -> None:
        """Queue one frame; never waits for the inner sink.

        Raises: SinkLost, or whatever the inner sink raised on an earlier frame, once. Later frames are dropped.
        """
        with self._changed:
            self._raise_error()
            if self.closing:
                raise SinkLost(f"{self.name} is closed, so it takes no more frames. Open it again.")
            if self._failed:
                self.dropped += 1
                return
            self._queue.append(frame)
            if len(self._queue) > self._depth:
                self._queue.popleft()
                self.dropped += 1
                if self.dropped == 1:
                    _log.warning("%s cannot keep up: it leaves out frames from here on.", self.name)
            self._changed.notify_all()

    def close(self) -> None:
        """Let the queue run dry, within a bound, and close the inner sink.

        Raises: SinkLost: the inner sink failed and nobody has heard of it yet, or it does not come to an end.
        """
        with self._changed:
            if not self.closing:
                self.closing = True
                self._drain_until = time.monotonic() + self._drain_s
                self._end_by = self._drain_until + self._finish_s
                self._changed.notify_all()
        self._thread.join(max(0.0, self._end_by - time.monotonic()))
        with self._changed:
            self._raise_error()
            if self._thread.is_alive() and not self._failed:
                self._failed = True
                waited = self._drain_s + self._finish_s
                raise SinkLost(
                    f"{self.name} did not end within {waited:g} s: its disk, network or encoder is stuck. "
                    "What it wrote up to here may be incomplete; check that the target is reachable."
                )

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _work(self) -> None:
        try:
            while (frame := self._next()) is not None:
                self._sink.send(frame)
        except Exception as error:
            self._fail(error)
        try:
            self._sink.close()
        except Exception as error:
            self._fail(error)

    def _next(self) -> Frame | None:
        """The oldest waiting frame; None when it is time to close."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self.closing)
            if self.closing and self._queue and time.monotonic() >= self._drain_until:
                _log.warning("%s is too slow: its last %d frames are left out.", self.name, len(self._queue))
                self.dropped += len(self._queue)
                self._queue.clear()
            return self._queue.popleft() if self._queue else None

    def _fail(self, error: Exception) -> None:
        with self._changed:
            if self._failed:  # closing what has failed often fails again; the first error says why
                _log.debug("%s also failed to close: %s", self.name, error)
                return
            self._failed = True
            self._error = error
            self.dropped += len(self._queue)
            self._queue.clear()
