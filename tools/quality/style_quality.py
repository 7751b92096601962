"""Every figure of one style but what it costs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image
from livefilter.styles.card import Style
from livefilter.training.data import Pair
from livefilter.training.figures import compare
from livefilter.whole_file import write_whole
from tools.quality.drawing import NetworkDrawing
from tools.quality.encoder import Encoder
from tools.quality.expression import correlations, measure_openings
from tools.quality.flicker import noise_difference, optical_flows, steadied, warped_difference
from tools.quality.material import Draw, Material, spread
from tools.quality.plan import Plan
from tools.quality.sheets import write_sheet

PHOTO, CHAIN, NOISE, LIVE_NOISE, ALONE = "photo", "chain", "noise", "noise live", "alone"
ANIMEGAN = "AnimeGANv2"
KINDS = ("faces", "scenes")
_SHUT_SHOWN = 8

Ask = Callable[[Image], float]


@dataclass(frozen=True)
class StyleQuality:
    """What was measured of one style.

    key: what it depends on. chain: the generators that drew for it. photos: how many were measured on.
    fidelity: by network, the figures of `training.figures.compare`. scores: by kind of photo and artist, "photo" and
    "chain" among them, the mean probability that the judge gives to a drawing; empty without a judge.
    expression: by artist, "chain" among them, see `correlations`; empty without landmarks.
    flicker: by artist, the warped difference of each clip in grey levels (not of the chain), and the difference under
    fresh noise as "noise", and of a network as "noise live" what is left of it in a live run.
    """

    key: str
    name: str
    title: str
    chain: str
    photos: dict[str, int]
    fidelity: dict[str, dict[str, float]]
    scores: dict[str, dict[str, float]]
    expression: dict[str, dict[str, float]]
    flicker: dict[str, dict[str, float]]

    def steadiness(self, artist: str) -> float:
        """Flicker on the clips that the style adds: warped difference, styled minus unstyled, mean of the clips."""
        clips = [clip for clip in self.flicker[artist] if clip not in (ALONE, NOISE, LIVE_NOISE)]
        return statistics.mean(self.flicker[artist][clip] - self.flicker[PHOTO][clip] for clip in clips)

    def save(self, path: Path) -> None:
        """Write it as JSON, in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(asdict(self), indent=1).encode())

    @classmethod
    def load(cls, path: Path, key: str) -> StyleQuality | None:
        """Read what `save` wrote; None when there is nothing, or something made from other networks or amounts."""
        try:
            found = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.key == key else None


def measure_style(
    key: str, style: Style, material: Material, ask: Ask | None, animegan: Draw | None, plan: Plan
) -> StyleQuality:
    """Measure the networks of a style beside the photo and the chain, and write a sheet of shut eyes.

    ask: the judge. animegan: draws as AnimeGANv2 does, for its score.
    """
    with ExitStack() as opened:

        def network(path: Path) -> Draw:
            return opened.enter_context(NetworkDrawing(path))

        sizes = {size: network(each.path) for size, each in style.networks.items()}
        others = {ANIMEGAN: animegan} if animegan else {}
        students: dict[str, Callable[[Pair], Image]] = {name: _of_photo(draw) for name, draw in sizes.items()}
        return StyleQuality(
            key,
            style.name,
            style.title,
            style.teacher,
            {kind: len(material.of_kind(kind)) for kind in KINDS},
            compare(material.pairs, students, Encoder(material.encoder)),
            _scores(material, sizes | others, ask) if ask else {},
            _expression(style.name, material, sizes, plan.landmarks_python, plan.out) if plan.landmarks_python else {},
            _flicker(material, sizes, plan),
        )


def _of_photo(draw: Draw) -> Callable[[Pair], Image]:
    return lambda pair: draw(pair.photo)


def _scores(material: Material, artists: Mapping[str, Draw], ask: Ask) -> dict[str, dict[str, float]]:
    """By kind of photo and artist, the mean of the judge's probabilities."""
    found: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        pairs = material.of_kind(kind)
        if not pairs:
            continue
        drawings = {PHOTO: [pair.photo for pair in pairs], CHAIN: [pair.target for pair in pairs]}
        drawings |= {name: [draw(pair.photo) for pair in pairs] for name, draw in artists.items()}
        found[kind] = {
            name: round(statistics.mean(ask(each) for each in pictures), 3) for name, pictures in drawings.items()
        }
    return found


def _expression(
    name: str, material: Material, sizes: Mapping[str, Draw], python: Path, out: Path
) -> dict[str, dict[str, float]]:
    """By artist, the correlations; frames in which eyes are most shut go to a sheet."""
    artists = ({CHAIN: material.chain_of_spread} if material.chain_of_spread else {}) | dict(sizes)
    found, frames = measure_openings(material.spread, artists, python)
    shut = sorted(range(len(found)), key=lambda index: found[index].person[0])[:_SHUT_SHOWN]
    if shut:
        rows = [
            {PHOTO: _near(frames[index])} | {who: _near(draw(frames[index])) for who, draw in artists.items()}
            for index in shut
        ]
        write_sheet(out / "sheets" / f"{name}-shut-eyes.jpg", rows, 400, 92)
    return {who: correlations(found, who) for who in artists}


def _near(picture: Image) -> Image:
    """One shape for all clips: a square of 480 pixels."""
    height, width = picture.shape[:2]
    side = min(height, width)
    left = (width - side) // 2
    square = picture[:side, left : left + side]
    return np.asarray(cv2.resize(square, (480, 480), interpolation=cv2.INTER_AREA), np.uint8)


def _flicker(material: Material, sizes: Mapping[str, Draw], plan: Plan) -> dict[str, dict[str, float]]:
    """By artist: the warped difference of each clip as a live run shows it, what the network alone adds, and the
    difference under noise; of the chain only the latter.
    """
    stills = [pair.photo for pair in spread(material.pairs, plan.noise_photos)]
    artists: dict[str, Draw] = {PHOTO: lambda picture: picture, **sizes}
    found: dict[str, dict[str, float]] = {name: {} for name in (*artists, CHAIN)}
    alone: dict[str, list[float]] = {name: [] for name in artists}
    for clip, frames in material.rows.items():
        flows = optical_flows(frames)
        for name, draw in artists.items():
            drawn = [draw(frame) for frame in frames]
            alone[name].append(warped_difference(drawn, flows))
            shown = drawn if name == PHOTO else steadied(frames, drawn)
            found[name][clip] = round(warped_difference(shown, flows), 3)
    for name in sizes:
        found[name][ALONE] = round(statistics.mean(alone[name]) - statistics.mean(alone[PHOTO]), 3)
    for name, draw in (artists | {CHAIN: material.chain}).items():
        found[name][NOISE] = round(noise_difference(stills, draw), 3)
    for name, draw in sizes.items():
        found[name][LIVE_NOISE] = round(noise_difference(stills, draw, live=True), 3)
    return found
