"""`livefilter train animegan` and what belongs to it: training as the authors of AnimeGANv2 published it."""

from __future__ import annotations

from pathlib import Path

import click

from livefilter.cli.ready_to_train import ready_to_train

_FOLDER = click.Path(path_type=Path)
_PACKAGES = "tqdm", "safetensors", "tensorboard"


@click.command(short_help="Train an AnimeGAN generator as published.")
@click.option("--photos", required=True, type=_FOLDER, help="Folder of photos.")
@click.option("--style", required=True, type=_FOLDER, help="Folder of pictures in the style to learn.")
@click.option("--smooth", type=_FOLDER, help="Folder from `train smooth-edges`; default: made in OUT.")
@click.option("--vgg", required=True, type=_FOLDER, help="VGG19's weights, torchvision's file vgg19-*.pth.")
@click.option(
    "--vgg-input", default="torchvision", show_default=True, help="What VGG19 was trained on: torchvision or caffe."
)
@click.option("--out", required=True, type=_FOLDER, help="Folder for checkpoints, sheets, logs and the result.")
@click.option("--preset", default="hayao", show_default=True, help="Weights of the losses: hayao, paprika or shinkai.")
@click.option("--generator", "version", default="v2", show_default=True, help="v2, v2-light or v1.")
@click.option("--epochs", default=101, show_default=True, type=click.IntRange(1), help="Epochs in all.")
@click.option("--pretrain-epochs", default=10, show_default=True, type=click.IntRange(0), help="For content alone.")
@click.option("--batch", default=12, show_default=True, type=click.IntRange(1), help="Crops in a step, on all GPUs.")
@click.option("--crop", default=256, show_default=True, help="Side of a crop, multiple of 16.")
@click.option("--samples", default=8, show_default=True, type=click.IntRange(1), help="Photos kept for sheets.")
@click.option("--every", default=500, show_default=True, type=click.IntRange(1), help="Steps between checkpoints.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same pictures: same run.")
@click.option("--device", default="auto", show_default=True, type=click.Choice(["auto", "cpu", "cuda"]))
@click.option("--precision", default="float32", show_default=True, help="float32, bfloat16, or float16 on GPUs.")
@click.option("--workers", default=4, show_default=True, type=click.IntRange(1), help="Threads that read pictures.")
def animegan(
    photos: Path,
    style: Path,
    smooth: Path | None,
    vgg: Path,
    vgg_input: str,
    out: Path,
    preset: str,
    version: str,
    epochs: int,
    pretrain_epochs: int,
    batch: int,
    crop: int,
    samples: int,
    every: int,
    seed: int,
    device: str,
    precision: str,
    workers: int,
) -> None:
    """Train an AnimeGAN generator from photos and pictures of a style.

    Continues from OUT if a run was cut off there. On several GPUs: torchrun --nproc-per-node 4 -m livefilter train
    animegan ... The result is OUT/generator.safetensors, which `livefilter import` makes a style.
    """
    ready_to_train(*_PACKAGES)
    import torch

    from livefilter.training.animegan.data import Deck, Decks
    from livefilter.training.animegan.recipe import AnimeGanRecipe
    from livefilter.training.animegan.run import RESULT, Run
    from livefilter.training.animegan.samples import Samples, keep_out
    from livefilter.training.animegan.team import gathered
    from livefilter.training.animegan.trainer import Trainer
    from livefilter.training.animegan.vgg import read_vgg
    from livefilter.training.data import list_photos

    drawn = list_photos(style)
    seen, kept = keep_out(list_photos(photos), samples)
    epoch = max(1, max(len(seen), len(drawn)) // batch)
    recipe = AnimeGanRecipe(
        steps=epochs * epoch,
        pretrain_steps=min(pretrain_epochs, epochs) * epoch,
        version=version,
        preset=preset,
        batch=batch,
        crop=crop,
        seed=seed,
        precision=precision,
    )
    features = read_vgg(vgg, vgg_input)
    with gathered(device) as team:
        team.share(batch)
        if smooth is None:
            smooth = out / f"smooth-{crop}"
            if team.leads:
                _smooth(style, smooth, crop)
            team.mean(torch.zeros(1, device=team.device))  # the others wait here
        run = Run(Trainer(recipe, features, team), Samples(kept, drawn, crop), out, every)
        photo, anime, smoothed = (
            Deck(files, crop, seed, stream) for stream, files in enumerate((seen, drawn, list_photos(smooth)))
        )
        run.train(Decks(photo, anime, smoothed, batch), workers)
        if team.leads:
            click.echo(f"The generator is in {out / RESULT}. Next: livefilter import {out / RESULT} --name NAME")


@click.command("smooth-edges", short_help="Make the pictures without edges that it needs.")
@click.argument("style", type=_FOLDER)
@click.argument("out", type=_FOLDER)
@click.option("--size", default=256, show_default=True, type=click.IntRange(32), help="Shorter side: the crop's.")
def smooth_edges(style: Path, out: Path, size: int) -> None:
    """Write the pictures of STYLE without their edges into OUT, for `train animegan --smooth`."""
    ready_to_train(*_PACKAGES)
    count = _smooth(style, out, size)
    click.echo(f"{count} pictures without edges are in {out}.")


@click.command("export-animegan", short_help="Take the generator out of a checkpoint.")
@click.argument("checkpoint", type=_FOLDER)
@click.argument("file", type=_FOLDER)
def export_animegan(checkpoint: Path, file: Path) -> None:
    """Write the generator of CHECKPOINT (latest.pt, best.pt) as FILE, .safetensors or .onnx."""
    ready_to_train(*_PACKAGES)
    from livefilter.training.animegan.files import read_generator, write_generator

    write_generator(read_generator(checkpoint), file, {})
    click.echo(f"The generator is in {file}. Next: livefilter import {file} --name NAME")


@click.command("compare-animegan", short_help="Draw photos with several generators.")
@click.argument("photos", type=_FOLDER)
@click.argument("sheet", type=_FOLDER)
@click.argument("generators", nargs=-1, required=True, type=_FOLDER)
@click.option("--size", default=512, show_default=True, type=click.IntRange(32), help="Shorter side of the photos.")
@click.option("--limit", default=12, show_default=True, type=click.IntRange(1), help="Photos at most.")
def compare_animegan(photos: Path, sheet: Path, generators: tuple[Path, ...], size: int, limit: int) -> None:
    """Draw the photos of a folder with each of GENERATORS (.pt, .safetensors) side by side into the picture SHEET."""
    ready_to_train(*_PACKAGES)
    import cv2

    from livefilter.errors import InvalidInput
    from livefilter.generator.animegan import version_of
    from livefilter.training.animegan.compare import compare
    from livefilter.training.animegan.files import read_generator
    from livefilter.training.data import list_photos

    networks = [read_generator(path) for path in generators]
    picture, figures = compare(list_photos(photos)[:limit], networks, size)
    if sheet.suffix.lower() not in {".png", ".jpg"} or not cv2.imwrite(str(sheet), picture):
        raise InvalidInput(f"The sheet {sheet} cannot be written. Name a .png or .jpg in a folder that is there.")
    click.echo(f"{sheet}: the photo, then from left to right")
    for path, network, figure in zip(generators, networks, figures, strict=True):
        click.echo(f"  {path.name} ({version_of(network)}): specks of {figure:.2f} grey levels where the photo is flat")


def _smooth(style: Path, out: Path, size: int) -> int:
    from tqdm import tqdm

    from livefilter.training.animegan.edges import smooth_folder
    from livefilter.training.data import list_photos

    with tqdm(total=len(list_photos(style)), desc="smoothing", unit="picture") as bar:
        return smooth_folder(style, out, size, bar.update)


COMMANDS = (animegan, smooth_edges, export_animegan, compare_animegan)
