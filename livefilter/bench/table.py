"""The results as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from livefilter.bench.figures import STAGES, Figures, LoopName, age_ratios, latency_ms, ratios, select, spread
from livefilter.bench.measure import CaseResult
from livefilter.bench.report import LOOPS
from livefilter.control.parts import STYLED

# Above this the machine was too busy with other things for its figures to be taken for what it can do.
NOISY_PERCENT = 10.0
NAMES: dict[LoopName, str] = {"pipeline": "livefilter", "naive": "naive loop"}
_PERCENTILES: tuple[Literal["p50", "p95", "p99"], ...] = ("p50", "p95", "p99")
_RATE_COLUMNS = (
    ("flat out\nfps", 15),
    ("live\nfps", 5),
    ("drops\n%", 5),
    ("age\np50 ms", 6),
    ("\np95", 5),
    ("\np99", 5),
    ("jitter\np95 ms", 6),
    ("CPU\n%", 4),
    ("mem.\nMB", 5),
)


def tables(results: Sequence[CaseResult], fps: float) -> RenderableType:
    """Rates, stages and ratios of every case, 80 columns wide; fps: the live rate."""
    parts: list[RenderableType] = []
    for result in results:
        if result.rounds:
            engine = result.engine
            parts += [
                "",
                Text.assemble((case_name(result), "bold magenta"), f"  {engine.device}, {engine.precision}"),
                _rates(result),
                "",
                _stages(result),
                *_ratio_lines(result, fps),
            ]
    noise = [figures.others_cpu_percent for result in results for figures in result.rounds]
    if noise and median(noise) > NOISY_PERCENT:
        words = (
            f"Other programs took {median(noise):.0f} % of this machine's CPU meanwhile: "
            "measure again when it is quiet."
        )
        parts += ["", Text(words, "yellow")]
    return Group(*parts, "")


def case_name(result: CaseResult) -> str:
    """What was measured, in a few words."""
    case, engine = result.case, result.engine
    name = f"{case.style} {case.network} {engine.backend} {case.width}x{case.height}"
    whole = (-(-case.width // 8) * 8, -(-case.height // 8) * 8)  # engines take multiples of 8
    name = name if (engine.width, engine.height) == whole else f"{name} at {engine.width}x{engine.height}"
    return name if case.room == STYLED else f"{name}, room {case.room}"


def _rates(result: CaseResult) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("", width=10)
    for name, width in _RATE_COLUMNS:
        table.add_column(name, justify="right", width=width, header_style="dim")
    for loop in LOOPS:
        fast, live = select(result.rounds, loop, "throughput"), select(result.rounds, loop, "live")
        if fast or live:
            table.add_row(
                NAMES[loop],
                _rate(fast),
                _middle(live, "new_fps", ".1f"),
                _middle(live, "dropped_percent", ".1f"),
                *(_plain(latency_ms(live, "age", percentile), ".1f") for percentile in _PERCENTILES),
                _middle(live, "jitter_p95_ms", ".1f"),
                _middle(live, "cpu_percent", ".0f"),
                _middle([*fast, *live], "memory_peak_mb", ".0f"),
            )
    return table


def _stages(result: CaseResult) -> Table:
    measured = {loop: rounds for loop in LOOPS if (rounds := select(result.rounds, loop, "throughput"))}
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("\nflat out", width=11, header_style="dim")
    for loop in measured:
        for percentile in _PERCENTILES:
            name = NAMES[loop] if percentile == "p50" else ""
            table.add_column(f"{name}\n{percentile} ms", justify="right", width=10, header_style="dim")
    for stage in STAGES:
        cells = [
            _plain(latency_ms(rounds, stage, percentile), ".2f")
            for rounds in measured.values()
            for percentile in _PERCENTILES
        ]
        table.add_row(stage, *cells)
    return table


def _ratio_lines(result: CaseResult, fps: float) -> list[RenderableType]:
    lines: list[RenderableType] = []
    rates, ages = ratios(result.rounds, "throughput"), age_ratios(result.rounds)
    if rates:
        over = spread(rates)
        words = (
            f"Flat out, livefilter makes {over.median:.2f} times as many frames as the naive loop "
            f"({over.low:.2f} to {over.high:.2f} over {len(rates)} rounds)."
        )
        lines += ["", Text(words, "bold")]
    if ages:
        over = spread(ages)
        words = (
            f"Live at {fps:g} fps, the naive loop's frames are {over.median:.2f} times as old "
            f"({over.low:.2f} to {over.high:.2f})."
        )
        lines.append(Text(words, "bold"))
    return lines


def _rate(rounds: Sequence[Figures]) -> str:
    if not rounds:
        return "-"
    over = spread([figures.new_fps for figures in rounds])
    return f"{over.median:.1f}" if len(rounds) == 1 else f"{over.median:.1f} ({over.low:.0f}-{over.high:.0f})"


def _middle(rounds: Sequence[Figures], name: str, shape: str) -> str:
    values = [value for figures in rounds if (value := getattr(figures, name)) is not None]
    return format(median(values), shape) if values else "-"


def _plain(value: float | None, shape: str) -> str:
    return "-" if value is None else format(value, shape)
