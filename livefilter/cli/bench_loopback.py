"""`livefilter bench --loopback`: how old a frame is when a program that watches the virtual camera has it."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Sequence

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from livefilter.bench.loopback import STAGES, Loop, loopback_device, measure_loopback
from livefilter.bench.measure import Case, Schedule
from livefilter.bench.session import Parts
from livefilter.cli.console import print_table

_INTERRUPTED = 130


def bench_loopback(
    console: Console, cases: Sequence[Case], schedule: Schedule, parts: Parts, stop: threading.Event, *, as_json: bool
) -> int:
    """Measure each case once for `schedule.seconds` and print it: the exit code.

    Raises: LivefilterError: there is no virtual camera, or the first thing that failed.
    """
    device = loopback_device(parts.outputs)
    loops: list[Loop] = []
    for case in cases:
        loop = measure_loopback(case, schedule, parts, device, stop)
        if loop is None:
            console.print("Stopped before its end.")
            return _INTERRUPTED
        loops.append(loop)
        if not as_json:
            print_table(console, _table(loop))
            console.print(_verdict(loop), soft_wrap=True)
    if as_json:
        found = [dataclasses.asdict(loop) | {"added_p95_ms": loop.added_p95_ms} for loop in loops]
        click.echo(json.dumps(found, indent=2))
    return 0


def _table(loop: Loop) -> Table:
    case, engine = loop.case, loop.engine
    table = Table(
        title=f"{escape(case.style)} {case.network} on {escape(engine.backend)}, {case.width}x{case.height} at "
        f"{1000 / loop.frame_ms:.4g} fps, styled at {engine.width}x{engine.height}, {escape(loop.device)}"
    )
    table.add_column("stage")
    for name in ("p50", "p95", "p99"):
        table.add_column(f"{name} ms", justify="right")
    for stage in STAGES:
        if stage in loop.latency:
            found = loop.latency[stage]
            table.add_row(stage, *(f"{value:.1f}" for value in (found.p50_ms, found.p95_ms, found.p99_ms)))
    return table


def _verdict(loop: Loop) -> str:
    unread = f", {loop.unreadable} more could not be read" if loop.unreadable else ""
    word = "less" if loop.added_p95_ms < loop.frame_ms else "more"
    return (
        f"{loop.frames} frames read back{unread}. Beyond the engine's own time the way takes "
        f"{loop.added_p95_ms:.1f} ms at p95, {word} than one frame time ({loop.frame_ms:.1f} ms)."
    )
