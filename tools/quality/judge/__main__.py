"""`python -m tools.quality.judge`: train the judge, and ask it."""

from __future__ import annotations

import statistics
from pathlib import Path

import click
import cv2
import numpy as np

_FILE = click.Path(path_type=Path)


@click.group()
def judge() -> None:
    """Tell drawings from photos."""


@judge.command()
@click.option("--drawn-faces", multiple=True, required=True, help="Folder or pattern; repeatable, like the next ones.")
@click.option("--drawn-scenes", multiple=True, required=True)
@click.option("--photo-faces", multiple=True, required=True, help="Pictures or clips.")
@click.option("--photo-scenes", multiple=True, required=True)
@click.option("--apart", multiple=True, help="Names that start so are kept for measuring; repeatable.")
@click.option("--steps", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--out", required=True, type=_FILE, help="The file of weights to write.")
def train(
    drawn_faces: tuple[str, ...],
    drawn_scenes: tuple[str, ...],
    photo_faces: tuple[str, ...],
    photo_scenes: tuple[str, ...],
    apart: tuple[str, ...],
    steps: int,
    out: Path,
) -> None:
    """Train on one thread and print how often it errs on pictures that it never saw."""
    from tools.quality.judge.pictures import read_examples
    from tools.quality.judge.training import train_judge

    given = {
        ("drawing", "faces"): drawn_faces,
        ("photo", "faces"): photo_faces,
        ("drawing", "scenes"): drawn_scenes,
        ("photo", "scenes"): photo_scenes,
    }
    examples = {key: read_examples(patterns, key[1], apart) for key, patterns in given.items()}
    for (what, kind), found in examples.items():
        click.echo(f"{what}, {kind}: {len(found.learned)} to learn from, {len(found.apart)} apart")
    for kind, figures in train_judge(examples, out, steps, click.echo).items():
        click.echo(f"{kind}: {figures}")


@judge.command()
@click.argument("pictures", nargs=-1, required=True, type=_FILE)
@click.option("--judge", "weights", required=True, type=_FILE, help="What `train` wrote.")
def score(pictures: tuple[Path, ...], weights: Path) -> None:
    """Print the probability of a drawing for each picture, and the mean."""
    from livefilter.training.artist import read_picture
    from tools.quality.judge.scoring import Judge

    ask = Judge.load(weights)
    found = [ask(np.asarray(read_picture(path), np.uint8)) for path in pictures]
    for path, value in zip(pictures, found, strict=True):
        click.echo(f"{value:.3f}  {path.name}")
    click.echo(f"{statistics.mean(found):.3f}  mean of {len(found)}")


if __name__ == "__main__":
    cv2.setNumThreads(1)
    judge()
