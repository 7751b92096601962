"""The three live stages: capture, inference and output, each on a thread of its own."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from livefilter.capture.base import Source
from livefilter.errors import EndOfStream, SourceLost, StageStuck
from livefilter.frame import Frame
from livefilter.live.idle import IdleWatch
from livefilter.live.pipeline_options import PipelineOptions as PipelineOptions
from livefilter.live.reopening import Reopener
from livefilter.live.steady_queue import SteadyQueue
from livefilter.mailbox import Mailbox, MailboxClosed
from livefilter.metrics import Metrics
from livefilter.nv12 import to_bgr
from livefilter.output.base import Sink
from livefilter.output.card import holding_card
from livefilter.output.clock import SteadyClock
from livefilter.output.fit import fit

_log = logging.getLogger(__name__)

# A stage that has not ended this long after it was told to is stuck in a driver.
_JOIN_TIMEOUT_S = 1.5
# While nobody watches: how often to look whether somebody does, and to send a card so that the outputs stay open.
_LOOK_EVERY_S = 0.03
_STAND_BY_S = 0.5


class Stylist(Protocol):
    """Makes the picture that viewers see out of a captured one."""

    def __call__(self, frame: Frame) -> Frame:
        """Style one frame; the result has the same number and capture time, or is an earlier result again."""

    def close(self) -> None:
        """Free engines. Can be called twice."""


class Pipeline:
    """Runs capture -> inference -> output until the input ends, a stage fails or `stop` is called.

    It owns the source, the stylist and the sinks from construction on and closes each of them once, in `join`.
    reopen: opens the same input again after it was lost; None makes a lost input an error.
    """

    def __init__(
        self,
        source: Source,
        stylist: Stylist,
        sinks: Sequence[Sink],
        options: PipelineOptions,
        metrics: Metrics | None = None,
        reopen: Callable[[], Source] | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.latest: Frame | None = None
        self._source: Source | None = source
        self._stylist = stylist
        self._sinks = tuple(sinks)
        self._sinks_lock = threading.Lock()
        self._options = options
        self.idle = IdleWatch(options.idle_after_s if reopen is not None else None)
        # Drawn beforehand: a large card takes longer to draw than a frame may.
        self._cards = {
            why: holding_card(options.width, options.height, "One moment, please", detail)
            for why, detail in (("late", ""), ("lost", "The camera is coming back"))
        }
        self._captured: Mailbox[Frame] = Mailbox()
        self._styled: SteadyQueue[tuple[Frame, float]] = SteadyQueue()
        self._stopping = threading.Event()
        self._comeback = Reopener(reopen, self._stopping) if reopen is not None else None
        self._error: BaseException | None = None
        self._error_lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run_stage, args=(run,), name=name, daemon=True)
            for name, run in (("capture", self._capture), ("inference", self._infer), ("output", self._output))
        ]

    @property
    def waiting_for(self) -> str | None:
        """The name of the input that is lost and not found again yet."""
        return self._comeback.waiting_for if self._comeback is not None else None

    def start(self) -> None:
        """Start the three threads."""
        for thread in self._threads:
            thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until every stage has ended; False when `timeout_s` passed first."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Tell every stage to end. Can be called from any thread, and twice."""
        self._stopping.set()
        self.idle.wake()
        self._captured.close()
        self._styled.close()

    def join(self) -> None:
        """Wait for the end, close every part once, and raise the first error of any stage.

        Raises: the first failing stage's error; StageStuck: a stage did not end in time after `stop`.
        """
        while not self._stopping.wait(0.1):
            if self.wait(0.0):
                break
        # Input that ended on its own still drains through the later stages; only after `stop` is the wait bounded.
        frame = self.metrics.snapshot().latency.get("inference")  # a heavy style may take seconds for one
        patience_s = _JOIN_TIMEOUT_S + (2 * frame.p95_ms / 1000 if frame else 0.0)
        stuck = [] if self.wait(patience_s) else [t.name for t in self._threads if t.is_alive()]
        self._close_parts(stuck)
        if self.waiting_for and "capture" in stuck:
            # Connecting to a stream that is gone takes as long as it takes; what it still opens is closed by the stage.
            stuck.remove("capture")
        if self._error is not None:
            raise self._error
        if stuck:
            raise StageStuck(f"Stage {' and '.join(stuck)} did not end in time; its device may need to be replugged.")

    def add_sink(self, sink: Sink) -> None:
        """Send to one more sink from the next frame on; the pipeline closes it in the end."""
        with self._sinks_lock:
            self._sinks = (*self._sinks, sink)

    def remove_sink(self, sink: Sink) -> None:
        """Stop sending to a sink and hand it back to the caller, who closes it."""
        with self._sinks_lock:  # held while sending, so no send is under way once this returns
            self._sinks = tuple(other for other in self._sinks if other is not sink)

    def _run_stage(self, run: Callable[[], None]) -> None:
        """Run one stage to its end; the first failure stops every stage."""
        try:
            run()
        except MailboxClosed:
            pass  # another stage stopped first
        except BaseException as error:  # it is raised again by join()
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        with self._error_lock:
            self._error = self._error or error
        self.stop()

    def _capture(self) -> None:
        number = 0
        while not self._stopping.is_set():
            source = self._source
            if source is None:
                return
            if self.idle.resting:
                self._source = self._rest(source)
                continue
            try:
                started = time.perf_counter()
                frame = source.read()
            except EndOfStream:
                self._captured.close()
                return
            except SourceLost as lost:
                if self._stopping.is_set():
                    return
                self._source = self._find_again(source, lost)
                continue
            self.metrics.record("capture", time.perf_counter() - started)
            self.metrics.count("captured")
            self._captured.put(replace(frame, number=number))
            number += 1

    def _find_again(self, source: Source, lost: SourceLost) -> Source | None:
        """Close a lost source and wait until it can be opened again; None when the pipeline stops first."""
        if self._comeback is None:
            raise lost
        _log.warning("%s Waiting for it to come back.", lost)
        source.close()
        self._source = None
        return self._comeback.after_loss(source.info.name)

    def _rest(self, source: Source) -> Source | None:
        """Release the source until somebody watches; None when the pipeline stops first."""
        source.close()
        self._source = None
        self.idle.wait(self._stopping)
        return self._comeback.after_rest(source.info.name) if self._comeback is not None else None

    def _infer(self) -> None:
        while True:
            try:
                frame = self._captured.get()
            except MailboxClosed:
                self._styled.close()
                return
            if frame is not None and self._options.due(frame):
                styled = self._stylist(frame)
                self.metrics.count("styled")
                self._styled.put((styled, time.perf_counter()))

    def _output(self) -> None:
        clock = SteadyClock(self._options.fps)
        heard_at = time.perf_counter()
        while clock.wait(self._stopping):
            if self.idle.follow(self._sinks):
                self._stand_by()
                # The card goes on until there is a new frame: the last one shows what was seen before the rest.
                clock, heard_at = SteadyClock(self._options.fps), -math.inf
                continue
            try:
                arrived = self._styled.get(timeout_s=0)
            except MailboxClosed:
                break
            now = time.perf_counter()
            if arrived is not None:
                frame, ready_at = arrived
                heard_at = now
                clock.aim(now - ready_at - self._styled.waiting / self._options.fps)
                is_new = self.latest is None or frame.number != self.latest.number
                self.latest = self._fitted(frame)
                self._send(self.latest, is_new=is_new)
            elif now - heard_at > self._options.hold_s:
                self._send(self._card(now), is_new=False)
            elif self.latest is not None:
                self._send(self.latest, is_new=False)
        if self._error is not None:
            # Whoever still watches is left with the card, not with a frozen face.
            self._send(self._card(time.perf_counter()), is_new=False)

    def _stand_by(self) -> None:
        """Keep the outputs alive, with the card, until somebody watches."""
        sent_at = -math.inf
        while self.idle.follow(self._sinks) and not self._stopping.wait(_LOOK_EVERY_S):
            with suppress(MailboxClosed):
                self._styled.get(timeout_s=0)  # what was still being styled must not come out when it is old
            now = time.perf_counter()
            if now - sent_at >= _STAND_BY_S:
                sent_at = now
                self._send(self._card(now), is_new=False)

    def _send(self, frame: Frame, *, is_new: bool) -> None:
        started = time.perf_counter()
        with self._sinks_lock:
            for sink in self._sinks:
                sink.send(frame if sink.takes_nv12 else _as_bgr(frame))
        ended = time.perf_counter()
        self.metrics.record("output", ended - started)
        self.metrics.count("sent")
        self.metrics.set_dropped(self._captured.dropped + self._styled.dropped)
        if is_new:
            self.metrics.record("age", ended - frame.captured_at)

    def _fitted(self, frame: Frame) -> Frame:
        width, height = self._options.width, self._options.height
        if (frame.width, frame.height) == (width, height):
            return frame
        return replace(frame, image=fit(to_bgr(frame.image), width, height))

    def _card(self, now: float) -> Frame:
        number = self.latest.number if self.latest is not None else 0
        return Frame(self._cards["lost" if self.waiting_for else "late"], number=number, captured_at=now)

    def _close_parts(self, stuck: Sequence[str]) -> None:
        """Close what no live thread uses any more; the first error wins.

        Outputs are closed side by side, so that several slow ones take no longer than one; but a window on this thread.
        """
        sinks = () if "output" in stuck else self._sinks
        source = None if "capture" in stuck else self._source
        self._source, self._sinks = None, ()
        aside = [threading.Thread(target=self._close, args=(s,), name="closing") for s in sinks if not s.main_thread]
        for thread in aside:
            thread.start()
        for part in (*(sink for sink in sinks if sink.main_thread), source):
            self._close(part)
        if "inference" not in stuck:
            self._close(self._stylist)
        for thread in aside:
            thread.join()

    def _close(self, part: Source | Stylist | Sink | None) -> None:
        if part is None:
            return
        try:
            part.close()
        except Exception as error:  # one part that cannot be closed must not leave the others open
            with self._error_lock:
                self._error = self._error or error


def _as_bgr(frame: Frame) -> Frame:
    return frame if frame.image.ndim == 3 else replace(frame, image=to_bgr(frame.image))
