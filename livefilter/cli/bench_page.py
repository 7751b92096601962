"""`livefilter bench --page`: how fast open pages see each other's changes, and what they cost a live run."""

from __future__ import annotations

import json
import threading
from typing import Any

import click
from rich.console import Console

from livefilter.bench.measure import Case, Schedule
from livefilter.bench.pages import measure_pages
from livefilter.bench.session import Parts
from livefilter.config import Config

_INTERRUPTED = 130


def bench_page(
    console: Console, case: Case, schedule: Schedule, parts: Parts, facts: dict[str, Any], stop: threading.Event, *,
    as_json: bool,
) -> int:  # fmt: skip
    """Measure, and print it: the exit code.

    Raises: LivefilterError: the first thing that failed.
    """
    size = case.process_size
    config = Config(
        input=parts.source, output=("page:0",), style=case.style, network=case.network, backend=case.backend,
        threads=parts.threads, precision=parts.precision, width=case.width, height=case.height, fps=schedule.fps,
        loop=True, idle=False, process_size=min(case.width, case.height) if size == "full" else size,
    )  # fmt: skip
    figures = measure_pages(config, schedule.seconds, schedule.rounds, stop)
    if figures is None:
        console.print("Stopped before its end.")
        return _INTERRUPTED
    found = figures.document()
    if as_json:
        click.echo(json.dumps(facts | {"pages": found}, indent=2))
        return 0
    for line in (
        f"Two pages see each other's changes after {found['seen_p50_ms']:.1f} ms (p95 {found['seen_p95_ms']:.1f}, at "
        f"most {found['seen_max_ms']:.1f}; {found['changes_count']} changes).",
        f"{found['actions_count']} actions, as fast as they were answered: {found['lost_actions_count']} lost.",
        f"The run styled {found['quiet_fps']:.1f} frames a second by itself; of that {found['changes_ratio']:.1%} "
        f"beside changes, {found['flood_ratio']:.1%} beside that many actions, {found['thumbnails_ratio']:.1%} beside "
        f"{found['thumbnails_count']} thumbnails.",
    ):
        console.print(line, soft_wrap=True)
    return 0
