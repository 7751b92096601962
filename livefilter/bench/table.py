"""The results as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from livefilter.bench.figures import (
    STAGES,
    Figures,
    LoopName,
    age_ratios,
    latency_ms,
    ratios,
    select,
    spread,
)
from livefilter.bench.measure import CaseResult
from livefilter.bench.report import LOOPS

# Above this the machine was too busy with other things for its figures to be taken for what it can do.
NOISY_PERCENT = 10.0
_NAMES: dict[LoopName, str] = {"pipeline": "livefilter", "naive": "naive"}


def tables(results: Sequence[CaseResult], fps: float) -> RenderableType:
    """Rates, stages and ratios, within 100 columns; fps: the live rate."""
    parts: list[RenderableType] = [_rates(results, fps), "", _stages(results)]
    lines = [line for result in results for line in _ratio_lines(result, fps)]
    if lines:
        parts += ["", *lines]
    noise = [figures.others_cpu_percent for result in results for figures in result.rounds]
    if noise and median(noise) > NOISY_PERCENT:
        parts += [
            "",
            Text(
                f"Other programs took {median(noise):.0f} % of this machine's CPU meanwhile: on a quiet machine the "
                "figures are better.",
                "yellow",
            ),
        ]
    return Group(*parts)


def case_name(result: CaseResult) -> str:
    """What was measured, in one line."""
    case, engine = result.case, result.engine
    name = f"{case.style} {engine.backend} {case.width}x{case.height}"
    whole = (-(-case.width // 8) * 8, -(-case.height // 8) * 8)  # engines take multiples of 8
    return name if (engine.width, engine.height) == whole else f"{name} at {engine.width}x{engine.height}"


def _rates(results: Sequence[CaseResult], fps: float) -> Table:
    table = Table(title=f"Flat out, and live at {fps:g} fps", title_justify="left", pad_edge=False)
    table.add_column("", max_width=20)
    table.add_column("loop")
    for name in (
        "flat out\nfps",
        "live\nfps",
        "dropped\n%",
        "age p50\nms",
        "p95\nms",
        "p99\nms",
        "jitter\nms",
        "CPU\n%",
    ):
        table.add_column(name, justify="right")
    table.add_column("MB", justify="right")
    for result in results:
        title = case_name(result)
        for loop in LOOPS:
            fast, live = select(result.rounds, loop, "throughput"), select(result.rounds, loop, "live")
            if not fast and not live:
                continue
            table.add_row(
                title,
                _NAMES[loop],
                _rate(fast),
                _middle(live, "new_fps", ".1f"),
                _middle(live, "dropped_percent", ".1f"),
                *(_plain(latency_ms(live, "age", percentile)) for percentile in ("p50", "p95", "p99")),
                _middle(live, "jitter_p95_ms", ".1f"),
                _middle(live, "cpu_percent", ".0f"),
                _middle([*fast, *live], "memory_peak_mb", ".0f"),
            )
            title = ""
        table.add_section()
    return table


def _stages(results: Sequence[CaseResult]) -> Table:
    compared = any(select(result.rounds, "naive", "throughput") for result in results)
    loops = LOOPS if compared else LOOPS[:1]
    table = Table(title="Stages of a frame, flat out, in ms", title_justify="left", pad_edge=False)
    table.add_column("", max_width=20)
    table.add_column("stage")
    for loop in loops:
        for percentile in ("p50", "p95", "p99"):
            table.add_column(f"{_NAMES[loop]}\n{percentile}", justify="right")
    for result in results:
        title = case_name(result)
        for stage in STAGES:
            row = [
                _plain(latency_ms(select(result.rounds, loop, "throughput"), stage, percentile), ".2f")
                for loop in loops
                for percentile in ("p50", "p95", "p99")
            ]
            table.add_row(title, stage, *row)
            title = ""
        table.add_section()
    return table


def _ratio_lines(result: CaseResult, fps: float) -> list[RenderableType]:
    lines: list[RenderableType] = []
    rate, age = ratios(result.rounds, "throughput"), age_ratios(result.rounds)
    if rate:
        over = spread(rate)
        text = (
            f"{case_name(result)}: livefilter makes {over.median:.2f} x the frames of the naive loop "
            f"({over.low:.2f} to {over.high:.2f} over {len(rate)} rounds)"
        )
        if age:
            over = spread(age)
            text += f"; live at {fps:g} fps the naive loop's frames are {over.median:.2f} x as old"
        lines.append(Text(text + ".", "bold"))
    return lines


def _rate(rounds: Sequence[Figures]) -> str:
    if not rounds:
        return "-"
    over = spread([figures.new_fps for figures in rounds])
    return f"{over.median:.1f}" if len(rounds) == 1 else f"{over.median:.1f} ({over.low:.0f}-{over.high:.0f})"


def _middle(rounds: Sequence[Figures], name: str, shape: str) -> str:
    values = [value for figures in rounds if (value := getattr(figures, name)) is not None]
    return format(median(values), shape) if values else "-"


def _plain(value: float | None, shape: str = ".1f") -> str:
    return "-" if value is None else format(value, shape)
