"""Hand-made rounds, so that what is computed from them can be checked by hand."""

from __future__ import annotations

from livefilter.bench.figures import Figures, LoopName, Mode
from livefilter.bench.measure import Case, CaseResult
from livefilter.inference.base import EngineInfo
from livefilter.metrics import Latency


def figures(loop: LoopName, mode: Mode, fps: float, age_ms: float = 20.0) -> Figures:
    """One round at `fps` with frames of `age_ms`."""
    stages = ("capture", "preprocess", "inference", "postprocess", "output")
    latency = {stage: Latency(number + 1.0, number + 2.0, number + 3.0, 50) for number, stage in enumerate(stages)}
    latency["age"] = Latency(age_ms, age_ms + 5, age_ms + 9, 50)
    return Figures(
        loop=loop,
        mode=mode,
        duration_s=5.0,
        new_fps=fps,
        sent_fps=fps,
        styled_frames=round(fps * 5),
        new_frames=round(fps * 5),
        dropped_frames=3,
        dropped_percent=2.0,
        cpu_percent=40.0,
        others_cpu_percent=1.0,
        memory_peak_mb=200.0,
        jitter_p95_ms=1.5 if mode == "live" else None,
        latency=latency,
    )


def result(backend: str = "onnxruntime", *, naive: bool = True, rounds: int = 3) -> CaseResult:
    """A case in which the pipeline is 2, 3, 4... times as fast as the naive loop, at 40, 60, 80... fps."""
    measured: list[Figures] = []
    for number in range(rounds):
        measured.append(figures("pipeline", "throughput", 20.0 * (number + 2)))
        measured.append(figures("pipeline", "live", 30.0, age_ms=10.0))
        if naive:
            measured.append(figures("naive", "throughput", 20.0))
            measured.append(figures("naive", "live", 25.0, age_ms=15.0 + 5 * number))
    engine = EngineInfo(backend, "a CPU", "float32", 640, 360)
    return CaseResult(Case("hayao", backend, 640, 360, "full"), engine, measured, 1.0 if naive else None)
