"""The figures of one measured round, and what several rounds say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal, TypeAlias

import numpy as np

from livefilter.bench.machine import Usage
from livefilter.bench.recorder import Window
from livefilter.metrics import Latency, percentiles

LoopName: TypeAlias = Literal["pipeline", "naive"]
Mode: TypeAlias = Literal["throughput", "live"]
STAGES = ("capture", "preprocess", "inference", "postprocess", "output")


@dataclass(frozen=True)
class Figures:
    """One round of one loop in one mode.

    new_fps: frames that reached the outputs for the first time, per second. sent_fps: the same with repeats.
    dropped_*: frames that the source had between the first and the last one sent, and that were never sent.
    jitter_p95_ms: how far the time between two sends strays from the period; live only.
    cpu_percent: of all logical cores, this process; others_cpu_percent: everything else.
    memory_peak_mb: of the whole process. latency: stage or "age" -> milliseconds.
    """

    loop: LoopName
    mode: Mode
    duration_s: float
    new_fps: float
    sent_fps: float
    styled_frames: int
    new_frames: int
    dropped_frames: int
    dropped_percent: float
    cpu_percent: float
    others_cpu_percent: float
    memory_peak_mb: float
    jitter_p95_ms: float | None = None
    latency: dict[str, Latency] = field(default_factory=dict)


def summarise(window: Window, usage: Usage, fps: float, loop: LoopName, mode: Mode) -> Figures:
    """Turn one window's raw samples into figures; fps: the source's rate."""
    seconds = window.duration_s
    offered = window.beats[-1] - window.beats[0] + 1 if window.beats else round(seconds * fps)
    dropped = offered - len(window.beats)
    intervals_ms = np.diff(np.array(window.sends)) * 1000.0
    jitter = float(np.percentile(np.abs(intervals_ms - 1000.0 / fps), 95)) if len(intervals_ms) else None
    return Figures(
        loop=loop,
        mode=mode,
        duration_s=seconds,
        new_fps=len(window.beats) / seconds if seconds else 0.0,
        sent_fps=len(window.sends) / seconds if seconds else 0.0,
        styled_frames=window.styled,
        new_frames=len(window.beats),
        dropped_frames=dropped,
        dropped_percent=100.0 * dropped / offered if offered else 0.0,
        cpu_percent=usage.cpu_percent,
        others_cpu_percent=usage.others_cpu_percent,
        memory_peak_mb=usage.memory_peak_mb,
        jitter_p95_ms=jitter if mode == "live" else None,
        latency={stage: percentiles(np.array(taken_s) * 1000.0) for stage, taken_s in window.stages.items()},
    )


@dataclass(frozen=True)
class Spread:
    """A figure over several rounds."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Median, smallest and largest of a non-empty sequence."""
    return Spread(median(values), min(values), max(values))


def select(rounds: Sequence[Figures], loop: LoopName, mode: Mode) -> list[Figures]:
    """The rounds of one loop in one mode, in the order in which they ran."""
    return [figures for figures in rounds if (figures.loop, figures.mode) == (loop, mode)]


def latency_ms(rounds: Sequence[Figures], stage: str, percentile: Literal["p50", "p95", "p99"]) -> float | None:
    """The median over rounds of one percentile of a stage; None when no round has that stage."""
    values = [getattr(figures.latency[stage], f"{percentile}_ms") for figures in rounds if stage in figures.latency]
    return float(median(values)) if values else None


def ratios(rounds: Sequence[Figures], mode: Mode) -> list[float]:
    """Pipeline over naive in new frames per second, for each pair of neighbouring rounds."""
    pairs = zip(select(rounds, "pipeline", mode), select(rounds, "naive", mode), strict=False)
    return [ours.new_fps / theirs.new_fps for ours, theirs in pairs if theirs.new_fps > 0]


def age_ratios(rounds: Sequence[Figures]) -> list[float]:
    """Naive over pipeline in the median age of a frame when it is sent, live, for each pair of rounds."""
    pairs = zip(select(rounds, "pipeline", "live"), select(rounds, "naive", "live"), strict=False)
    return [
        theirs.latency["age"].p50_ms / ours.latency["age"].p50_ms
        for ours, theirs in pairs
        if "age" in ours.latency and "age" in theirs.latency and ours.latency["age"].p50_ms > 0
    ]
