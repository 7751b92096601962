"""Write the folder of a trained style: the network, its card and its picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.errors import InvalidInput, UnknownName
from livefilter.generator.export import export, macs_per_pixel, parameters
from livefilter.generator.network import Generator
from livefilter.training.sheet import draw

Image = npt.NDArray[np.uint8]

PICTURE_WIDTH = 640


@dataclass(frozen=True)
class StyleFacts:
    """What the card says about a style and no training run can know."""

    title: str
    description: str
    licence: str
    credit: str
    teacher: str
    order: int


STYLES = {
    "hayao": StyleFacts(
        title="Hayao",
        description="Flat, warm colour with dark ink lines, after the hand-drawn look of AnimeGANv3 Hayao.",
        licence="non-commercial",
        credit="AnimeGANv3 (Jie Chen, Gang Liu, Xin Chen); distilled from published results, non-commercial use.",
        teacher="AnimeGANv3_Hayao_36",
        order=1,
    ),
}


def facts_of(name: str) -> StyleFacts:
    """Look up the facts of a style that can be trained.

    Raises:
        UnknownName: there are none of that name.
    """
    if name not in STYLES:
        raise UnknownName("trainable style", name, STYLES)
    return STYLES[name]


def write_style(
    folder: Path, name: str, generator: Generator, training: str, figures: Mapping[str, float | int], picture: Path
) -> None:
    """Export a trained generator into `folder` as network.onnx, card.toml and picture.jpg.

    Args:
        folder: made if missing; files of the same names are replaced.
        name: a style that `facts_of` knows.
        generator: the trained network.
        training: the command that trained it, and for how long.
        figures: what `measure` found.
        picture: a photo that may be published; the style's picture shows it before and after.

    Raises:
        UnknownName: the style is not known.
        InvalidInput: the photo cannot be read.
    """
    facts = facts_of(name)
    before = cv2.imread(str(picture))
    if before is None:
        raise InvalidInput(f"{picture} is not a readable picture. Name another one with --picture.")
    checksum = export(generator, folder / "network.onnx")
    _write_picture(folder / "picture.jpg", np.asarray(before, np.uint8), generator)
    entries: dict[str, str | int] = {
        "name": name,
        "title": facts.title,
        "description": facts.description,
        "licence": facts.licence,
        "credit": facts.credit,
        "teacher": facts.teacher,
        "network": "network.onnx",
        "sha256": checksum,
        "picture": "picture.jpg",
        "parameters": parameters(generator),
        "macs_per_pixel": macs_per_pixel(generator),
        "training": training,
        "order": facts.order,
    }
    lines = [f"{key} = {_toml(value)}" for key, value in entries.items()]
    lines += ["", "# Measured on photos left out of training; share = part of the teacher's change that is captured."]
    lines += ["[figures]", *(f"{key} = {_toml(value)}" for key, value in figures.items())]
    (folder / "card.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_picture(path: Path, before: Image, generator: Generator) -> None:
    """Write before and after side by side, a square of each."""
    side = PICTURE_WIDTH // 2
    height, width = before.shape[:2]
    edge = min(height, width)
    left = (width - edge) // 2
    square = np.asarray(before[:edge, left : left + edge], np.uint8)
    # Lines are as thick as the network draws them at this size, so style first and shrink after.
    drawn_size = min(edge, 2 * side) // 8 * 8
    square = np.asarray(cv2.resize(square, (drawn_size, drawn_size), interpolation=cv2.INTER_AREA), np.uint8)
    both = [cv2.resize(half, (side, side), interpolation=cv2.INTER_AREA) for half in (square, draw(generator, square))]
    cv2.imwrite(str(path), np.hstack(both), [cv2.IMWRITE_JPEG_QUALITY, 88])


def _toml(value: str | int | float) -> str:
    return json.dumps(value, ensure_ascii=False)  # TOML's basic strings and numbers are written like JSON's
