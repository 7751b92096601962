"""The results as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livefilter.bench.chart import GRID, INK, open_figure, save_figure
from livefilter.bench.figures import STAGES, Figures, LoopName, latency_ms, select, spread
from livefilter.bench.measure import CaseResult
from livefilter.bench.report import LOOPS
from livefilter.bench.table import NAMES, case_name

_LOOP_COLOURS: dict[LoopName, str] = {"pipeline": "#d6336c", "naive": "#868e96"}
_STAGE_COLOURS = ("#4263eb", "#15aabf", "#d6336c", "#f59f00", "#66a80f")
_WIDTH_IN, _DPI = 10.0, 130
_BAR, _HEADING = 0.72, 0.75


@dataclass(frozen=True)
class _Bar:
    result: CaseResult
    loop: LoopName
    place: float
    heads: bool


def draw_plot(results: Sequence[CaseResult], path: Path, title: str, subtitle: str, fps: float) -> None:
    """Write a PNG: frame rates, what a frame's time is spent on, and its age live.

    title, subtitle: what was run, and on what. fps: the live rate, drawn as a line.
    Raises: BackendUnavailable: matplotlib is not installed. InvalidInput: the file cannot be written.
    """
    bars = _bars(results)
    height_in = 2.4 + 3 * (0.8 + 0.3 * (bars[-1].place + 1 if bars else 1))
    figure = open_figure((_WIDTH_IN, height_in), _DPI, f"{title}\n{subtitle}")
    figure.get_layout_engine().set(h_pad=0.12)
    rate, stages, age = figure.subplots(3, 1)
    _draw_rates(rate, bars, fps)
    _draw_stages(stages, bars)
    _draw_age(age, bars, fps)
    for axes in (rate, stages, age):
        _dress(axes, bars)
    save_figure(figure, path)


def _bars(results: Sequence[CaseResult]) -> list[_Bar]:
    """One bar for each loop that ran, top to bottom, under a heading for each case."""
    bars: list[_Bar] = []
    place = 0.0
    for result in results:
        place += _HEADING
        ran = {figures.loop for figures in result.rounds}
        for index, loop in enumerate(loop for loop in LOOPS if loop in ran):
            bars.append(_Bar(result, loop, place, heads=index == 0))
            place += 1.0
    return bars


def _draw_rates(axes: Any, bars: Sequence[_Bar], fps: float) -> None:
    axes.set_title("Frames per second, flat out: median, smallest and largest round", loc="left", fontsize=10)
    for bar in bars:
        rounds = select(bar.result.rounds, bar.loop, "throughput")
        if rounds:
            over = spread([figures.new_fps for figures in rounds])
            error = [[over.median - over.low], [over.high - over.median]]
            colour = _LOOP_COLOURS[bar.loop]
            axes.barh(bar.place, over.median, color=colour, xerr=error, ecolor=INK, capsize=3, height=_BAR)
            _write(axes, over.high, bar.place, f"{over.median:.1f}")
    axes.axvline(fps, color=INK, linewidth=1, linestyle=":", zorder=0.5)
    axes.set_xlabel(f"frames per second; dotted: the live rate, {fps:g}", fontsize=9)


def _draw_stages(axes: Any, bars: Sequence[_Bar]) -> None:
    axes.set_title("Time of one frame, flat out: median of each stage", loc="left", fontsize=10)
    for number, bar in enumerate(bars):
        left = 0.0
        rounds = select(bar.result.rounds, bar.loop, "throughput")
        for stage, colour in zip(STAGES, _STAGE_COLOURS, strict=True):
            taken = latency_ms(rounds, stage, "p50") or 0.0
            label = stage if number == 0 else None
            axes.barh(bar.place, taken, left=left, color=colour, height=_BAR, label=label)
            left += taken
        _write(axes, left, bar.place, f"{left:.1f} ms")
    axes.set_xlabel("milliseconds; livefilter's capture, styling and output run side by side", fontsize=9)
    if bars:
        axes.legend(ncols=1, fontsize=8, frameon=True, edgecolor=GRID, loc="upper right")


def _draw_age(axes: Any, bars: Sequence[_Bar], fps: float) -> None:
    words = f"Age of a frame when it leaves, live at {fps:g} fps: p50 solid, p99 pale, p95 the tick"
    axes.set_title(words, loc="left", fontsize=10)
    for bar in bars:
        rounds = select(bar.result.rounds, bar.loop, "live")
        p50, p95, p99 = (
            latency_ms(rounds, "age", "p50"),
            latency_ms(rounds, "age", "p95"),
            latency_ms(rounds, "age", "p99"),
        )
        if p50 is None or p95 is None or p99 is None:
            continue
        colour = _LOOP_COLOURS[bar.loop]
        axes.barh(bar.place, p50, color=colour, height=_BAR)
        axes.barh(bar.place, p99 - p50, left=p50, color=colour, alpha=0.35, height=_BAR)
        axes.plot([p95, p95], [bar.place - _BAR / 2, bar.place + _BAR / 2], color=INK, linewidth=1.5)
        _write(axes, p99, bar.place, _live_words(rounds, p50, p99))
    axes.set_xlabel("milliseconds since capture", fontsize=9)


def _live_words(rounds: Sequence[Figures], p50: float, p99: float) -> str:
    rate = spread([figures.new_fps for figures in rounds]).median
    dropped = spread([figures.dropped_percent for figures in rounds]).median
    return f"{p50:.0f} to {p99:.0f} ms; {rate:.1f} fps, {dropped:.1f} % dropped"


def _write(axes: Any, x: float, place: float, words: str) -> None:
    axes.text(x, place, f"  {words}", va="center", fontsize=9, color=INK)


def _dress(axes: Any, bars: Sequence[_Bar]) -> None:
    axes.set_yticks([bar.place for bar in bars], [NAMES[bar.loop] for bar in bars], fontsize=9)
    axes.set_ylim((bars[-1].place if bars else 0) + 0.6, -0.25)
    axes.set_xlim(0, axes.get_xlim()[1] * 1.35)
    for bar in bars:
        if bar.heads:
            words = f" {case_name(bar.result)}"
            axes.text(0, bar.place - _BAR / 2 - 0.08, words, va="bottom", fontsize=9, weight="bold", color=INK)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, length=0, labelsize=9)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
