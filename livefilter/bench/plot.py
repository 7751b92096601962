"""The results as a picture."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livefilter.bench.figures import STAGES, Figures, LoopName, latency_ms, select, spread
from livefilter.bench.measure import CaseResult
from livefilter.bench.report import LOOPS
from livefilter.bench.table import case_name
from livefilter.errors import BackendUnavailable, InvalidInput

_INK, _GRID = "#22252b", "#d9dce3"
_LOOP_COLOURS: dict[LoopName, str] = {"pipeline": "#d6336c", "naive": "#868e96"}
_LOOP_NAMES: dict[LoopName, str] = {"pipeline": "livefilter", "naive": "naive loop"}
_STAGE_COLOURS = ("#4263eb", "#15aabf", "#d6336c", "#f59f00", "#66a80f")
_WIDTH_IN, _DPI = 11.0, 130


def draw_plot(results: Sequence[CaseResult], path: Path, title: str, subtitle: str, fps: float) -> None:
    """Write a PNG: frame rates, what a frame's time is spent on, and its age live.

    title, subtitle: what was run, and on what. fps: the live rate, drawn as a line.
    Raises: BackendUnavailable: matplotlib is not installed. InvalidInput: the file cannot be written.
    """
    try:
        figure_module: Any = importlib.import_module("matplotlib.figure")
        agg: Any = importlib.import_module("matplotlib.backends.backend_agg")
    except ImportError as error:
        raise BackendUnavailable(
            f'No plot: matplotlib is not there ({error}). Install it: pip install "livefilter[bench]"'
        ) from error
    bars = [
        (result, loop)
        for result in results
        for loop in LOOPS
        if select(result.rounds, loop, "throughput") or select(result.rounds, loop, "live")
    ]
    height_in = 2.6 + 3 * (0.7 + 0.34 * len(bars))
    figure = figure_module.Figure(figsize=(_WIDTH_IN, height_in), dpi=_DPI, facecolor="white", layout="constrained")
    agg.FigureCanvasAgg(figure)
    figure.suptitle(f"{title}\n{subtitle}", x=0.01, ha="left", fontsize=11, color=_INK)
    rate, stages, age = figure.subplots(3, 1)
    _draw_rates(rate, bars, fps)
    _draw_stages(stages, bars)
    _draw_age(age, bars, fps)
    for axes in (rate, stages, age):
        _dress(axes, [_label(result, loop) for result, loop in bars])
    try:
        figure.savefig(path)
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}. Name another folder with --out.") from error


def _draw_rates(axes: Any, bars: Sequence[tuple[CaseResult, LoopName]], fps: float) -> None:
    axes.set_title("Frames per second, flat out (median, with smallest and largest round)", loc="left", fontsize=10)
    for place, (result, loop) in enumerate(bars):
        rounds = select(result.rounds, loop, "throughput")
        if rounds:
            over = spread([figures.new_fps for figures in rounds])
            error = [[over.median - over.low], [over.high - over.median]]
            axes.barh(place, over.median, color=_LOOP_COLOURS[loop], xerr=error, ecolor=_INK, capsize=3, height=0.7)
            axes.text(over.high, place, f"  {over.median:.1f}", va="center", fontsize=9, color=_INK)
    axes.axvline(fps, color=_INK, linewidth=1, linestyle=":")
    axes.set_xlabel(f"frames per second; dotted: the live rate, {fps:g}", fontsize=9)


def _draw_stages(axes: Any, bars: Sequence[tuple[CaseResult, LoopName]]) -> None:
    axes.set_title("Where a frame's time goes, flat out (median of each stage)", loc="left", fontsize=10)
    for place, (result, loop) in enumerate(bars):
        left = 0.0
        rounds = select(result.rounds, loop, "throughput")
        for stage, colour in zip(STAGES, _STAGE_COLOURS, strict=True):
            taken = latency_ms(rounds, stage, "p50") or 0.0
            axes.barh(place, taken, left=left, color=colour, height=0.7, label=stage if place == 0 else None)
            left += taken
        axes.text(left, place, f"  {left:.1f} ms", va="center", fontsize=9, color=_INK)
    axes.set_xlabel("milliseconds; livefilter's capture, network and output run side by side", fontsize=9)
    axes.legend(ncols=len(STAGES), fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0))


def _draw_age(axes: Any, bars: Sequence[tuple[CaseResult, LoopName]], fps: float) -> None:
    axes.set_title(
        f"Age of a frame when it leaves, live at {fps:g} fps (p50 to p99; the tick is p95)", loc="left", fontsize=10
    )
    for place, (result, loop) in enumerate(bars):
        rounds = select(result.rounds, loop, "live")
        marks = [latency_ms(rounds, "age", "p50"), latency_ms(rounds, "age", "p95"), latency_ms(rounds, "age", "p99")]
        if None in marks:
            continue
        p50, p95, p99 = (mark or 0.0 for mark in marks)
        axes.barh(place, p50, color=_LOOP_COLOURS[loop], height=0.7)
        axes.barh(place, p99 - p50, left=p50, color=_LOOP_COLOURS[loop], alpha=0.35, height=0.7)
        axes.plot([p95, p95], [place - 0.35, place + 0.35], color=_INK, linewidth=1.5)
        axes.text(max(p99, p50), place, f"  {_live_words(rounds, p50, p99)}", va="center", fontsize=9, color=_INK)
    axes.set_xlabel("milliseconds since capture", fontsize=9)


def _live_words(rounds: Sequence[Figures], p50: float, p99: float) -> str:
    rate = spread([figures.new_fps for figures in rounds]).median
    dropped = spread([figures.dropped_percent for figures in rounds]).median
    return f"{p50:.0f} to {p99:.0f} ms, {rate:.1f} fps, {dropped:.0f} % dropped"


def _label(result: CaseResult, loop: LoopName) -> str:
    return f"{case_name(result)}  {_LOOP_NAMES[loop]}"


def _dress(axes: Any, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels, fontsize=9)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(0, axes.get_xlim()[1] * 1.25)
    axes.grid(axis="x", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, length=0, labelsize=9)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
