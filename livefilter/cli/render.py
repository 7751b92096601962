"""`livefilter render`: a styled copy of a video, an image or a folder of both."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from livefilter.cli.console import open_console
from livefilter.cli.ending import ends_like_ctrl_c
from livefilter.cli.options import config_from, config_options
from livefilter.cli.render_cluster import ClusterFlags, render_on_cluster
from livefilter.errors import InvalidInput
from livefilter.masking import mask_address

if TYPE_CHECKING:
    from livefilter.render import Rendered
    from livefilter.render.files import Tracks
    from livefilter.render.pictures import Transparency


@click.command()
@click.argument("source", metavar="IN", callback=lambda context, parameter, text: _file(text, "IN"))
@click.argument("target", metavar="OUT", callback=lambda context, parameter, text: _file(text, "OUT"))
@config_options(
    "style", "network", "strength", "person", "room", "backend", "process_size", "threads", "precision", "low_light"
)
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists.")
@click.option(
    "--transparency",
    type=click.Choice(("auto", "keep", "white", "black")),
    default="auto",
    show_default=True,
    help="What becomes of it in pictures; auto keeps it within one kind of file and among PNG, WebP and GIF.",
)
@click.option(
    "--sound",
    type=click.Choice(("default", "all", "none")),
    default="default",
    show_default=True,
    help="Which tracks of a video's sound are kept.",
)
@click.option("--accept-damage", is_flag=True, help="Take what is left of damaged input for success (exit code 0).")
@click.option(
    "--cluster",
    "where",
    is_flag=False,
    flag_value="auto",
    metavar="[auto|local|HOST:PORT|ray://HOST:PORT]",
    help="Style on many machines with Ray: the cluster of this machine, else this machine alone; or another one.",
)
@click.option("--workers", type=click.IntRange(0, 100_000), default=0, help="Workers of a cluster; 0: all that fit.")
@click.option("--retries", type=click.IntRange(0, 20), default=2, show_default=True, help="Tries after the first one.")
@click.option(
    "--cut",
    "cut_s",
    type=click.FloatRange(0, 3600),
    default=30.0,
    show_default=True,
    help="Seconds that a part of a cut video lasts at least, on a cluster; 0 leaves videos whole.",
)
@click.option("--first", default="", metavar="PATTERN", help="Files that a cluster styles first, such as '*.mov'.")
@click.option("--resume", is_flag=True, help="Go on with what an unfinished render on a cluster has left.")
@click.option("--trust-network", is_flag=True, help="Take machines of a cluster with public addresses, unencrypted.")
@click.option("--json", "as_json", is_flag=True, help="Print what a cluster has done as JSON for scripts.")
def render(
    source: Path,
    target: Path,
    config: Path | None,
    profile: str | None,
    overwrite: bool,
    transparency: Transparency,
    sound: Tracks,
    accept_damage: bool,
    where: str | None,
    workers: int,
    retries: int,
    cut_s: float,
    first: str,
    resume: bool,
    trust_network: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Style a whole video, image or folder of both, keeping every frame, its timing and the sound.

    OUT appears once it is complete. Ctrl-C leaves what was done of a video in NAME.partial-XXXX.SUFFIX, which plays.
    Sub-folders of a folder are left alone. With process size auto, frames are styled at 480 lines at most, by a GPU's
    own engines at about 360, and by generators of other kinds at their own size. With network auto, pictures get the
    full one.
    """
    from livefilter.live.configured_stylist import ConfiguredStylist
    from livefilter.live.open_files import file_openers
    from livefilter.render import Interrupted, render_path

    settings = config_from(config, profile, flags)
    if where is not None:
        cluster = ClusterFlags(where, workers, retries, cut_s, first, resume, trust_network)
        code = render_on_cluster(
            source,
            target,
            settings,
            cluster,
            overwrite=overwrite,
            transparency=transparency,
            tracks=sound,
            accept_damage=accept_damage,
            as_json=as_json,
        )
        click.get_current_context().exit(code)
    if resume or trust_network or workers or first or as_json:
        raise click.UsageError("--resume, --workers, --first, --trust-network and --json need --cluster.")
    console = open_console(stderr=True)
    started = time.monotonic()
    bar = _progress_bar(console)
    best = settings.network == "auto" and _only_pictures(source)  # looks into each file of a folder
    with ends_like_ctrl_c() as ended, ConfiguredStylist(settings, best=best) as stylist:
        task = bar.add_task(source.name, total=None)

        def report(done: int, total: int) -> None:
            if ended.is_set():  # while a library was being loaded, which swallowed it
                raise KeyboardInterrupt
            bar.start()  # not before there is something to show; starting twice is harmless
            bar.update(task, completed=done, total=total or None)

        try:
            result = render_path(
                source,
                target,
                stylist,
                file_openers(accept_damage=accept_damage, alpha=stylist.cuts_out),
                overwrite=overwrite,
                transparency=transparency,
                tracks=sound,
                report=report,
            )
        except Interrupted as stopped:
            left = f"what was done is in {stopped.partial}" if stopped.partial else "nothing was written"
            console.print(f"Stopped after {stopped.frames}: {escape(left)}.", soft_wrap=True)
            raise
        finally:
            if bar.live.is_started:  # else it would leave an empty line above an error
                bar.stop()
        on = stylist.device
    console.print(_summary(result, on, time.monotonic() - started), soft_wrap=True)
    if result.notice:
        console.print(escape(result.notice), soft_wrap=True)
    for line in result.bad:
        console.print(f"[bold red]Damaged:[/] {escape(line)}", soft_wrap=True)
    if result.bad and not accept_damage:
        click.get_current_context().exit(1)


def _only_pictures(source: Path) -> bool:
    """Whether nothing is a video, for which time counts."""
    from livefilter.render.folder import is_video
    from livefilter.render.pictures import is_picture

    try:
        return not any(is_video(each) for each in source.iterdir()) if source.is_dir() else is_picture(source)
    except OSError:
        return False  # rendering says why


def _file(text: str, which: str) -> Path:
    """A path as it was typed; as a path an address would lose a slash, and nobody would recognize it."""
    if re.match(r"[a-z][a-z0-9+.-]+://", text, re.IGNORECASE):
        how = "livefilter run -i ADDRESS -o FILE.mp4" if which == "IN" else "livefilter run -i FILE -o ADDRESS"
        address = mask_address(text, sent_to=which == "OUT")
        raise InvalidInput(f"render works on files, and {address} is an address.", fix=f"Use it live: {how}")
    return Path(text)


def _progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        console=console,
    )


def _summary(result: Rendered, on: str, seconds: float) -> str:
    rate = result.frames / seconds if seconds > 0 else 0.0
    made = f"{result.frames} {result.what}{'s' * (result.frames != 1)}"
    text = f"{result.target}: {made} in {seconds:.1f} s ({rate:.1f}/s), {on}."
    if result.skipped:
        text += f" {result.skipped} file{'s' * (result.skipped != 1)} skipped as neither image nor video."
    if result.folders:
        text += f" {result.folders} sub-folder{'s' * (result.folders != 1)} left alone."
    return escape(text)
