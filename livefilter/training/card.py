"""Write the folder of a trained style: the network, its card and its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.errors import InvalidInput, UnknownName
from livefilter.generator.export import export, macs_per_pixel, parameters
from livefilter.generator.network import Generator
from livefilter.styles.card import CARD, Style, read_card
from livefilter.styles.card_writer import write_card
from livefilter.styles.network import SIZES, Network
from livefilter.training.sheet import draw
from livefilter.training.target import Finish

Image = npt.NDArray[np.uint8]

PICTURE_WIDTH = 640


@dataclass(frozen=True)
class StyleFacts:
    """What the card says about a style and no training run can know.

    best: see `Style`. finish: how drawings of a single teacher become targets; a recipe's chain makes targets itself.
    """

    title: str
    description: str
    licence: str
    credit: str
    teacher: str
    order: int
    best: str = ""
    finish: Finish = field(default_factory=Finish)


STYLES = {
    "hayao": StyleFacts(
        title="Hayao",
        description="Hand-drawn film: big eyes, smooth warm skin, fine dark lines, after AnimeGANv3 Cute and Hayao.",
        licence="non-commercial",
        credit="AnimeGANv3 (Jie Chen, Gang Liu, Xin Chen); distilled from published results, non-commercial use.",
        teacher="AnimeGANv3_tiny_Cute, AnimeGANv3_Hayao_36",
        order=1,
        best="lite",
    ),
    "shinkai": StyleFacts(
        title="Shinkai",
        description="Luminous and saturated: big eyes, crisp light, blue shadows, after AnimeGANv3 Cute and Shinkai.",
        licence="non-commercial",
        credit="AnimeGANv3 (Jie Chen, Gang Liu, Xin Chen); distilled from published results, non-commercial use.",
        teacher="AnimeGANv3_tiny_Cute, AnimeGANv3_Shinkai_37",
        order=2,
        best="lite",
    ),
    "paprika": StyleFacts(
        title="Paprika",
        description="Poster: bold outlines, flat strong colour, big eyes, after AnimeGANv3 Cute and Shinkai.",
        licence="non-commercial",
        credit=(
            "AnimeGANv3, in full AnimeGANv2 (Jie Chen, Gang Liu, Xin Chen); "
            "distilled from published results, non-commercial use."
        ),
        teacher="AnimeGANv3_tiny_Cute, AnimeGANv3_Shinkai_37",
        order=3,
        best="lite",
        finish=Finish(keeps_greys=True),
    ),
    "portrait": StyleFacts(
        title="Portrait",
        description="Animated film: smooth faces, big eyes, soft shading, after AnimeGANv3 Cute and CartoonGAN Hosoda.",
        licence="CC BY-NC-SA 4.0",
        credit=(
            "AnimeGANv3 (Jie Chen, Gang Liu, Xin Chen), CartoonGAN (Yang Chen, Yu-Kun Lai, Yong-Jin Liu), in full "
            "White-box Cartoonization (Xinrui Wang, Jinze Yu); distilled from published results, non-commercial use."
        ),
        teacher="AnimeGANv3_tiny_Cute, CartoonGAN_Hosoda",
        order=4,
        best="lite",
        finish=Finish(recolour=True),
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
    folder: Path,
    name: str,
    size: str,
    generator: Generator,
    training: str,
    figures: Mapping[str, float | int],
    picture: Path,
) -> None:
    """Export a trained generator as one network of the style in `folder`; a network of the other size stays.

    Args:
        folder: made if missing; SIZE.onnx, card.toml and picture.jpg are written. The picture shows the style's
            best network where there is one, which is `full` unless the facts say otherwise.
        name: a style that `facts_of` knows.
        size: "lite" or "full".
        generator: the trained network.
        training: the command that trained it, and for how long.
        figures: what `measure` found.
        picture: a photo that may be published; the style's picture shows it before and after.

    Raises:
        UnknownName: the style or the size is not known.
        InvalidInput: the photo cannot be read, or the folder holds another style.
        StyleCorrupt: the card that is there cannot be read.
    """
    facts = facts_of(name)
    if size not in SIZES:
        raise UnknownName("network size", size, SIZES)
    before = cv2.imread(str(picture))
    if before is None:
        raise InvalidInput(f"{picture} is not a readable picture. Name another one with --picture.")
    networks: dict[str, Network] = {}
    if (folder / CARD).exists():
        there = read_card(folder)
        if there.name != name:
            raise InvalidInput(f"{folder} holds the style {there.name}. Name another folder for {name}.")
        networks.update(there.networks)
    path = folder / f"{size}.onnx"
    networks[size] = Network(
        style=name,
        size=size,
        path=path,
        sha256=export(generator, path),
        parameters=parameters(generator),
        macs_per_pixel=macs_per_pixel(generator),
        training=training,
        figures=figures,
    )
    picture_path = folder / "picture.jpg"
    shown = facts.best or "full"
    if size == shown or shown not in networks or not picture_path.exists():
        _write_picture(picture_path, np.asarray(before, np.uint8), generator)
    write_card(
        Style(
            name=name,
            title=facts.title,
            licence=facts.licence,
            folder=folder,
            networks={each: networks[each] for each in SIZES if each in networks},
            description=facts.description,
            credit=facts.credit,
            teacher=facts.teacher,
            picture_path=picture_path,
            order=facts.order,
            best=facts.best if facts.best in networks else "",
        )
    )


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
