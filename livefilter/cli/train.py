"""`livefilter train`: train a style from a folder of photos."""

from __future__ import annotations

from pathlib import Path

import click

from livefilter.cli import train_animegan, train_branch, train_person, train_styles
from livefilter.cli.ready_to_train import ready_to_train

SCALES = ("384", "512", "640")
_NO_LIMIT = 10**9
_CALIBRATING = 40  # photos that show the ranges of a network's INT8 form
_PATHS = {
    "--photos",
    "--teacher",
    "--teachers",
    "--people",
    "--cache",
    "--out",
    "--into",
    "--perceptual",
    "--picture",
    "--start-from",
}
_UNSAID = click.core.ParameterSource.DEFAULT


@click.group()
def train() -> None:
    """Train a generator (needs the extra `training`)."""


for command in (*train_animegan.COMMANDS, train_person.person, train_branch.person_branch, train_styles.styles):
    train.add_command(command)


@train.command()
@click.option("--recipe", "recipe_name", help="A style's recipe, or a .toml file; gives what other options do not.")
@click.option("--style", help="Style to train, for example hayao; default: the recipe's.")
@click.option("--network", "size", default="lite", show_default=True, help="Size of the network: lite or full.")
@click.option("--photos", type=click.Path(path_type=Path), help="Folder of photos for --teacher to draw.")
@click.option("--teacher", type=click.Path(path_type=Path), help="Published generator, an ONNX file.")
@click.option("--teachers", type=click.Path(path_type=Path), help="Folder with the ONNX files that the recipe names.")
@click.option(
    "--pairs",
    multiple=True,
    nargs=2,
    metavar="PHOTOS DRAWINGS",
    type=click.Path(path_type=Path),
    help="A folder of photos and one of drawings of the same names; a teacher beside them draws in their colours.",
)
@click.option("--cache", required=True, type=click.Path(path_type=Path), help="Folder for drawings and targets.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for checkpoints and the result.")
@click.option("--into", type=click.Path(path_type=Path), help="Folder of the style that is made; default: OUT/style.")
@click.option("--draw-only", is_flag=True, help="Only draw what the cache lacks, to look through it before training.")
@click.option(
    "--people", type=click.Path(path_type=Path), help="What tools/people.py wrote of the photos: faces and masks."
)
@click.option(
    "--start-from",
    type=click.Path(path_type=Path),
    help="Checkpoint of another style, of the same size, or a style's .onnx file.",
)
@click.option(
    "--perceptual", type=click.Path(path_type=Path), help="Keras file of a MobileNetV2, by which drawings are compared."
)
@click.option("--plain-l1", is_flag=True, help="Train the baseline of the quality report: L1 to the bare drawings.")
@click.option("--picture", type=click.Path(path_type=Path), help="Photo to show on the card; default: the first one.")
@click.option("--runtime", default="onnxruntime", show_default=True, help="Runs the teacher: onnxruntime or openvino.")
@click.option(
    "--scale", "scales", multiple=True, default=SCALES, show_default=True, help="Longest side; A:B draws at B."
)
@click.option("--steps", type=click.IntRange(1), help="Steps in all; default: as the recipe says, or 24000.")
@click.option(
    "--adversarial-from", type=int, help="Step at which the discriminator joins; default: as the recipe says, or never."
)
@click.option("--minutes", default=0.0, type=click.FloatRange(0.0), help="Minutes of training; default: no limit.")
@click.option("--consistency", default=1.5, show_default=True, type=click.FloatRange(0.0), help="Weight of steadiness.")
@click.option("--flatness", default=1.0, show_default=True, type=click.FloatRange(0.0), help="Weight of flatness.")
@click.option("--batch", default=5, show_default=True, type=click.IntRange(3), help="Crops in a step.")
@click.option(
    "--repeats", default=1, show_default=True, type=click.IntRange(0), help="Crops seen twice, for steadiness."
)
@click.option("--crop", default=192, show_default=True, type=click.IntRange(64), help="Side of a crop, multiple of 8.")
@click.option("--rate", default=1.0, show_default=True, help="Multiplies both learning rates, for larger batches.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same photos: same batches.")
@click.option("--threads", default=0, help="Processor threads; 0 leaves the choice to torch.")
@click.option("--device", default="cpu", show_default=True, help="cpu, or cuda for an NVIDIA card.")
@click.option(
    "--workers", default=0, show_default=True, type=click.IntRange(0), help="Processes that make batches; 0: a thread."
)
@click.option("--bfloat16/--float32", default=True, show_default=True, help="Precision of the forward pass.")
def distill(
    recipe_name: str | None,
    style: str | None,
    size: str,
    photos: Path | None,
    teacher: Path | None,
    teachers: Path | None,
    pairs: tuple[tuple[Path, Path], ...],
    people: Path | None,
    cache: Path,
    out: Path,
    into: Path | None,
    draw_only: bool,
    start_from: Path | None,
    perceptual: Path | None,
    plain_l1: bool,
    picture: Path | None,
    runtime: str,
    scales: tuple[str, ...],
    steps: int | None,
    adversarial_from: int | None,
    minutes: float,
    consistency: float,
    flatness: float,
    batch: int,
    repeats: int,
    crop: int,
    rate: float,
    seed: int,
    threads: int,
    device: str,
    workers: int,
    bfloat16: bool,
) -> None:
    """Teach a small network to draw like a published one.

    Continues from OUT if a run was cut off there. The result is the folder of a style.
    """
    import shlex
    import sys
    from dataclasses import replace

    ready_to_train(threads=threads)
    import torch

    from livefilter.errors import InvalidInput, UnknownName
    from livefilter.generator.network import DESIGNS
    from livefilter.training import sittings
    from livefilter.training.artist import PublishedDrawings, TeacherArtist
    from livefilter.training.card import write_style
    from livefilter.training.chain import ChainArtist, load_generators
    from livefilter.training.data import Lesson, Scale, list_photos, prepare
    from livefilter.training.distill import Distillation
    from livefilter.training.distill import distill as train_to_the_end
    from livefilter.training.distill_recipe import DistillRecipe
    from livefilter.training.figures import measure
    from livefilter.training.people import People
    from livefilter.training.perceptual import read_features
    from livefilter.training.recipe import card_of, read_recipe
    from livefilter.training.sheet import draw, write_sheet
    from livefilter.training.target import palette_of
    from livefilter.training.teacher import Teacher

    style_recipe = read_recipe(recipe_name) if recipe_name else None
    if style_recipe is not None:
        given = click.get_current_context().get_parameter_source
        kept = {name for name in ("scales", "crop", "batch", "flatness", "consistency") if given(name) != _UNSAID}
        style = style or style_recipe.style
        scales = scales if "scales" in kept else tuple(style_recipe.scales)
        crop = crop if "crop" in kept else style_recipe.crop
        batch = batch if "batch" in kept else style_recipe.batch
        flatness = flatness if "flatness" in kept else style_recipe.flatness
        consistency = consistency if "consistency" in kept else style_recipe.consistency
    if style is None:
        raise InvalidInput("Say what to train: --recipe hayao, or --style hayao with its teacher.")
    card = card_of(style)
    finish = (style_recipe or read_recipe(style)).finish
    if size not in DESIGNS:
        raise UnknownName("network size", size, DESIGNS)
    scheduled = style_recipe.schedule.get(size) if style_recipe and not (steps or minutes or plain_l1) else None
    if scheduled is not None:
        if scheduled.after and start_from is None and not draw_only:
            raise InvalidInput(
                f"{size} of {style} begins with the weights of {scheduled.after}: name them with --start-from, or let"
                f" `livefilter train styles --style {style}` train both."
            )
        steps = scheduled.steps
        adversarial_from = scheduled.adversarial_from if adversarial_from is None else adversarial_from
    perceptual_weight = style_recipe.perceptual if style_recipe is not None and not plain_l1 else 0.0
    if bool(perceptual_weight) != (perceptual is not None) and not draw_only:
        raise InvalidInput(
            f"The recipe of {style} compares drawings by a MobileNetV2: name its Keras file with --perceptual."
            if perceptual_weight
            else "--perceptual goes with a recipe that has a weight for it. Leave it out."
        )
    if device not in ("cpu", "cuda"):
        raise UnknownName("training device", device, ("cpu", "cuda"))
    if device == "cuda" and not torch.cuda.is_available():
        raise InvalidInput("--device cuda needs an NVIDIA card and PyTorch built for CUDA. Use --device cpu.")
    if crop % 8:
        raise InvalidInput(f"--crop {crop} is no multiple of 8. Use {crop // 8 * 8}.")
    if rate <= 0:
        raise InvalidInput(f"--rate {rate} is no factor above 0. Use 1.")
    if repeats > batch // 2:
        raise InvalidInput(f"--repeats {repeats} is more than half of --batch {batch}. Use {batch // 2} or less.")
    published = [(list_photos(folder), PublishedDrawings(drawings, finish)) for folder, drawings in pairs]
    lessons = [Lesson(folder, artist) for (folder, _), (_, artist) in zip(pairs, published, strict=True)]
    if people and style_recipe is None:
        raise InvalidInput("--people goes with --recipe: a chain draws faces at their own size. Name a recipe.")
    if style_recipe is not None:
        if not photos or not teachers or teacher or pairs:
            raise InvalidInput("A recipe needs --photos and --teachers, and neither --teacher nor --pairs.")
        generators = load_generators(style_recipe.steps, teachers, runtime)
        chain = ChainArtist(style_recipe.steps, generators, last=style_recipe.last)
        lessons.append(Lesson(photos, chain))
    elif photos and teacher:
        shown = [pair for files, artist in published for pair in artist.drawn(files)]
        palette = palette_of(shown) if shown else None
        lessons.append(Lesson(photos, TeacherArtist(Teacher(teacher, runtime), finish, palette)))
    elif photos or teacher or not lessons:
        raise InvalidInput(
            "Training needs both --photos and --teacher, or --pairs, or all three. Name what is missing."
        )
    if style_recipe is not None and photos is not None and people is not None:
        seen, held_out = sittings.prepare(list_photos(photos), chain, People(people), cache)
        shown_pairs = held_out[:: max(1, len(held_out) // 24)]
    else:
        seen, held_out = prepare(lessons, cache, [Scale.parse(text) for text in scales])
        shown_pairs = held_out[:: len(scales)]
    if draw_only:
        click.echo(f"The drawings are in {cache}: {len(seen)} to learn from, {len(held_out)} held out.")
        return

    steps = steps or (_NO_LIMIT if minutes else DistillRecipe.steps)
    if style_recipe is not None and adversarial_from is None and steps != _NO_LIMIT:
        adversarial_from = round(style_recipe.adversarial_after * steps)
    recipe = DistillRecipe(
        steps=steps,
        minutes=minutes,
        adversarial_from=steps if adversarial_from is None else adversarial_from,
        batch=batch,
        crop=crop,
        repeats=repeats,
        learning_rate=DistillRecipe.learning_rate * rate,
        kernel_learning_rate=DistillRecipe.kernel_learning_rate * rate,
        seed=seed,
        bfloat16=bfloat16,
    )
    weights = {"consistency": consistency, "flatness": flatness, "perceptual": perceptual_weight}
    recipe = replace(recipe, weights=recipe.weights | weights)
    if plain_l1:
        seen, recipe = [replace(pair, target=pair.drawing) for pair in seen], recipe.plain_l1()
    eyes = read_features(perceptual) if perceptual is not None else None
    run = Distillation(seen, recipe, DESIGNS[size], device, workers, eyes)
    if start_from is not None:
        run.start_from(start_from)
    trained = train_to_the_end(run, out, lambda network, path: write_sheet(network, shown_pairs, path))
    figures = {"held_out_photos": len({pair.name for pair in held_out})} | measure(
        held_out, lambda photo: draw(trained, photo)
    )
    command = f"livefilter {shlex.join(_without_paths(sys.argv[1:]))}  # {run.step} steps"
    frames = [pair.photo for pair in seen[:: max(1, len(seen) // _CALIBRATING)]]
    into = into or out / "style"
    write_style(into, card, size, trained, command, figures, picture or lessons[0].photos()[0], frames)
    click.echo(f"The style is in {into}.")


def _without_paths(arguments: list[str]) -> list[str]:
    """Show options that name a file or folder as the option's name in capitals: a card tells nobody's paths."""
    shown = list(arguments)
    for index, argument in enumerate(arguments[:-1]):
        if argument in _PATHS:
            shown[index + 1] = argument[2:].upper()
        elif argument == "--pairs":
            shown[index + 1 : index + 3] = "PHOTOS", "DRAWINGS"
    return shown


if __name__ == "__main__":
    train()
