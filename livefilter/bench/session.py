"""A whole benchmark: every case in turn, and what was measured so far at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from livefilter.bench.figures import Figures
from livefilter.bench.float_network import missing_onnx
from livefilter.bench.measure import Bench, Case, CaseResult, Schedule
from livefilter.bench.naive import NaiveLoop
from livefilter.bench.source import Preloaded, preload
from livefilter.capture import resolve_input
from livefilter.capture.base import SourceOptions
from livefilter.config import Config
from livefilter.control.parts import STYLED
from livefilter.errors import BackendUnavailable, InvalidInput
from livefilter.frame import Image
from livefilter.inference.base import EngineOptions, Precision
from livefilter.inference.crisp import LIVE_LINES
from livefilter.inference.selection import BUILT_AHEAD, choose_backend
from livefilter.inference.styler import LIVE_SHARE, Styler
from livefilter.live.open_input import open_input
from livefilter.live.open_outputs import open_sinks
from livefilter.live.open_styler import open_styler
from livefilter.live.person_network import alongside, open_person_network
from livefilter.metrics import percentiles
from livefilter.output import resolve_output
from livefilter.output.base import Sink, SinkOptions
from livefilter.registry import ENGINES
from livefilter.styles.catalogue import Catalogue, Network

# Drawn faster than any engine reads, so that what is timed is the drawing and not the wait for the beat.
_DEMO_FPS = 1000.0
# A recording does not overwrite what the turn before wrote, and a window belongs to the main thread.
_NOT_MEASURED = {"record", "window"}


@dataclass(frozen=True)
class Parts:
    """What every case is measured with.

    source, outputs: as after --input and --output. threads: of the engines; 0 lets the runtime choose.
    precision: as of `livefilter run`.
    """

    source: str = "demo"
    outputs: tuple[str, ...] = ("null",)
    threads: int = 0
    precision: Precision = "auto"


class BenchSession:
    """Measures all cases; `results` holds what is finished, whenever one looks.

    stop: set from a signal handler, it ends `run` within a fraction of a second.
    Raises on construction: LivefilterError: an input, output or package that is asked for is not there.
    """

    def __init__(self, cases: Sequence[Case], schedule: Schedule, parts: Parts, stop: threading.Event) -> None:
        self.results: list[CaseResult] = []
        self._cases = cases
        self._schedule = schedule
        self._parts = parts
        self._stop = stop
        self._catalogue = Catalogue()
        if schedule.against and any(case.backend != "identity" for case in cases):
            missing = missing_onnx()
            if missing:
                raise BackendUnavailable(missing)
        for output in parts.outputs:
            if resolve_output(output)[0] in _NOT_MEASURED:
                raise InvalidInput(
                    f"A benchmark cannot send to {output}: it opens its outputs anew for every measurement. "
                    "Measure with --output null, page, camera or a stream."
                )
        for sink in self._open_sinks(cases[0]):
            sink.close()
        sizes = dict.fromkeys((case.width, case.height) for case in cases)
        self._inputs = {size: self._preload(*size) for size in sizes}

    @property
    def complete(self) -> bool:
        """Whether every round of every case was measured."""
        finished = [result for result in self.results if len(result.rounds) == self._schedule.turns]
        return len(finished) == len(self._cases)

    def run(self, told: Callable[[CaseResult, Figures], None]) -> None:
        """Measure until the end or until `stop`; `told` hears of every turn.

        Raises: LivefilterError: the first thing that failed; what was measured before it stays in `results`.
        """
        for case in self._cases:
            if self._stop.is_set():
                return
            with closing(open_case(case, self._schedule, self._parts, self._catalogue)) as styler:
                result = CaseResult(case, styler.engine_info)
                preloaded = self._inputs[case.width, case.height]
                naive = self._open_naive(case, result, preloaded.images[0]) if self._schedule.against else None
                self.results.append(result)

                def open_sinks(case: Case = case) -> list[Sink]:
                    return self._open_sinks(case)

                def open_finder(_name: str, case: Case = case) -> Styler:
                    finds = case.backend not in (*BUILT_AHEAD, "identity")
                    ready = choose_backend(case.backend if finds else "auto", without=BUILT_AHEAD)[0]
                    return open_person_network(ready, alongside(EngineOptions()), case.width, case.height)

                bench = Bench(case, self._schedule, styler, naive, preloaded, open_sinks, self._stop, open_finder)
                for figures in bench.run():
                    result.rounds.append(figures)
                    told(result, figures)

    def describe_input(self) -> list[dict[str, Any]]:
        """What was preloaded, and what a frame of it costs to decode or draw, which is part of no other figure."""
        found: list[dict[str, Any]] = []
        for (width, height), preloaded in self._inputs.items():
            entry: dict[str, Any] = {
                "name": preloaded.name,
                "frame_width_px": width,
                "frame_height_px": height,
                "preloaded_frames": len(preloaded.images),
            }
            if preloaded.read_s:
                read = percentiles(np.array(preloaded.read_s) * 1000.0)
                entry |= {f"decode_{name}_ms": round(getattr(read, f"{name}_ms"), 3) for name in ("p50", "p95", "p99")}
            found.append(entry)
        return found

    def _preload(self, width: int, height: int) -> Preloaded:
        is_demo = resolve_input(self._parts.source)[0] == "demo"
        options = SourceOptions(width, height, _DEMO_FPS if is_demo else 0.0)
        with open_input(self._parts.source, options, paced=False).source as source:
            return preload(source, width, height, timed=is_demo or not source.info.live)

    def _open_naive(self, case: Case, result: CaseResult, image: Image) -> NaiveLoop:
        """Open the naive loop and prove that it draws what the engine draws."""
        network, engine = self._network(case).path, result.engine
        naive = NaiveLoop(network, engine)
        options = EngineOptions(threads=self._parts.threads)
        with ENGINES.load(case.backend)(network, engine.width, engine.height, options) as reference:
            result.naive_difference_levels = naive.require_same(image, reference.run)
        return naive

    def _network(self, case: Case) -> Network:
        return self._catalogue.choose(case.style, case.network)[1]

    def _open_sinks(self, case: Case) -> list[Sink]:
        return open_sinks(self._parts.outputs, SinkOptions(case.width, case.height, self._schedule.fps))


def open_case(case: Case, schedule: Schedule, parts: Parts, catalogue: Catalogue) -> Styler:
    """The case's network on its backend, warm, at the size that it asks for.

    Raises: UnknownName, StyleCorrupt, BackendUnavailable, InvalidInput.
    """
    config = Config(
        backend=case.backend,
        network=case.network,
        process_size=int(case.process_size) if case.process_size.isdecimal() else "auto",
        threads=parts.threads,
        precision=parts.precision,
    )
    budget_ms = LIVE_SHARE * 1000.0 / schedule.fps if case.process_size == "auto" else None
    return open_styler(
        config,
        catalogue,
        case.style,
        case.width,
        case.height,
        budget_ms,
        people=case.room != STYLED,
        most=None if case.process_size == "full" else LIVE_LINES,
    )
