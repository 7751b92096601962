"""`livefilter train`: train a style from a folder of photos."""

from __future__ import annotations

from pathlib import Path

import click

SCALES = ("384", "512", "640", "768:512")


@click.group()
def train() -> None:
    """Train a style of your own machine's making (needs the `training` extra)."""


@train.command()
@click.option("--style", required=True, help="Style to train, for example hayao.")
@click.option("--photos", required=True, type=click.Path(path_type=Path), help="Folder of photos.")
@click.option("--teacher", required=True, type=click.Path(path_type=Path), help="Published generator, an ONNX file.")
@click.option("--cache", required=True, type=click.Path(path_type=Path), help="Folder for the teacher's drawings.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for checkpoints and the result.")
@click.option("--picture", type=click.Path(path_type=Path), help="Photo to show on the card; default: the first one.")
@click.option("--runtime", default="onnxruntime", show_default=True, help="Runs the teacher: onnxruntime or openvino.")
@click.option(
    "--scale", "scales", multiple=True, default=SCALES, show_default=True, help="Longest side; A:B draws at B."
)
@click.option("--steps", default=24_000, show_default=True, type=click.IntRange(1), help="Steps in all.")
@click.option("--adversarial-from", default=16_000, show_default=True, help="Step at which the discriminator joins.")
@click.option("--batch", default=8, show_default=True, type=click.IntRange(3), help="Crops in a step.")
@click.option("--crop", default=192, show_default=True, type=click.IntRange(64), help="Side of a crop, multiple of 8.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same photos: same batches.")
@click.option("--threads", default=0, help="Processor threads; 0 leaves the choice to torch.")
@click.option("--bfloat16/--float32", default=True, show_default=True, help="Precision of the forward pass.")
def distill(
    style: str,
    photos: Path,
    teacher: Path,
    cache: Path,
    out: Path,
    picture: Path | None,
    runtime: str,
    scales: tuple[str, ...],
    steps: int,
    adversarial_from: int,
    batch: int,
    crop: int,
    seed: int,
    threads: int,
    bfloat16: bool,
) -> None:
    """Teach a small network to draw like a published one.

    Continues from OUT if a run was cut off there. The result, OUT/style, is the folder of a style.
    """
    import importlib.util
    import logging
    import shlex
    import sys

    from livefilter.errors import InvalidInput

    if importlib.util.find_spec("torch") is None:
        raise InvalidInput("Training needs torch, which is not installed: pip install 'livefilter[training]'.")

    import cv2
    import torch

    from livefilter.training.card import facts_of, write_style
    from livefilter.training.data import Scale, is_held_out, list_photos, load_pairs, precompute
    from livefilter.training.distill import Distillation, Recipe
    from livefilter.training.distill import distill as train_to_the_end
    from livefilter.training.figures import measure
    from livefilter.training.sheet import draw, write_sheet
    from livefilter.training.teacher import Teacher

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if threads:
        torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    facts_of(style)
    if crop % 8:
        raise InvalidInput(f"--crop {crop} is no multiple of 8. Use {crop // 8 * 8}.")
    files = list_photos(photos)
    seen = [file for file in files if not is_held_out(file.name)]
    unseen = [file for file in files if is_held_out(file.name)]
    if not seen or not unseen:
        raise InvalidInput(f"The photo folder {photos} is too small to keep photos out for measuring. Add photos.")
    sizes = [Scale.parse(text) for text in scales]
    precompute(files, Teacher(teacher, runtime), cache, sizes)

    held_out = load_pairs(unseen, cache, sizes)
    recipe = Recipe(
        steps=steps, adversarial_from=adversarial_from, batch=batch, crop=crop, seed=seed, bfloat16=bfloat16
    )
    run = Distillation(load_pairs(seen, cache, sizes), recipe)
    trained = train_to_the_end(run, out, lambda network, path: write_sheet(network, held_out[1::9], path))
    figures = {"held_out_photos": len(unseen), **measure(held_out, lambda photo: draw(trained, photo))}
    command = f"livefilter {shlex.join(_without_paths(sys.argv[1:]))}; {run.step} steps"
    write_style(out / "style", style, trained, command, figures, picture or files[0])
    click.echo(f"The style is in {out / 'style'}.")


def _without_paths(arguments: list[str]) -> list[str]:
    """Show options that name a file or folder as the option's name in capitals: a card tells nobody's paths."""
    shown = list(arguments)
    for index, argument in enumerate(arguments[:-1]):
        if argument in {"--photos", "--teacher", "--cache", "--out", "--picture"}:
            shown[index + 1] = argument[2:].upper()
    return shown


if __name__ == "__main__":
    train()
