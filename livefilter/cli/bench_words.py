"""What `livefilter bench` tells of a measurement: before it, after each turn, and its picture at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from livefilter.bench.cases import Skipped
from livefilter.bench.figures import Figures
from livefilter.bench.measure import CaseResult, Schedule
from livefilter.bench.plot import draw_plot
from livefilter.bench.table import case_name
from livefilter.errors import BackendUnavailable


def announce(console: Console, facts: dict[str, Any], skipped: list[Skipped], cases: int, schedule: Schedule) -> None:
    """Say on what machine and with what pictures is measured, what is left out, and how long it takes.

    facts: those of the document. cases: their number.
    """
    machine = facts["machine"]
    console.print(
        f"{escape(machine['cpu'])}, {machine['logical_cores_count']} cores, {machine['memory_mb'] / 1024:.0f} GB"
        f"{', ' + escape(machine['gpu']) if machine['gpu'] else ''}; "
        f"load before the start: {machine['load_average_1min_count']:.2f}",
        soft_wrap=True,
    )
    for entry in facts["input"]:
        cost = (
            f", {entry['decode_p50_ms']:.1f} ms each to make, counted nowhere below" if "decode_p50_ms" in entry else ""
        )
        console.print(
            f"Input: {escape(entry['name'])}, {entry['preloaded_frames']} frames of {entry['frame_width_px']}x"
            f"{entry['frame_height_px']} held in memory{cost}",
            soft_wrap=True,
        )
    for skip in skipped:
        console.print(f"[yellow]Skipped {skip.backend}:[/] {escape(skip.reason)}", soft_wrap=True)
    minutes, left_s = divmod(round(cases * schedule.planned_s()), 60)
    console.print(
        f"{cases * schedule.turns} measurements, about {minutes}:{left_s:02d} minutes. Ctrl-C keeps what was measured."
    )


def tell(console: Console, result: CaseResult, figures: Figures) -> None:
    """Say what one turn measured."""
    done = sum((other.loop, other.mode) == (figures.loop, figures.mode) for other in result.rounds)
    age = figures.latency.get("age")
    words = (
        f", age {age.p50_ms:.0f} ms, {figures.dropped_percent:.0f} % dropped" if age and figures.mode == "live" else ""
    )
    mode = "flat out" if figures.mode == "throughput" else "live"
    name = "livefilter" if figures.loop == "pipeline" else "naive"
    console.print(
        f"[dim]{escape(case_name(result))}, round {done}: {name} {mode} {figures.new_fps:.1f} fps{words}[/]",
        soft_wrap=True,
    )


def plot(console: Console, results: list[CaseResult], path: Path, facts: dict[str, Any], fps: float) -> None:
    """Draw the plot, where matplotlib is there, and say where it is."""
    machine, versions = facts["machine"], facts["versions"]
    on = f"{machine['gpu'] or machine['cpu']}, {machine['logical_cores_count']} cores, {machine['system']}"
    try:
        draw_plot(results, path, f"livefilter {versions['livefilter']} on {facts['started_at'][:10]}", on, fps)
    except BackendUnavailable as error:  # a plot is an extra: its figures are there without it
        console.print(f"[yellow]{escape(str(error))}[/]", soft_wrap=True)
    else:
        console.print(f"Plot:    {escape(str(path))}", soft_wrap=True)
