"""Runs one case: the real pipeline and, if asked, the naive loop, turn by turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from livefilter.bench.figures import Figures, LoopName, Mode, summarise
from livefilter.bench.machine import Usage
from livefilter.bench.naive import NaiveLoop
from livefilter.bench.probe import ProbeSink
from livefilter.bench.recorder import Recorder
from livefilter.bench.source import Preloaded, PreloadedSource
from livefilter.control.parts import STYLED
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import EngineError, EngineFailed, StageStuck
from livefilter.frame import Image
from livefilter.inference.base import EngineInfo
from livefilter.inference.look import PLAIN, Look
from livefilter.inference.timings import Timings
from livefilter.live.open_outputs import threaded
from livefilter.live.person_room import PersonRoom, no_networks
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.live.style_switch import FrameStyler
from livefilter.live.stylist import LiveStylist
from livefilter.output.base import Sink, SinkOptions

_SAMPLE_EVERY_S = 0.1
_JOIN_TIMEOUT_S = 1.5
_CALIBRATION_FRAMES = 5
# With the source flat out, output ticks this much faster than frames are styled, so that it never holds one back.
_TICKS_PER_FRAME = 2.0
_MOST_TICKS_FPS = 1000.0
_NEVER_HOLD_S = 3600.0


@dataclass(frozen=True)
class Case:
    """What is measured: one style on one backend at one size of frames, in pixels.

    process_size: as asked for: "full" (the frame's own size), "auto" or pixels of the shorter side.
    network: size of the style's network, "lite" or "full".
    room: what is around the person, "style" for no mask at all.
    """

    style: str
    backend: str
    width: int
    height: int
    process_size: str
    network: str = "lite"
    room: str = STYLED


@dataclass(frozen=True)
class Schedule:
    """How it is measured.

    fps: the live rate. seconds, warmup_s: length of a measured window and of what runs before it.
    settle_beats: beats that a live pipeline runs before its warm-up, until its output has moved to the moment at
        which frames become ready; it moves by 0.5 % of a period a beat.
    """

    fps: float = 30.0
    seconds: float = 5.0
    rounds: int = 3
    warmup_s: float = 1.0
    against: str | None = None
    settle_beats: int = 200

    def planned_s(self) -> float:
        """Seconds that one case takes, without loading."""
        turns = self.turns * (self.seconds + self.warmup_s)
        return turns + self.rounds * self.settle_beats / self.fps

    @property
    def turns(self) -> int:
        """How many measurements one case needs."""
        return self.rounds * (4 if self.against else 2)


@dataclass
class CaseResult:
    """What was measured of a case; fewer rounds than planned when it was interrupted.

    naive_difference_levels: how far the naive loop's picture was from the pipeline's, in grey levels.
    """

    case: Case
    engine: EngineInfo
    rounds: list[Figures] = field(default_factory=list)
    naive_difference_levels: float | None = None


class Bench:
    """Measures one case, round by round.

    styler: already warm; it stays the caller's. open_sinks: opens the outputs for one turn, which closes them.
    open_finder: opens what finds people, for a case with a room of its own; the turn closes it.
    stop: set from a signal handler, it ends the turn that runs within a fraction of a second.
    """

    def __init__(
        self,
        case: Case,
        schedule: Schedule,
        styler: FrameStyler,
        naive: NaiveLoop | None,
        preloaded: Preloaded,
        open_sinks: Callable[[], Sequence[Sink]],
        stop: threading.Event,
        open_finder: Callable[[str], FrameStyler] = no_networks,
    ) -> None:
        self._case = case
        self._open_finder = open_finder
        self._schedule = schedule
        self._styler = styler
        self._naive = naive
        self._preloaded = preloaded
        self._open_sinks = open_sinks
        self._stop = stop

    def run(self) -> Iterator[Figures]:
        """Yield each turn's figures as soon as they are there; ends early, without the cut-off turn, on `stop`.

        Every second round swaps the order of the loops, so that a machine that warms up slows both alike.
        Raises: LivefilterError: the first thing that failed.
        """
        tick_fps = self._ticks_fps()
        modes: tuple[Mode, ...] = ("throughput", "live")
        for number in range(self._schedule.rounds):
            loops: list[LoopName] = ["pipeline"] if self._naive is None else ["pipeline", "naive"]
            if number % 2:
                loops.reverse()
            for mode in modes:
                for loop in loops:
                    if self._stop.is_set():
                        return
                    figures = self._turn(loop, mode, tick_fps)
                    if figures is not None:
                        yield figures

    def _turn(self, loop: LoopName, mode: Mode, tick_fps: float) -> Figures | None:
        live = mode == "live"
        recorder = Recorder()
        sinks = self._open_sinks()
        if loop == "pipeline":
            options = SinkOptions(self._case.width, self._case.height, self._schedule.fps)
            sinks = [threaded(sink, options) for sink in sinks]
        sink = ProbeSink(sinks, self._schedule.fps, recorder, repeats=live)
        source = PreloadedSource(self._preloaded, self._schedule.fps, recorder, paced=live)
        if loop == "naive":
            return self._run_naive(source, sink, recorder, mode)
        return self._run_pipeline(source, sink, recorder, mode, self._schedule.fps if live else tick_fps)

    def _run_pipeline(
        self, source: PreloadedSource, sink: Sink, recorder: Recorder, mode: Mode, output_fps: float
    ) -> Figures | None:
        lent = _Lent(self._styler, source)
        settings = SharedSettings(LiveSettings(style=self._case.style, room=self._case.room))
        parts = PersonRoom(no_networks, self._open_finder, settings, time.perf_counter, waits=True)
        stylist = LiveStylist(lent.reload, lent, settings, recorder, parts=parts)
        options = PipelineOptions(self._case.width, self._case.height, output_fps, hold_s=_NEVER_HOLD_S)
        pipeline = Pipeline(source, stylist, [sink], options, recorder)
        pipeline.start()
        try:
            return self._observe(recorder, lambda: pipeline.wait(0.0), "pipeline", mode)
        finally:
            pipeline.stop()
            source.close()  # it may wait for a request that nobody will make any more
            pipeline.join()

    def _run_naive(self, source: PreloadedSource, sink: Sink, recorder: Recorder, mode: Mode) -> Figures | None:
        naive, failures, ending = self._naive, list[BaseException](), threading.Event()

        def work() -> None:
            try:
                if naive is not None:
                    naive.run(source, sink, recorder, ending)
            except BaseException as error:  # raised again below, on the caller's thread
                failures.append(error)

        thread = threading.Thread(target=work, name="naive", daemon=True)
        thread.start()
        try:
            figures = self._observe(recorder, lambda: not thread.is_alive(), "naive", mode)
        finally:
            ending.set()
            source.close()
            thread.join(_JOIN_TIMEOUT_S)
            if not thread.is_alive():
                sink.close()
        if failures:
            raise failures[0]
        if thread.is_alive():
            raise StageStuck("The naive loop did not end in time; its output or device is stuck.")
        return figures

    def _observe(self, recorder: Recorder, ended: Callable[[], bool], loop: LoopName, mode: Mode) -> Figures | None:
        """Let the warm-up pass, then measure one window; None when the loop ended or the benchmark was stopped."""
        usage = Usage()
        settle_s = self._schedule.settle_beats / self._schedule.fps if (loop, mode) == ("pipeline", "live") else 0.0
        if not self._wait(settle_s + self._schedule.warmup_s, ended, usage):
            return None
        recorder.begin()
        usage.begin()
        whole = self._wait(self._schedule.seconds, ended, usage)
        window = recorder.end()
        return summarise(window, usage, self._schedule.fps, loop, mode) if whole else None

    def _wait(self, seconds: float, ended: Callable[[], bool], usage: Usage) -> bool:
        deadline = time.perf_counter() + seconds
        while (left_s := deadline - time.perf_counter()) > 0:
            if ended() or self._stop.wait(min(_SAMPLE_EVERY_S, left_s)):
                return False
            usage.sample()
        return True

    def _ticks_fps(self) -> float:
        """How fast output must tick to take every styled frame."""
        taken: list[float] = []
        for number in range(_CALIBRATION_FRAMES):
            started = time.perf_counter()
            self._styler(self._preloaded.images[number % len(self._preloaded.images)])
            taken.append(time.perf_counter() - started)
        return max(self._schedule.fps, min(_MOST_TICKS_FPS, _TICKS_PER_FRAME / max(min(taken), 1e-6)))


class _Lent:
    """A styler that outlives the pipeline, and asks the source for the next frame when it begins on one."""

    def __init__(self, styler: FrameStyler, source: PreloadedSource) -> None:
        self.timings: Timings = styler.timings
        self._styler = styler
        self._source = source
        self._error: EngineError | None = None

    @property
    def takes_strength(self) -> bool:
        return self._styler.takes_strength

    @property
    def person(self) -> Image | None:
        return self._styler.person

    def composes(self, width: int, height: int) -> bool:
        return self._styler.composes(width, height)

    def __call__(self, image: Image, look: Look = PLAIN) -> Image:
        self._source.request()
        try:
            styled = self._styler(image, look)
        except EngineError as error:
            self._error = error
            raise
        self.timings = self._styler.timings
        return styled

    def warm_up(self, width: int, height: int) -> None:
        """The styler came warm."""

    def cancel(self) -> None:
        """The styler is needed for the next turn."""

    def close(self) -> None:
        """The styler stays the caller's."""

    def reload(self, style: str) -> FrameStyler:
        """A benchmark does not go on with an engine that failed.

        Raises: EngineError: what the engine failed with.
        """
        raise self._error or EngineFailed(f"Style {style} cannot be loaded during a benchmark.")
