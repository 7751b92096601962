"""The outputs of a live run, each of which fails alone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from livefilter.errors import LivefilterError, SinkLost
from livefilter.frame import Frame
from livefilter.nv12 import nv12_to_bgr
from livefilter.output.base import Sink

_log = logging.getLogger(__name__)

# Seconds before each attempt to open a lost output again; the last one is repeated.
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0)
# A recording that is finished takes up to 6 s (livefilter.output.worker).
_CLOSE_TIMEOUT_S = 10.0
_REMOVE_TIMEOUT_S = 1.5


class _Output:
    """One output: open, or lost and perhaps on its way back."""

    def __init__(self, sink: Sink, reopen: Callable[[], Sink] | None) -> None:
        self.name = sink.name
        self.sink: Sink | None = sink
        self.reopen = reopen
        self.lost_at = 0.0
        self.sending = threading.Lock()  # held while the sink is used, so that nobody closes it under its user

    def take(self, timeout_s: float) -> Sink | None:
        """The sink, which gets no more frames from now on; None when it is busy with one for longer than that."""
        if not self.sending.acquire(timeout=timeout_s):
            return None
        try:
            sink, self.sink = self.sink, None
            return sink
        finally:
            self.sending.release()


class Outputs:
    """Sends every frame to every output, and goes on without those that fail.

    An output that fails says so once. One that can be opened again is tried until it works, with growing pauses; any
    other one, such as a file, is finished and left out. Frames are sent by one thread; the rest any thread may call.
    strict: the first output that fails ends the run. notify: told what happens, for the user to read; returns at once.
    The sinks belong to this object until `remove` or `close`.
    """

    def __init__(
        self,
        sinks: Sequence[Sink] = (),
        *,
        strict: bool = False,
        notify: Callable[[str], object] = lambda notice: None,
        back_off_s: Sequence[float] = BACK_OFF_S,
    ) -> None:
        self._outputs: tuple[_Output, ...] = ()
        self._strict = strict
        self._notify = notify
        self._back_off_s = tuple(back_off_s)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failed_windows: list[Sink] = []
        self._gone: list[str] = []
        self._last_error: Exception | None = None
        for sink in sinks:
            self.add(sink)

    def add(self, sink: Sink, reopen: Callable[[], Sink] | None = None) -> None:
        """Send to one more sink from the next frame on.

        reopen: opens the same output again after it was lost, on a thread of its own; None for one that ends then.
        """
        with self._lock:
            self._outputs = (*self._outputs, _Output(sink, reopen))

    def remove(self, sink: Sink) -> None:
        """Stop sending to a sink and hand it back to the caller, who closes it; nothing when it was lost before.

        Raises: SinkLost: it is still busy with a frame, so it must not be closed.
        """
        with self._lock:
            found = next((output for output in self._outputs if output.sink is sink), None)
            self._outputs = tuple(output for output in self._outputs if output is not found)
        if found is not None and found.take(_REMOVE_TIMEOUT_S) is None and found.sink is sink:
            raise SinkLost(f"{found.name} does not take the frame that it was given, so it cannot be closed.")

    def has(self, sink: Sink) -> bool:
        """Whether frames go to this sink."""
        return any(output.sink is sink for output in self._outputs)

    @property
    def sinks(self) -> list[tuple[str, Sink | None]]:
        """Name and sink of every output; None instead of one that is lost and may come back."""
        return [(output.name, output.sink) for output in self._outputs]

    @property
    def away(self) -> list[str]:
        """The outputs that are lost and may come back."""
        return [output.name for output in self._outputs if output.sink is None]

    @property
    def losses(self) -> list[str]:
        """The errors of all outputs that are missing now, whether they may come back or not."""
        return [*self._gone, *(f"{name} was lost and has not come back." for name in self.away)]

    def watched(self) -> bool:
        """Whether somebody watches any output, as far as that can be known."""
        return any(output.sink.watched() is not False for output in self._outputs if output.sink is not None)

    def send(self, frame: Frame) -> None:
        """Hand a frame to every open output.

        Raises: the error of an output: none is left that could come back, or the outputs are strict.
        """
        bgr: Frame | None = None
        for output in self._outputs:
            with output.sending:
                sink = output.sink
                if sink is None:
                    continue
                try:
                    if not sink.takes_nv12:
                        bgr = bgr or _as_bgr(frame)
                    sink.send(frame if sink.takes_nv12 or bgr is None else bgr)
                    continue
                except Exception as error:  # whatever it is, the other outputs go on
                    failure: Exception = error
            self._lose(output, sink, failure)
        self._require_any()

    def fail(self, sink: Sink, error: Exception) -> None:
        """Treat an output as failed that was found to be so outside of `send`."""
        for output in self._outputs:
            if output.sink is sink:
                self._lose(output, sink, error)

    def stop(self) -> None:
        """End the attempts to open anything again. Can be called twice."""
        self._closing.set()

    def close(self) -> list[str]:
        """Close every output; the names of those that are stuck and were left alone.

        Outputs are closed side by side, so that several slow ones take no longer than one; but a window on this thread.
        Raises: the first error of a `close`, after all of them were tried.
        """
        self.stop()
        with self._lock:
            self._gone = self.losses
            outputs, self._outputs = self._outputs, ()
            windows, self._failed_windows = self._failed_windows, []
        stuck: list[str] = []
        errors: list[Exception] = []

        def close(sink: Sink) -> None:
            try:
                sink.close()
            except Exception as error:  # one that cannot be closed must not leave the others open
                errors.append(error)

        aside: list[tuple[str, threading.Thread]] = []
        for output in outputs:
            if output.sink is None:
                continue
            sink = output.take(0.0)
            if sink is None:
                stuck.append(output.name)
            elif sink.main_thread:
                windows.append(sink)
            else:
                work = threading.Thread(target=close, args=(sink,), name="closing", daemon=True)
                aside.append((output.name, work))
        for _, thread in aside:
            thread.start()
        for window in windows:
            close(window)
        until = time.monotonic() + _CLOSE_TIMEOUT_S
        for name, thread in aside:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                stuck.append(name)
        for thread in self._threads:  # files that failed are finished; what is still being opened closes itself
            if thread.name.startswith("finish"):
                thread.join(max(0.0, until - time.monotonic()))
        if errors:
            raise errors[0]
        return stuck

    def _lose(self, output: _Output, sink: Sink, error: Exception) -> None:
        text = str(error)
        if not isinstance(error, LivefilterError):
            _log.error("%s failed", output.name, exc_info=error)
            text = f"{output.name} failed: {error}"
        if self._strict:
            raise error
        with self._lock:
            if output.sink is not sink or output not in self._outputs:
                return
            if output.reopen is not None:
                self._tell(f"{text} It is tried again.")
            elif len(self._outputs) > 1:  # the last one ends the run, which says why
                self._tell(f"{text} Going on without it.")
            self._last_error = error
            output.lost_at = time.monotonic()
            output.sink = None
            if output.reopen is None:
                self._outputs = tuple(other for other in self._outputs if other is not output)
                self._gone.append(text)
            if sink.main_thread:
                self._failed_windows.append(sink)
                return
            work, name = (self._recover, "reopen") if output.reopen else (self._finish, "finish")
            thread = threading.Thread(target=work, args=(output, sink), name=f"{name} {output.name}", daemon=True)
            self._threads = [other for other in self._threads if other.is_alive()] + [thread]
            thread.start()

    def _require_any(self) -> None:
        if not self._outputs and self._last_error is not None:
            raise self._last_error

    def _finish(self, output: _Output, sink: Sink) -> None:
        try:
            sink.close()
        except Exception as error:  # what has failed often fails to close; the first error said why
            _log.debug("%s also failed to close: %s", output.name, error)

    def _recover(self, output: _Output, sink: Sink) -> None:
        """Close a lost output and open it again, until that works or the run ends."""
        self._finish(output, sink)
        attempt = 0
        while not self._closing.wait(self._back_off_s[min(attempt, len(self._back_off_s) - 1)]):
            attempt += 1
            if output.reopen is None:
                return
            try:
                found = output.reopen()
            except Exception as error:  # it stays away, for whatever reason
                _log.info("Attempt %d: %s", attempt, error)
                continue
            with self._lock:
                wanted = output in self._outputs and not self._closing.is_set()
                if wanted:
                    output.sink, output.name = found, found.name
            if wanted:
                self._tell(f"{found.name} is back after {time.monotonic() - output.lost_at:.0f} s.")
            else:
                with suppress(Exception):
                    found.close()
            return

    def _tell(self, text: str) -> None:
        _log.warning("%s", text)
        self._notify(text)


def _as_bgr(frame: Frame) -> Frame:
    return frame if frame.image.ndim == 3 else replace(frame, image=nv12_to_bgr(frame.image))
