"""The results as a document for machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livefilter.bench.figures import Figures, LoopName, Mode, age_ratios, latency_ms, ratios, select, spread
from livefilter.bench.measure import CaseResult
from livefilter.errors import InvalidInput
from livefilter.whole_file import write_whole

SCHEMA = "livefilter bench 1"
LOOPS: tuple[LoopName, ...] = ("pipeline", "naive")
MODES: tuple[Mode, ...] = ("throughput", "live")


def document(results: Sequence[CaseResult], facts: dict[str, Any], *, complete: bool) -> dict[str, Any]:
    """Everything that was measured; the name of every number ends in its unit.

    facts: what the caller knows: when, machine, versions, settings, input, skipped backends.
    """
    return {"schema": SCHEMA, "complete": complete, **facts, "results": [_case(result) for result in results]}


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a document, whole or not at all, into a folder that is made if need be.

    Raises: InvalidInput: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}. Name another folder with --out.") from error


def _case(result: CaseResult) -> dict[str, Any]:
    engine = result.engine
    return {
        "style": result.case.style,
        "network": result.case.network,
        "backend": engine.backend,
        "device": engine.device,
        "precision": engine.precision,
        "frame_width_px": result.case.width,
        "frame_height_px": result.case.height,
        "process_size": result.case.process_size,
        "room": result.case.room,
        "engine_width_px": engine.width,
        "engine_height_px": engine.height,
        "naive_difference_levels": result.naive_difference_levels,
        "summary": [
            _summary(rounds, loop, mode)
            for loop in LOOPS
            for mode in MODES
            if (rounds := select(result.rounds, loop, mode))
        ],
        "ratios": _ratios(result.rounds),
        "rounds": [_round(figures) for figures in result.rounds],
    }


def _summary(rounds: Sequence[Figures], loop: LoopName, mode: Mode) -> dict[str, Any]:
    """Medians over the rounds; rates also with their smallest and largest."""
    rate = spread([figures.new_fps for figures in rounds])
    found: dict[str, Any] = {
        "loop": loop,
        "mode": mode,
        "rounds_count": len(rounds),
        "new_fps": _rounded(rate.median),
        "new_min_fps": _rounded(rate.low),
        "new_max_fps": _rounded(rate.high),
    }
    for name in ("sent_fps", "dropped_percent", "cpu_percent", "others_cpu_percent", "memory_peak_mb"):
        found[name] = _rounded(spread([getattr(figures, name) for figures in rounds]).median)
    jitters = [figures.jitter_p95_ms for figures in rounds if figures.jitter_p95_ms is not None]
    if jitters:
        found["jitter_p95_ms"] = _rounded(spread(jitters).median)
    for stage in dict.fromkeys(stage for figures in rounds for stage in figures.latency):
        for percentile in ("p50", "p95", "p99"):
            value = latency_ms(rounds, stage, percentile)
            if value is not None:
                found[f"{stage}_{percentile}_ms"] = _rounded(value)
    return found


def _ratios(rounds: Sequence[Figures]) -> dict[str, Any]:
    """Pipeline over naive, so more than 1 is better; from pairs of neighbouring rounds."""
    found: dict[str, Any] = {}
    for name, values in (
        ("throughput_fps", ratios(rounds, "throughput")),
        ("live_fps", ratios(rounds, "live")),
        ("live_age_p50", age_ratios(rounds)),
    ):
        if values:
            over = spread(values)
            found[f"{name}_ratio"] = _rounded(over.median)
            found[f"{name}_min_ratio"] = _rounded(over.low)
            found[f"{name}_max_ratio"] = _rounded(over.high)
            found[f"{name}_each_ratio"] = [_rounded(value) for value in values]
    return found


def _round(figures: Figures) -> dict[str, Any]:
    plain = dataclasses.asdict(figures)
    del plain["latency"]
    found = {name: _rounded(value) if isinstance(value, float) else value for name, value in plain.items()}
    for stage, latency in figures.latency.items():
        found |= {
            f"{stage}_p50_ms": _rounded(latency.p50_ms),
            f"{stage}_p95_ms": _rounded(latency.p95_ms),
            f"{stage}_p99_ms": _rounded(latency.p99_ms),
            f"{stage}_samples_count": latency.samples,
        }
    return found


def _rounded(value: float) -> float:
    return round(value, 3)
