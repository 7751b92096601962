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
from livefilter.errors import EndOfStream, EngineError, LivefilterError, StageStuck
from livefilter.frame import Frame
from livefilter.letterbox import letterboxed
from livefilter.live.idle import IdleWatch
from livefilter.live.input import LiveInput
from livefilter.live.outputs import Outputs
from livefilter.live.pipeline_options import PipelineOptions as PipelineOptions
from livefilter.live.steady_queue import SteadyQueue
from livefilter.mailbox import Mailbox, MailboxClosed
from livefilter.metrics import Metrics
from livefilter.nv12 import nv12_to_bgr
from livefilter.output.base import Sink
from livefilter.output.card import holding_card
from livefilter.output.clock import SteadyClock

_log = logging.getLogger(__name__)

# A stage that has not ended this long after it was told to is stuck in a driver.
_JOIN_TIMEOUT_S = 1.5
# A frame that a runtime cannot cut short: a large one takes seconds on a CPU, and a GPU may be reset under it.
_FRAME_TIMEOUT_S = 20.0
# How long a picture that shows more than is wanted now may be repeated, marked, until the next one is styled.
_UNWANTED_S = 0.25
# While nobody watches: how often to look whether somebody does, and to send a card so that the outputs stay open.
_LOOK_EVERY_S = 0.03
_STAND_BY_S = 0.5


class Stylist(Protocol):
    """Makes the picture that viewers see out of a captured one."""

    def __call__(self, frame: Frame) -> Frame | None:
        """Style one frame; the result has the same number and capture time, or is an earlier result again.

        Returns: None when there is no picture for this frame, as while a failed engine is loaded again.
        """

    def may_show(self, frame: Frame) -> bool:
        """Whether what came out may be shown again at this moment; a raw picture only as long as that is wanted."""

    def cancel(self) -> None:
        """Cut short the frame that is being styled, where that is possible; there will be no other one."""

    def close(self) -> None:
        """Free engines. Can be called twice."""


class Pipeline:
    """Runs capture -> inference -> output until the input ends, a stage fails or `stop` is called.

    It owns the source, the stylist and the outputs from construction on and closes them in `join`.
    outputs: sinks that end with their first failure, or Outputs that may open them again.
    reopen: opens the same input again after it was lost; None makes a lost input an error.
    shown: the frame that viewers see now, a holding card included; None before the first one.
    input_ended: whether a finite input has no more frames.
    """

    def __init__(
        self,
        source: Source,
        stylist: Stylist,
        outputs: Outputs | Sequence[Sink],
        options: PipelineOptions,
        metrics: Metrics | None = None,
        reopen: Callable[[], Source] | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.shown: Frame | None = None
        self.input_ended = False
        self.outputs = outputs if isinstance(outputs, Outputs) else Outputs(outputs)
        self.idle = IdleWatch(options.idle_after_s if reopen is not None else None)
        self.input = LiveInput(source, reopen, self.idle)
        self._stylist = stylist
        self._options = options
        self._latest: Frame | None = None
        # Drawn beforehand: a large card takes longer to draw than a frame may.
        self._cards = {
            why: holding_card(options.width, options.height, "One moment, please", detail)
            for why, detail in (("late", ""), ("lost", "The camera is coming back"))
        }
        self._captured: Mailbox[Frame] = Mailbox()
        self._styled: SteadyQueue[tuple[Frame, float]] = SteadyQueue(options.reserves)
        self._stopping = threading.Event()
        self._error: BaseException | None = None
        self._error_lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run_stage, args=(run,), name=name, daemon=True)
            for name, run in (("capture", self._capture), ("inference", self._infer), ("output", self._output))
        ]

    @property
    def waiting_for(self) -> str | None:
        """The name of the input that is lost and not found again yet."""
        return self.input.waiting_for

    def start(self) -> None:
        """Start the three threads."""
        for thread in self._threads:
            thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until every stage has ended; False when `timeout_s` passed first."""
        return not self._left(timeout_s)

    def stop(self) -> None:
        """Tell every stage to end, and close what may hold one. Can be called from any thread, and twice."""
        self._stopping.set()
        self._captured.close()
        self._styled.close()
        self.outputs.stop()
        self._close(self.input.close)
        self._close(self._stylist.cancel)

    def join(self) -> None:
        """Wait for the end, close every part, and raise the first error of any stage.

        Raises: the first failing stage's error; StageStuck: a stage or an output did not end in time after `stop`.
        """
        while not self._stopping.wait(0.1):
            if self.wait(0.0):
                break
        # Input that ended on its own still drains through the later stages; only after `stop` is the wait bounded.
        left = self._left(_JOIN_TIMEOUT_S)
        if "inference" in left:
            _log.info("Waiting for the frame that is being styled")
            left = self._left(_FRAME_TIMEOUT_S, only="inference")
        stuck = self._close_parts(left)
        if self._error is not None:
            raise self._error
        if stuck:
            raise StageStuck(f"{' and '.join(stuck)} did not end in time; its device may need to be replugged.")

    def _left(self, timeout_s: float, only: str = "") -> list[str]:
        """The stages that have not ended within `timeout_s`; waits for `only` one of them if named."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if only in ("", thread.name):
                thread.join(max(0.0, deadline - time.monotonic()))
        return [thread.name for thread in self._threads if thread.is_alive()]

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
            try:
                frame = self.input.read()
            except EndOfStream:
                self.input_ended = True
                self._captured.close()
                return
            if frame is None:
                return
            self.metrics.record("capture", self.input.read_s)
            self.metrics.count("captured")
            self._captured.put(replace(frame, number=number))
            number += 1

    def _infer(self) -> None:
        while True:
            try:
                frame = self._captured.get()
            except MailboxClosed:
                self._styled.close()
                return
            if frame is None or not self._options.due(frame):
                continue
            try:
                styled = self._stylist(frame)
            except EngineError:
                if self._stopping.is_set():
                    return  # `cancel` cut the frame short
                raise
            if styled is not None:
                self.metrics.count("styled")
                self._styled.put((styled, time.perf_counter()))

    def _output(self) -> None:
        clock = SteadyClock(self._options.fps)
        heard_at = time.perf_counter()
        while clock.wait(self._stopping):
            if self.idle.follow(self.outputs.watched):
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
                is_new = self._latest is None or frame.number != self._latest.number
                self._latest = self._fitted(frame)
                self._send(self._latest, is_new=is_new)
            elif now - heard_at > self._patience_s():
                self._send(self._card(now), is_new=False)
            elif self._latest is not None:
                self._send(self._latest, is_new=False)
        if self._error is not None:
            # Whoever still watches is left with the card, not with a frozen face.
            with suppress(LivefilterError):
                self._send(self._card(time.perf_counter()), is_new=False)

    def _patience_s(self) -> float:
        """How long the last frame is repeated before the card; not for long when it shows what is not wanted now."""
        if self._latest is not None and not self._stylist.may_show(self._latest):
            return min(_UNWANTED_S, self._options.hold_s)
        return self._options.hold_s

    def _stand_by(self) -> None:
        """Keep the outputs alive, with the card, until somebody watches."""
        sent_at = -math.inf
        while self.idle.follow(self.outputs.watched) and not self._stopping.wait(_LOOK_EVERY_S):
            with suppress(MailboxClosed):
                self._styled.get(timeout_s=0)  # what was still being styled must not come out when it is old
            now = time.perf_counter()
            if now - sent_at >= _STAND_BY_S:
                sent_at = now
                self._send(self._card(now), is_new=False)

    def _send(self, frame: Frame, *, is_new: bool) -> None:
        started = time.perf_counter()
        self.shown = frame
        self.outputs.send(frame)
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
        return replace(frame, image=letterboxed(nv12_to_bgr(frame.image), width, height), cutout=None)

    def _card(self, now: float) -> Frame:
        number = self._latest.number if self._latest is not None else 0
        return Frame(self._cards["lost" if self.waiting_for else "late"], number=number, captured_at=now)

    def _close_parts(self, left: Sequence[str]) -> list[str]:
        """Close all that no live thread uses; the first error wins. Returns: what is stuck, in words."""
        self._close(self.input.close)
        stuck = []
        if "capture" in left and not self.input.opening:
            stuck.append(f"Input {self.input.name}")
        if "inference" in left:
            stuck.append("Inference")
        else:
            self._close(self._stylist.close)
        busy: list[str] = []
        self._close(lambda: busy.extend(self.outputs.close()))
        stuck += [f"Output {name}" for name in busy]
        if "output" in left and not busy:
            stuck.append("Output")
        return stuck

    def _close(self, close: Callable[[], object]) -> None:
        try:
            close()
        except Exception as error:  # one part that cannot be closed must not leave the others open
            with self._error_lock:
                self._error = self._error or error
