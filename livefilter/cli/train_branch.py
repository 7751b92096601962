"""`livefilter train person-branch`: teach a finished style's network to say where people are."""

from __future__ import annotations

from pathlib import Path

import click

from livefilter.cli.ready_to_train import ready_to_train

_FOLDER = click.Path(path_type=Path)
_CALIBRATING = 40  # photos that show the ranges of the network's INT8 form


@click.command("person-branch")
@click.argument("style", type=_FOLDER)
@click.option("--network", "size", default="lite", show_default=True, help="Size of the network: lite or full.")
@click.option("--photos", required=True, type=_FOLDER, help="Folder of photos.")
@click.option("--people", required=True, type=_FOLDER, help="What tools/people.py wrote of the photos.")
@click.option("--steps", default=4000, show_default=True, type=click.IntRange(1), help="Batches of new crops.")
@click.option("--batch", default=6, show_default=True, type=click.IntRange(1), help="Crops in a step.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same photos: same batches.")
@click.option("--threads", default=0, help="Processor threads; 0 leaves the choice to torch.")
def person_branch(
    style: Path, size: str, photos: Path, people: Path, steps: int, batch: int, seed: int, threads: int
) -> None:
    """Teach a network of the style in the folder STYLE to say where people are.

    What it draws stays as it is. Its files and the card are written again; run again, it goes on from there, so take
    another --seed. About one photo in 19 is kept out for measuring.
    """
    ready_to_train("onnxruntime", threads=threads)
    from livefilter.errors import UnknownName
    from livefilter.generator.rebuild import generator_from_onnx
    from livefilter.styles.card import read_card
    from livefilter.training.card import write_taught
    from livefilter.training.data import is_held_out, list_photos
    from livefilter.training.people import People
    from livefilter.training.person import load, overlap
    from livefilter.training.person_branch import LARGEST, SIDE, train_branch

    card = read_card(style)
    if size not in card.networks:
        raise UnknownName("network size", size, card.networks)
    network = card.networks[size]
    generator = generator_from_onnx(network.path, network.sha256)
    sitters = load(list_photos(photos), People(people), LARGEST)
    taught = train_branch(generator, sitters, steps, batch, seed)
    figures = overlap(taught, sitters, SIDE)
    shown = [sitter.photo for sitter in sitters if not is_held_out(sitter.name)]
    command = f"livefilter train person-branch STYLE --network {size} --photos PHOTOS --people PEOPLE --steps {steps}"
    command += f" --batch {batch} --seed {seed}"
    write_taught(card, size, taught, command, figures, shown[:: max(1, len(shown) // _CALIBRATING)])
    click.echo(f"{network.path} tells where people are now. Held out: {figures}")
