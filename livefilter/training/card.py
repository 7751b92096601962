"""Write the folder of a trained style: the network, its card and its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from livefilter.errors import InvalidInput, UnknownName
from livefilter.frame import Image
from livefilter.generator.export import export, macs_per_pixel, parameters
from livefilter.generator.network import Generator
from livefilter.generator.quantise import quantise
from livefilter.styles.card import CARD, Style, read_card
from livefilter.styles.card_writer import write_card
from livefilter.styles.network import SIZES, Network
from livefilter.training.sheet import draw

PICTURE_WIDTH = 640
_TAUGHT = "  # then where people are: "


def write_style(
    folder: Path,
    style: Style,
    size: str,
    generator: Generator,
    training: str,
    figures: Mapping[str, float | int],
    picture: Path,
    frames: Sequence[Image] = (),
) -> None:
    """Export a trained generator as one network of the style in `folder`; a network of the other size stays.

    Args:
        folder: made if missing; SIZE.onnx, card.toml and picture.jpg are written, and SIZE.int8.onnx if there are
            frames. The picture shows the style's best network, which is `full` unless the facts say otherwise.
        style: whose title, description, licence, credit, teacher, order and best go onto the card.
        size: "lite" or "full".
        generator: the trained network.
        training: the command that trained it, and for how long.
        figures: what `measure` found.
        picture: a photo that may be published; the style's picture shows it before and after.
        frames: (H, W, 3) uint8 BGR each, what the network's INT8 form takes its ranges from, see `quantise`.

    Raises: UnknownName: the size is not known. InvalidInput: the photo cannot be read, or the folder holds another
        style. StyleCorrupt: the card that is there cannot be read.
    """
    if size not in SIZES:
        raise UnknownName("network size", size, SIZES)
    before = cv2.imread(str(picture))
    if before is None:
        raise InvalidInput(f"{picture} is not a readable picture. Name another one with --picture.")
    networks: dict[str, Network] = {}
    if (folder / CARD).exists():
        there = read_card(folder)
        if there.name != style.name:
            raise InvalidInput(f"{folder} holds the style {there.name}. Name another folder for {style.name}.")
        networks.update(there.networks)
    path, int8_path = folder / f"{size}.onnx", folder / f"{size}.int8.onnx"
    sha256 = export(generator, path)
    networks[size] = Network(
        style=style.name,
        size=size,
        path=path,
        sha256=sha256,
        int8_path=int8_path if frames else None,
        int8_sha256=quantise(path, frames, int8_path) if frames else "",
        parameters=parameters(generator),
        macs_per_pixel=macs_per_pixel(generator),
        training=training,
        figures=figures,
    )
    picture_path = folder / "picture.jpg"
    shown = style.best or "full"
    if size == shown or shown not in networks or not picture_path.exists():
        _write_picture(picture_path, np.asarray(before, np.uint8), generator)
    write_card(
        replace(
            style,
            folder=folder,
            networks={each: networks[each] for each in SIZES if each in networks},
            picture_path=picture_path,
            best=style.best if style.best in networks else "",
        )
    )


def write_taught(
    style: Style,
    size: str,
    generator: Generator,
    training: str,
    figures: Mapping[str, float | int],
    frames: Sequence[Image],
) -> None:
    """Write a network of a style again that has learned where people are, and note it on the card.

    style: as its card says. generator: the network, with its branch. training: the command that taught it.
    figures: of `overlap`. frames: as of `write_style`, for a network that has an INT8 form.
    """
    network = style.networks[size]
    int8_path = network.int8_path
    sha256 = export(generator, network.path)
    taught = replace(
        network,
        sha256=sha256,
        int8_sha256=quantise(network.path, frames, int8_path) if int8_path is not None else "",
        training=f"{network.training.partition(_TAUGHT)[0]}{_TAUGHT}{training}",
        figures={**network.figures, **{f"person_{name}": value for name, value in figures.items()}},
    )
    write_card(replace(style, networks={**style.networks, size: taught}))


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
