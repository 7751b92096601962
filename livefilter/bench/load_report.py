"""What runs under load say: figures, a table and a plot over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from livefilter.bench.chart import GRID, INK, open_figure, save_figure
from livefilter.bench.load import GAME_STEPS, STEP_S, LoadStep
from livefilter.bench.load_run import LoadedRun

_BAND = "#f3f4f7"
_COLOURS = ("#d6336c", "#4263eb", "#66a80f", "#f59f00", "#15aabf")
_TITLE = "Live under the load of a game night"


def figures(run: LoadedRun) -> dict[str, Any]:
    """The figures of one run, every key with its unit."""
    loaded = run.loaded
    by_step: dict[int, list[bool]] = {}
    for second in run.seconds:
        by_step.setdefault(second.step, []).append(second.kept)
    minutes = max(1.0, len(run.seconds)) / 60.0
    quiet = [second.size for second in loaded if second.step == 0]
    ages = np.array([second.age_p95_ms for second in loaded if second.age_p95_ms is not None])
    return {
        "name": run.entrant.name,
        "promised_fps": run.promise.fps,
        "promised_age_ms": run.promise.age_ms,
        "kept_percent": round(100.0 * sum(second.kept for second in loaded) / max(1, len(loaded)), 1),
        "kept_by_step_percent": [round(100.0 * sum(kept) / len(kept)) for kept in by_step.values()],
        "new_fps": round(float(np.mean([second.fps for second in loaded])), 2) if loaded else 0.0,
        "mean_size_px": round(float(np.mean([second.size for second in loaded]))) if loaded else 0,
        "quiet_size_px": round(float(np.mean(quiet))) if quiet else 0,
        "age_p95_ms": round(float(np.percentile(run.ages_ms, 95)), 1) if run.ages_ms else None,
        "age_p95_worst_second_ms": float(ages.max()) if len(ages) else None,
        "longest_gap_ms": max((second.gap_ms for second in run.seconds), default=0.0),
        "changes_per_minute": round(len(run.changes) / minutes, 1),
        "cpu_percent": round(100.0 * float(np.mean([second.cpu_share for second in loaded]))) if loaded else 0,
        "others_cpu_percent": round(100.0 * float(np.mean([s.others_share for s in loaded]))) if loaded else 0,
    }


def document(runs: Sequence[LoadedRun], steps: Sequence[LoadStep], facts: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured, for JSON."""
    told = [
        figures(run) | {"changes": run.changes, "seconds": [asdict(second) for second in run.seconds]} for run in runs
    ]
    return facts | {"load": {"name": "game", "step_s": STEP_S, "steps": [step.name for step in steps]}, "runs": told}


def markdown(runs: Sequence[LoadedRun], steps: Sequence[LoadStep]) -> str:
    """A table with one row for each run, and what else ran."""
    names = [step.name for step in steps[:GAME_STEPS]]
    head = [
        "Size",
        "Kept, % of seconds",
        *names,
        "Mean size",
        "Frames/s",
        "Age p95 ms",
        "Longest gap ms",
        "Changes/min",
    ]
    rows = []
    for run in runs:
        told = figures(run)
        steps_kept = [f"{each}" for each in told["kept_by_step_percent"][:GAME_STEPS]]
        rows.append(
            [
                told["name"], f"**{told['kept_percent']:g}**", *steps_kept, f"{told['mean_size_px']}",
                f"{told['new_fps']:.1f}", f"{told['age_p95_ms'] or 0:.0f}", f"{told['longest_gap_ms']:.0f}",
                f"{told['changes_per_minute']:g}",
            ]
        )  # fmt: skip
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    others = ", ".join(f"{figures(run)['others_cpu_percent']} %" for run in runs)
    kept = runs[0].promise if runs else ""
    lines += ["", f"Promise: {kept}. Of the CPU, programs outside the benchmark took {others} (row by row)."]
    return "\n".join(lines) + "\n"


def draw_loaded(runs: Sequence[LoadedRun], steps: Sequence[LoadStep], path: Path, on: str) -> None:
    """Write a PNG: frame rate, age and size of every run over time, with the load's steps.

    on: what it ran on. Raises: BackendUnavailable: matplotlib is not installed. InvalidInput: it cannot be written.
    """
    figure = open_figure((10, 8), 110, f"{_TITLE}\n{on}")
    rate, age, size = figure.subplots(3, 1, sharex=True)
    promise = runs[0].promise
    for number, run in enumerate(runs):
        style: dict[str, Any] = {"color": _COLOURS[number % len(_COLOURS)], "linewidth": 2.2 if number == 0 else 1.2}
        at = [second.at_s for second in run.seconds]
        rate.plot(at, [second.fps for second in run.seconds], label=run.entrant.name, **style)
        age.plot(at, [second.age_p95_ms or np.nan for second in run.seconds], **style)
        size.step(at, [second.size for second in run.seconds], where="pre", **style)
    for axes, words in (
        (rate, f"new frames per second; dotted: the promise, {promise.fps:g}"),
        (age, f"age at p95 of each second, ms; dotted: the promise, {promise.age_ms:g}"),
        (size, "shorter side of the picture that is styled, pixels"),
    ):
        axes.set_title(words, loc="left", fontsize=10, color=INK)
        _mark_steps(axes, steps)
    rate.axhline(promise.fps, color=INK, linewidth=1, linestyle=":")
    age.axhline(promise.age_ms, color=INK, linewidth=1, linestyle=":")
    rate.set_ylim(0, promise.fps * 1.25)
    age.set_yscale("log")
    age.set_yticks([10, 20, 50, 100, 200, 500, 1000], ["10", "20", "50", "100", "200", "500", "1000"])
    age.minorticks_off()
    oldest = max((second.age_p95_ms or 0.0 for run in runs for second in run.seconds), default=0.0)
    age.set_ylim(10, max(200.0, 1.2 * oldest))
    rate.legend(fontsize=8, ncols=2, loc="lower left", frameon=True, edgecolor=GRID)
    size.set_xlabel("seconds", fontsize=9)
    for number, step in enumerate(steps):
        rate.text((number + 0.5) * STEP_S, promise.fps * 1.22, step.name, ha="center", va="top", fontsize=8, color=INK)
    save_figure(figure, path)


def _mark_steps(axes: Any, steps: Sequence[LoadStep]) -> None:
    for number in range(0, len(steps), 2):
        axes.axvspan(number * STEP_S, (number + 1) * STEP_S, color=_BAND, zorder=0)
    axes.set_xlim(0, len(steps) * STEP_S)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, length=0, labelsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
