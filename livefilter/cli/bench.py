"""`livefilter bench`: how fast this machine is, and where the time goes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console
from rich.markup import escape

from livefilter.bench.cases import list_cases
from livefilter.bench.machine import describe_machine, describe_versions
from livefilter.bench.measure import Case, Schedule
from livefilter.bench.report import document, write_json
from livefilter.bench.session import BenchSession, Parts
from livefilter.bench.table import tables
from livefilter.cli.bench_load import bench_load
from livefilter.cli.bench_loopback import bench_loopback
from livefilter.cli.bench_page import bench_page
from livefilter.cli.bench_words import announce, plot, tell
from livefilter.cli.console import open_console
from livefilter.config import Config
from livefilter.control.parts import BLUR, RAW, STYLED, TRANSPARENT
from livefilter.errors import InvalidInput
from livefilter.inference.base import Precision
from livefilter.styles.network import SIZES

_INTERRUPTED = 130
_LOADED_SIZE = (1280, 720)


@click.command(context_settings={"show_default": True})
@click.option("-s", "--style", multiple=True, default=["hayao"], help="Style; several allowed, or all.")
@click.option(
    "--network",
    multiple=True,
    type=click.Choice(["auto", *SIZES]),
    default=["auto"],
    help="Size of the style's network; several allowed. auto: the style's best, else full on a GPU, lite elsewhere.",
)
@click.option("--backend", multiple=True, default=["auto"], help="Backend; several allowed, or auto, or all.")
@click.option("--size", multiple=True, default=["640x360"], metavar="WxH", help="Size of frames; several allowed.")
@click.option(
    "--process-size",
    multiple=True,
    default=["full"],
    metavar="SIZE",
    help="Shorter side, in pixels, at which frames are styled; several allowed. full: the frame's own; "
    "auto: what `livefilter run` takes at --fps.",
)
@click.option(
    "--room",
    multiple=True,
    type=click.Choice([STYLED, RAW, BLUR, TRANSPARENT]),
    default=[STYLED],
    help="What is around the person; several allowed: what finding people and composing cost.",
)
@click.option("--threads", type=click.IntRange(0, 256), default=0, help="CPU threads; 0 lets the runtime choose.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "int8", "float"]),
    default="auto",
    help="Of networks on the processor, as of `livefilter run`; beside --against both loops compute in float.",
)
@click.option("--fps", type=click.FloatRange(1, 240), default=30.0, help="Rate of the live turns.")
@click.option("--seconds", type=click.FloatRange(0.1, 3600), default=5.0, help="Length of each measurement.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, help="How often each measurement is repeated.")
@click.option("--warmup", type=click.FloatRange(0, 60), default=1.0, help="Seconds that run before each measurement.")
@click.option("--against", type=click.Choice(["naive"]), help="Also run the loop people write today, turn by turn.")
@click.option("-i", "--input", "source", default="demo", help="Where pictures come from: demo, a file, a camera.")
@click.option("-o", "--output", multiple=True, default=["null"], help="Where frames go; several allowed.")
@click.option(
    "--loopback",
    is_flag=True,
    help="Measure glass to glass: read the virtual camera back (Linux with v4l2loopback; --output camera:DEVICE).",
)
@click.option(
    "--page",
    is_flag=True,
    help="Measure how fast two open pages see each other's changes, and what pages cost the rate of a run.",
)
@click.option(
    "--load",
    type=click.Choice(["game"]),
    help="Run beside other programs for a minute, governed and with fixed sizes: what each keeps of its promise "
    "(frames of 1280x720 unless --size is given).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("bench-results"),
    metavar="FOLDER",
    help="Folder for the JSON file and the plot.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of tables.")
@click.help_option("-h", "--help")
def bench(
    style: tuple[str, ...],
    network: tuple[str, ...],
    backend: tuple[str, ...],
    size: tuple[str, ...],
    process_size: tuple[str, ...],
    room: tuple[str, ...],
    threads: int,
    precision: Precision,
    fps: float,
    seconds: float,
    rounds: int,
    warmup: float,
    against: str | None,
    source: str,
    output: tuple[str, ...],
    loopback: bool,
    page: bool,
    load: str | None,
    out: Path,
    as_json: bool,
) -> int:
    """Measure frame rates, latency, drops, CPU and memory of the whole pipeline on this machine.

    Every combination of styles, backends and sizes is run flat out, as many frames as it can, and live, at --fps.
    Ctrl-C ends it and keeps what was measured.
    """
    console = open_console(stderr=as_json)
    cases, skipped = list_cases(style, backend, size, process_size, network, room)
    schedule = Schedule(fps, seconds, rounds, warmup, against)
    if against and precision == "int8":
        raise InvalidInput(
            "--against has no INT8 form of its loop, so the race would not be fair. Use --precision float."
        )
    parts = Parts(source, output, threads, "float" if against else precision)
    if loopback:
        with _interrupts(stop := threading.Event()):
            return bench_loopback(console, cases, schedule, parts, stop, as_json=as_json)
    if page:
        about = {"machine": describe_machine(), "versions": describe_versions()}
        with _interrupts(stop := threading.Event()):
            return bench_page(console, cases[0], schedule, parts, about, stop, as_json=as_json)
    if load:
        return _under_load(console, cases[0], schedule, parts, out, as_json=as_json)
    stem = _prepare(out) / time.strftime("bench-%Y%m%d-%H%M%S")
    facts: dict[str, Any] = {
        "started_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "versions": describe_versions(),
        "settings": _settings(schedule, parts, size, process_size),
    }
    stop = threading.Event()
    session = BenchSession(cases, schedule, parts, stop)
    facts |= {"input": session.describe_input(), "skipped": [dataclasses.asdict(skip) for skip in skipped]}
    announce(console, facts, skipped, len(cases), schedule)
    try:
        with _interrupts(stop):
            session.run(lambda result, figures: tell(console, result, figures))
    finally:
        # An engine that fails late must not cost what was measured before it.
        measured = any(result.rounds for result in session.results)
        content = document(session.results, facts, complete=session.complete)
        if measured:
            write_json(content, stem.with_suffix(".json"))
    if not measured:
        console.print("Stopped before anything was measured.")
        return _INTERRUPTED
    if as_json:
        click.echo(json.dumps(content, indent=2))
    else:
        console.print(tables(session.results, fps))
    console.print(f"Figures: {escape(str(stem.with_suffix('.json')))}", soft_wrap=True)
    if not session.complete:
        console.print("[yellow]Interrupted: this is what was measured up to then; there is no plot.[/]")
        return _INTERRUPTED
    plot(console, session.results, stem.with_suffix(".png"), facts, fps)
    return 0


def _under_load(console: Console, case: Case, schedule: Schedule, parts: Parts, out: Path, *, as_json: bool) -> int:
    given = click.get_current_context().get_parameter_source("size") is not ParameterSource.DEFAULT
    width, height = (case.width, case.height) if given else _LOADED_SIZE
    config = Config(
        input=parts.source, output=parts.outputs, style=case.style, network=case.network, backend=case.backend,
        threads=parts.threads, precision=parts.precision, width=width, height=height, fps=schedule.fps, loop=True,
        idle=False,
    )  # fmt: skip
    stem = _prepare(out) / time.strftime("load-%Y%m%d-%H%M%S")
    facts: dict[str, Any] = {
        "started_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "versions": describe_versions(),
        "frame_width_px": width,
        "frame_height_px": height,
    }
    with _interrupts(stop := threading.Event()):
        return bench_load(console, config, stem, facts, stop, as_json=as_json)


def _settings(
    schedule: Schedule, parts: Parts, sizes: tuple[str, ...], process_sizes: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "live_fps": schedule.fps,
        "measured_s": schedule.seconds,
        "warmup_s": schedule.warmup_s,
        "settle_beats_count": schedule.settle_beats,
        "rounds_count": schedule.rounds,
        "threads_count": parts.threads,
        "against": schedule.against,
        "input": parts.source,
        "outputs": list(parts.outputs),
        "sizes": list(sizes),
        "process_sizes": list(process_sizes),
    }


def _prepare(folder: Path) -> Path:
    """Make sure that the results can be written before minutes are spent; folders come with the first result."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".livefilter-bench"
        probe.touch()
        probe.unlink()
        for each in new:
            each.rmdir()
    except OSError as error:
        raise InvalidInput(f"Cannot write into {folder}: {error.strerror}. Name another folder with --out.") from error
    return folder


@contextmanager
def _interrupts(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C or SIGTERM sets `stop`; a second one ends the process at once."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
