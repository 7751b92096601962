"""`livefilter train person`: train the network that finds people."""

from __future__ import annotations

from pathlib import Path

import click

from livefilter.cli.ready_to_train import ready_to_train

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.option("--photos", required=True, type=_FOLDER, help="Folder of photos.")
@click.option("--people", required=True, type=_FOLDER, help="What tools/people.py wrote of the photos.")
@click.option("--out", required=True, type=_FOLDER, help="Folder for OUT/lite.onnx, lite.sha256 and person.pt.")
@click.option("--steps", default=6000, show_default=True, type=click.IntRange(1), help="Steps in all.")
@click.option("--batch", default=12, show_default=True, type=click.IntRange(1), help="Crops in a step.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same photos: same batches.")
@click.option("--start-from", type=_FOLDER, help="OUT/person.pt of an earlier run: go on with it.")
@click.option(
    "--drawings",
    multiple=True,
    type=_FOLDER,
    help="Folder of a style's drawings of the photos (CACHES/STYLE), to find people in, too; may be repeated.",
)
@click.option("--threads", default=0, help="Processor threads; 0 leaves the choice to torch.")
def person(
    photos: Path,
    people: Path,
    out: Path,
    steps: int,
    batch: int,
    seed: int,
    start_from: Path | None,
    drawings: tuple[Path, ...],
    threads: int,
) -> None:
    """Teach a small network where people are, from masks of another one.

    It serves styles whose own networks do not tell. About one photo in 19 is kept out for measuring.
    """
    ready_to_train(threads=threads)
    from livefilter.generator.export import export
    from livefilter.training.data import list_photos
    from livefilter.training.people import People
    from livefilter.training.person import drawn, load, load_network, overlap, save_network, train_person

    sitters = load(list_photos(photos), People(people))
    start = load_network(start_from) if start_from is not None else None
    shown = [*sitters, *(drawing for cache in drawings for drawing in drawn(sitters, cache))]
    network = train_person(shown, steps, batch, seed, start)
    sha256 = export(network, out / "lite.onnx", draws=False)
    save_network(network, out / "person.pt")
    (out / "lite.sha256").write_text(f"{sha256}  lite.onnx\n", encoding="ascii")
    click.echo(f"{out / 'lite.onnx'}: sha256 {sha256}, held out: {overlap(network, sitters)}")
