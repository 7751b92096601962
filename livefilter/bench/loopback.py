"""Glass to glass: a time drawn into each frame is read back from the virtual camera, as a watching program gets it."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from livefilter.bench.measure import Case, Schedule
from livefilter.bench.recorder import Recorder
from livefilter.bench.session import Parts, open_case
from livefilter.bench.stamp import draw_stamp, read_stamp, seconds_since, stamp_of
from livefilter.capture import open_source
from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.lease import Lease
from livefilter.capture.ticker import Ticker
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import EngineFailed, InvalidInput, LivefilterError, SinkUnavailable, SourceUnavailable
from livefilter.frame import Frame
from livefilter.inference.base import EngineInfo
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.live.style_switch import FrameStyler
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Latency, percentiles
from livefilter.output import open_sink, resolve_output
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.camera.driver import loopbacks, missing_driver
from livefilter.styles.catalogue import Catalogue

# In the order in which a frame passes them; "queues" is what it waits between them, for the output's tick most of all.
STAGES = ("draw", "preprocess", "inference", "postprocess", "queues", "output", "driver", "glass to glass")
_OPEN_TRIES = 40
_TRY_EVERY_S = 0.25
_NEVER_HOLD_S = 3600.0
_KEPT_SENDS = 256


@dataclass(frozen=True)
class Loop:
    """What one case took, from the moment its frame was drawn to the moment a program had it in hand.

    latency: stage of `STAGES` -> milliseconds. frames: different frames that were read.
    unreadable: frames in which the time could not be read. frame_ms: the period of the source.
    """

    case: Case
    engine: EngineInfo
    device: str
    frames: int
    unreadable: int
    frame_ms: float
    latency: dict[str, Latency]

    @property
    def added_p95_ms(self) -> float:
        """What is left at the 95th percentile after the engine's own time, to be compared with `frame_ms`."""
        return self.latency["glass to glass"].p95_ms - self.latency["inference"].p95_ms


def loopback_device(outputs: tuple[str, ...]) -> str:
    """The virtual camera to measure with: the one named after --output, else the one that `run` takes.

    Raises: SinkUnavailable: there is none here; InvalidInput: something else was named.
    """
    named = [output for output in outputs if output != "null"]
    if len(named) > 1 or any(resolve_output(output)[0] != "camera" for output in named):
        raise InvalidInput(
            f"--loopback measures one virtual camera, not {', '.join(named)}: --output camera:/dev/videoN"
        )
    if not sys.platform.startswith("linux"):
        raise SinkUnavailable("--loopback reads the virtual camera back, which only v4l2loopback on Linux allows.")
    target = resolve_output(named[0])[1] if named else ""
    if target.startswith("/"):
        return target
    found = [loopback for loopback in loopbacks() if not target or loopback.label.lower() == target.lower()]
    if not found:
        why = missing_driver() or f"No virtual camera is called {target!r}."
        raise SinkUnavailable(f"--loopback needs a virtual camera. {why}")
    return found[0].path


def measure_loopback(case: Case, schedule: Schedule, parts: Parts, device: str, stop: threading.Event) -> Loop | None:
    """Run one case for `schedule.seconds` after its warm-up; None when `stop` was set before its end.

    Raises: LivefilterError: the first thing that failed; SourceUnavailable: the virtual camera cannot be read.
    """
    recorder = Recorder()
    with closing(open_case(case, schedule, parts, Catalogue())) as styler:
        info = styler.engine_info
        sink = _SendTimes(open_sink(f"camera:{device}", SinkOptions(case.width, case.height, schedule.fps)), recorder)
        settings = SharedSettings(LiveSettings(style=case.style))

        def reload(style: str) -> FrameStyler:
            raise EngineFailed(f"Style {style} cannot be loaded anew during a benchmark.")

        stylist = _Timed(LiveStylist(reload, styler, settings, recorder), sink)
        options = PipelineOptions(case.width, case.height, schedule.fps, hold_s=_NEVER_HOLD_S)
        pipeline = Pipeline(_StampSource(case, schedule.fps, recorder), stylist, [sink], options, recorder)
        pipeline.start()
        try:
            with _opened(device, case, pipeline, stop) as reader:
                watch = _Watch(reader, sink, recorder)
                settle_s = schedule.warmup_s + schedule.settle_beats / schedule.fps
                if watch.run(settle_s, pipeline, stop):
                    recorder.begin()
                    watch.frames = watch.unreadable = 0
                    whole = watch.run(schedule.seconds, pipeline, stop)
                else:
                    whole = False
        finally:
            pipeline.stop()
            pipeline.join()
        window = recorder.end()
        if not whole:
            return None
        latency = {name: percentiles(np.array(window.stages[name]) * 1e3) for name in STAGES if name in window.stages}
        if "glass to glass" not in latency:
            raise SourceUnavailable(
                f"No time could be read back from {device}: {watch.unreadable} of its frames showed something else. "
                "Take a larger --size, or a style that keeps black and white apart."
            )
        return Loop(case, info, device, watch.frames, watch.unreadable, 1000.0 / schedule.fps, latency)


class _StampSource(Source):
    """Draws the time of each beat over a whole frame."""

    def __init__(self, case: Case, fps: float, recorder: Recorder) -> None:
        self.info = SourceInfo("a drawn time", case.width, case.height, fps, live=True)
        self._lease = Lease(self.info.name, lambda: None)
        self._ticker = Ticker(fps, self._lease)
        self._recorder = recorder
        self._number = 0

    def read(self) -> Frame:
        self._ticker.wait()
        started = time.perf_counter()
        image = np.empty((self.info.height, self.info.width, 3), np.uint8)
        draw_stamp(image, stamp_of(started))
        self._recorder.note("draw", time.perf_counter() - started)
        self._number += 1
        return Frame(image, self._number - 1, started)

    def close(self) -> None:
        self._lease.close()


class _SendTimes(Sink):
    """The virtual camera, and when each frame was handed to its driver.

    busy_s: stamp -> seconds for which the frame was being drawn or styled, not waiting.
    """

    def __init__(self, sink: Sink, recorder: Recorder) -> None:
        self.name = sink.name
        self.sent_at: dict[int, float] = {}
        self.busy_s: dict[int, float] = {}
        self._sink = sink
        self._recorder = recorder

    def send(self, frame: Frame) -> None:
        started = time.perf_counter()
        self._sink.send(frame)
        ended = time.perf_counter()
        stamp = stamp_of(frame.captured_at)
        if stamp in self.sent_at:
            return
        self.sent_at[stamp] = ended
        self._recorder.note("output", ended - started)
        if stamp in self.busy_s:
            self._recorder.note("queues", started - frame.captured_at - self.busy_s.pop(stamp))
        while len(self.sent_at) > _KEPT_SENDS:
            del self.sent_at[next(iter(self.sent_at))]

    def close(self) -> None:
        self._sink.close()


class _Timed:
    """A stylist that tells how long it had each frame."""

    def __init__(self, stylist: LiveStylist, sink: _SendTimes) -> None:
        self._stylist = stylist
        self._busy_s = sink.busy_s

    def __call__(self, frame: Frame) -> Frame | None:
        started = time.perf_counter()
        styled = self._stylist(frame)
        self._busy_s[stamp_of(frame.captured_at)] = time.perf_counter() - started
        if len(self._busy_s) > _KEPT_SENDS:
            self._busy_s.clear()  # frames that a newer one replaced before they were sent
        return styled

    def may_show(self, frame: Frame) -> bool:
        return self._stylist.may_show(frame)

    def cancel(self) -> None:
        self._stylist.cancel()

    def close(self) -> None:
        self._stylist.close()


class _Watch:
    """Reads the virtual camera and notes how old each new frame is."""

    def __init__(self, reader: Source, sink: _SendTimes, recorder: Recorder) -> None:
        self.frames = 0
        self.unreadable = 0
        self._reader = reader
        self._sink = sink
        self._recorder = recorder
        self._last: int | None = None

    def run(self, seconds: float, pipeline: Pipeline, stop: threading.Event) -> bool:
        """Read for so long; False when `stop` was set or the pipeline ended first."""
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            if stop.is_set() or pipeline.wait(0.0):
                return False
            image = self._reader.read().image
            now = time.perf_counter()
            stamp = read_stamp(image)
            if stamp is None:
                self.unreadable += 1
            elif stamp != self._last:
                self._last = stamp
                self.frames += 1
                self._recorder.note("glass to glass", seconds_since(stamp, now))
                sent_at = self._sink.sent_at.get(stamp)
                if sent_at is not None:
                    self._recorder.note("driver", max(0.0, now - sent_at))
        return True


def _opened(device: str, case: Case, pipeline: Pipeline, stop: threading.Event) -> Source:
    """The virtual camera as a camera, once frames flow.

    Raises: SourceUnavailable.
    """
    for _ in range(_OPEN_TRIES):
        try:
            return open_source(f"camera:{device}", SourceOptions(case.width, case.height))
        except LivefilterError as error:
            trouble = error
        if pipeline.wait(0.0) or stop.wait(_TRY_EVERY_S):
            break
    raise SourceUnavailable(f"The virtual camera {device} cannot be read back: {trouble}") from trouble
