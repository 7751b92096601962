"""`livefilter bench --load game`: what a run promises, beside other programs."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from livefilter.bench.load import GAME, STEP_S
from livefilter.bench.load_report import document, draw_loaded, figures, markdown
from livefilter.bench.load_run import LoadedRun, Second, entrants, run_loaded
from livefilter.bench.report import write_json
from livefilter.config import Config
from livefilter.errors import BackendUnavailable

_INTERRUPTED = 130


def bench_load(
    console: Console, config: Config, stem: Path, facts: dict[str, Any], stop: threading.Event, *, as_json: bool
) -> int:
    """Run every entrant through the load, and write JSON, table and plot beside each other at `stem`."""
    chosen = entrants(config)
    minutes = len(chosen) * (len(GAME) * STEP_S + 10) / 60
    console.print(f"{len(chosen)} runs under load, about {minutes:.0f} minutes. Leave the machine alone meanwhile.")
    runs: list[LoadedRun] = []
    for entrant in chosen:
        console.print(f"[bold]{escape(entrant.name)}[/]")

        def told(second: Second) -> None:
            age = f"{second.age_p95_ms:.0f} ms" if second.age_p95_ms is not None else "-"
            mark = "" if second.kept else "  missed"
            name = GAME[second.step].name
            console.print(
                f"[dim]{second.at_s:5.1f} s  {name:<12} {second.fps:5.1f} fps  {age:>7}  {second.size}{mark}[/]"
            )

        run = run_loaded(entrant, GAME, stop, told)
        if stop.is_set():
            console.print("[yellow]Interrupted: nothing is written of a run that is cut off.[/]")
            break
        runs.append(run)
        for at_s, text in run.changes:
            console.print(f"  {at_s:6.1f} s  {text}")
        console.print(f"  kept in {figures(run)['kept_percent']:g} % of the seconds under load")
    if not runs:
        return _INTERRUPTED
    content = document(runs, GAME, facts)
    write_json(content, stem.with_suffix(".json"))
    table = markdown(runs, GAME)
    stem.with_suffix(".md").write_text(table, encoding="utf-8")
    click.echo(json.dumps(content, indent=2) if as_json else table)
    machine = facts["machine"]
    on = f"{machine['gpu'] or machine['cpu']}, {machine['logical_cores_count']} cores; {facts['started_at'][:10]}"
    try:
        draw_loaded(runs, GAME, stem.with_suffix(".png"), on)
    except BackendUnavailable as error:
        console.print(f"[yellow]{escape(str(error))}[/]", soft_wrap=True)
    console.print(f"Figures, table and plot: {escape(str(stem))}.json, .md, .png", soft_wrap=True)
    return _INTERRUPTED if stop.is_set() else 0
