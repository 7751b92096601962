"""`livefilter train styles`: train the bundled styles from nothing, by the schedules of their recipes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

_FOLDER = click.Path(path_type=Path)


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--style", "styles", multiple=True, help="One of the styles; may be repeated. Default: all.")
@click.option("--network", "sizes", multiple=True, help="Size of the network, lite or full. Default: both.")
@click.option("--photos", required=True, type=_FOLDER, help="Folder of photos.")
@click.option("--teachers", required=True, type=_FOLDER, help="Folder with the ONNX files that the recipes name.")
@click.option("--people", required=True, type=_FOLDER, help="What tools/people.py wrote of the photos.")
@click.option("--caches", required=True, type=_FOLDER, help="Folder with a folder of drawings for each style.")
@click.option("--out", required=True, type=_FOLDER, help="Folder with a folder for each style and each network.")
@click.option(
    "--longer",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.0, min_open=True),
    help="Multiplies the steps of every schedule.",
)
@click.option("--draw-only", is_flag=True, help="Only draw what the caches lack, to look through it before training.")
@click.argument("more", nargs=-1, type=click.UNPROCESSED, metavar="[OPTION OF TRAIN DISTILL]...")
def styles(
    styles: tuple[str, ...],
    sizes: tuple[str, ...],
    photos: Path,
    teachers: Path,
    people: Path,
    caches: Path,
    out: Path,
    longer: float,
    draw_only: bool,
    more: tuple[str, ...],
) -> None:
    """Train the bundled styles from nothing, each network by the schedule of its style's recipe.

    Where a network begins with another's weights, that one is trained before. Run again, it goes on where it was cut
    off. OUT/STYLE is the finished style. All other options are those of `livefilter train distill`.
    """
    from livefilter.cli.ready_to_train import ready_to_train
    from livefilter.errors import UnknownName
    from livefilter.generator.network import DESIGNS
    from livefilter.training.lineage import lineage
    from livefilter.training.recipe import read_recipe, trainable_styles

    ready_to_train("onnxruntime")
    known = trainable_styles()
    for what, given, there in (("trainable style", styles, known), ("network size", sizes, list(DESIGNS))):
        for name in given:
            if name not in there:
                raise UnknownName(what, name, there)
    order = lineage(
        {name: read_recipe(name) for name in known},
        [f"{style}-{size}" for size in sizes or DESIGNS for style in styles or known],
    )
    drawn = set()
    for place, (name, schedule) in enumerate(order.items(), 1):
        style, _, size = name.rpartition("-")
        if draw_only and style in drawn:
            continue
        drawn.add(style)
        words = ["--recipe", style, "--network", size]
        if schedule.after:
            words += ["--start-from", str(out / "training" / schedule.after / "latest.pt")]
        if longer != 1.0:
            words += ["--steps", str(max(1, round(longer * schedule.steps)))]
            joins = schedule.adversarial_from
            words += [] if joins is None else ["--adversarial-from", str(joins)]
        for option, folder in (("--photos", photos), ("--teachers", teachers), ("--people", people)):
            words += [option, str(folder)]
        words += ["--cache", str(caches / style), "--out", str(out / "training" / name), "--into", str(out / style)]
        click.echo(f"{place} of {len(order)}: {name}")
        # A process for each: the command that a card shows is then the one that ran, and memory is given back.
        command = [sys.executable, "-m", "livefilter", "train", "distill", *words, *more]
        ended = subprocess.run([*command, "--draw-only"] if draw_only else command, check=False)
        if ended.returncode:
            raise click.exceptions.Exit(ended.returncode)
    if not draw_only:
        click.echo(f"The styles are in {out}.")
