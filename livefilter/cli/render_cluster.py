"""`livefilter render --cluster`: the same files, styled on many machines."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from livefilter.cli.cluster_display import ClusterDisplay
from livefilter.cli.console import open_console
from livefilter.config import Config

if TYPE_CHECKING:
    from livefilter.cluster.report import Report
    from livefilter.render.files import Tracks
    from livefilter.render.pictures import Transparency


@dataclass(frozen=True, slots=True)
class ClusterFlags:
    """The flags of `render` that only a cluster has."""

    where: str
    workers: int
    retries: int
    cut_s: float
    first: str
    resume: bool
    trust_network: bool


def render_on_cluster(
    source: Path,
    target: Path,
    settings: Config,
    flags: ClusterFlags,
    *,
    overwrite: bool,
    transparency: Transparency,
    tracks: Tracks,
    accept_damage: bool,
    as_json: bool,
) -> int:
    """Style a file or folder on a cluster and print what came of it; the exit code.

    Raises: LivefilterError; KeyboardInterrupt.
    """
    from livefilter.cluster.addresses import check_words
    from livefilter.cluster.crew import Said
    from livefilter.cluster.job import plan_job, run_job
    from livefilter.cluster.own_worker import OwnWorker
    from livefilter.cluster.recipe import fix_recipe
    from livefilter.cluster.report import RunOptions
    from livefilter.cluster.start import require_ray, start, starts_here, this_machine
    from livefilter.inference.hardware import usable_cores
    from livefilter.output import VIDEO_SUFFIXES
    from livefilter.render import Interrupted

    check_words(flags.where)
    require_ray()
    here = starts_here(flags.where)
    where = "local" if here else flags.where
    console = open_console(stderr=True)
    display = ClusterDisplay(console, quiet=as_json)
    opened = contextlib.ExitStack()
    opened.callback(display.close)
    try:
        # It loads what it needs while it is found out here what that is.
        own = opened.enter_context(contextlib.closing(OwnWorker())) if here else None
        recipe = fix_recipe(settings, transparency=transparency, tracks=tracks, accept_damage=accept_damage)
        job = plan_job(source, target, VIDEO_SUFFIXES)
        began = time.monotonic()
        cores = max(usable_cores(), flags.workers * recipe.threads)
        workers = flags.workers
        if own is not None and not recipe.on_gpu:  # which worker has which GPU is Ray's business
            display.say(Said(f"Working on {this_machine(cores)}."))
            workers = workers or cores // recipe.threads
        elif own is not None:
            own.close()
            own = None
        report = run_job(
            job,
            recipe,
            RunOptions(overwrite, flags.retries, flags.cut_s, flags.first),
            lambda: start(where, cores=cores, trusted=flags.trust_network),
            own=own,
            resume=flags.resume,
            workers=workers,
            told=display.show,
            said=display.say,
        )
    except Interrupted as stopped:
        opened.close()
        again = " Go on with the same command and --resume." if stopped.partial else " Go on with --resume."
        console.print(f"Stopped after {stopped.frames} {job.what}s, which are whole.{again}", soft_wrap=True)
        raise
    finally:
        opened.close()
    seconds = time.monotonic() - began
    if as_json:
        print(json.dumps(_as_json(report, seconds), indent=2))
    else:
        _summarize(report, target, seconds, job.what, job.skipped, job.folders)
    bad = report.failed or (report.bad and not accept_damage)
    return 1 if bad else 0


def _summarize(report: Report, target: Path, seconds: float, what: str, skipped: int, folders: int) -> None:
    console = open_console(stderr=True)
    rate = report.frames / seconds if seconds > 0 else 0.0
    text = (
        f"{target}: {report.done} {what}{'s' * (report.done != 1)}, {report.frames} frames in {seconds:.1f} s "
        f"({rate:.1f}/s)."
    )
    if report.retried or report.doubled:
        text += f" {report.retried} tried again, {report.doubled} run twice."
    if skipped:
        text += f" {skipped} file{'s' * (skipped != 1)} skipped as neither image nor video."
    if folders:
        text += f" {folders} sub-folder{'s' * (folders != 1)} left alone."
    console.print(escape(text), soft_wrap=True)
    for line in report.notices:
        console.print(escape(line), soft_wrap=True)
    for line in report.bad:
        console.print(f"[bold red]Damaged:[/] {escape(line)}", soft_wrap=True)
    for line in report.failed:
        console.print(f"[bold red]Failed:[/] {escape(line)}", soft_wrap=True)
    if report.failed:
        console.print("The rest is done. What failed can be tried again with --resume.", soft_wrap=True)


def _as_json(report: Report, seconds: float) -> dict[str, object]:
    return {
        "files": report.done,
        "frames": report.frames,
        "seconds": round(seconds, 3),
        "damaged": list(report.bad),
        "failed": list(report.failed),
        "notices": list(report.notices),
        "retried": report.retried,
        "run_twice": report.doubled,
        "machines_lost": report.lost,
        "results": report.results,
    }
