"""`livefilter import`: makes a style of a trained generator."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click
from rich.markup import escape

from livefilter.cli.console import open_console
from livefilter.cli.ending import ends_like_ctrl_c
from livefilter.errors import InvalidInput
from livefilter.styles.catalogue import Catalogue, Network, Style, user_folder
from livefilter.styles.known import recognise
from livefilter.styles.network import SIZES
from livefilter.styles.user_styles import UserStyles

_PICTURE = "picture.jpg"


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What to call the style, of a-z, 0-9, - and _.")
@click.option("--title", help="What the user reads.  [default: the name]")
@click.option("--licence", help="Terms of the trained generator.  [default: unknown]")
@click.option("--credit", help="Who made it.")
@click.option("--description", help="What it looks like, in a sentence.")
@click.option("--order", type=click.IntRange(min=0), help="Place in the list of styles.  [default: 1000]")
@click.option(
    "--network",
    "size",
    type=click.Choice(SIZES),
    default="full",
    show_default=True,
    help="Which of a style's two networks it becomes; the other one can be imported to the same name.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    default=120.0,
    show_default=True,
    help="How long reading and trying may take.",
)
@click.help_option("-h", "--help")
def import_style(
    file: Path,
    name: str,
    title: str | None,
    licence: str | None,
    credit: str | None,
    description: str | None,
    order: int | None,
    size: str,
    time_limit: float,
) -> None:
    """Make a style of a trained generator, in your own folder of styles.

    FILE is an ONNX generator (RGB float from -1 to 1, any or one fixed size), a checkpoint of the AnimeGAN family with
    the names of the public PyTorch port (.pt), or weights of livefilter's own networks (.safetensors, .pt). Nothing in
    it is run but its arithmetic, in a process of its own within bounds of time and memory. It is wrapped, run once and
    compared with what it was before it is added.
    """
    console = open_console(stderr=True)
    mine = UserStyles(user_folder())
    there = _room_for(mine, name, size)
    with ends_like_ctrl_c(), console.status(f"Reading {escape(file.name)} ..."):
        try:
            from livefilter.generator.import_apart import Limits, import_apart
        except ImportError as error:
            raise InvalidInput(f"Importing needs the package onnx ({error}). Install it: pip install onnx") from error
        imported = import_apart(file, Limits(time_s=time_limit))
        incoming = imported.incoming
        known = recognise(file.name, imported.original)
        folder = mine.folder / name
        network = Network(
            style=name,
            size=size,
            path=folder / f"{size}.onnx",
            sha256=hashlib.sha256(incoming.data).hexdigest(),
            parameters=incoming.parameters,
            macs_per_pixel=incoming.macs_per_pixel,
            accepts=incoming.accepts,
            training=f"imported from {file.name}: {incoming.found}",
        )
        networks = {**(there.networks if there else {}), size: network}
        style = Style(
            name=name,
            title=title or (there.title if there else known.title if known else name.replace("-", " ").title()),
            licence=licence or (there.licence if there else known.licence if known else "unknown"),
            folder=folder,
            networks={each: networks[each] for each in SIZES if each in networks},
            description=description or (there.description if there else known.about if known else ""),
            credit=credit or (there.credit if there else known.credit if known else ""),
            teacher=there.teacher if there else "",
            picture_path=folder / _PICTURE,
            order=order if order is not None else there.order if there else 1000,
        )
        mine.add(style, {network.path.name: incoming.data, _PICTURE: imported.picture})

    def say(text: str) -> None:
        console.print(escape(text), soft_wrap=True)

    say(f"Found {incoming.found}: {incoming.parameters:,} weights, {incoming.macs_per_pixel / 1000:.0f} kMAC a pixel.")
    say(f"Takes frames of {incoming.accepts}.")
    say(
        f"On test pictures of {incoming.run_size[0]}x{incoming.run_size[1]} it draws what the file drew, to "
        f"{incoming.difference_levels} of 255 grey levels, in {incoming.run_s:.2f} s each on this CPU."
    )
    if known and not (title or licence or credit or there):
        by = "SHA-256" if known.sha256 else "name"
        say(f"Known by its {by} as {known.title} ({known.page}); title, licence and credit are taken from there.")
    if style.licence == "unknown":
        say("Its licence is unknown: ask its authors what you may do with it; --licence puts it on the card.")
    say(f"Added {name} ({size}) to {folder}. Try it: livefilter run --style {name}")


def _room_for(mine: UserStyles, name: str, size: str) -> Style | None:
    """The style to add the network to, None where it is a new one. Raises: InvalidInput: the name is taken."""
    there = mine.find(name)
    if there is None:
        for taken in Catalogue().styles:
            if taken.name == name:
                raise InvalidInput(f"There is a style {name} already, in {taken.folder}. Choose another --name.")
    elif size in there.networks:
        raise InvalidInput(
            f"Style {name} has a {size} network already. Choose another --name, or remove it first: "
            f"livefilter styles remove {name}"
        )
    return there
