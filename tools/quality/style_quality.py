"""Every figure of one style but what it costs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from livefilter.frame import Image
from livefilter.styles.card import Style
from livefilter.training.data import Pair
from livefilter.training.figures import compare
from livefilter.whole_file import write_whole
from tools.quality.colour_table import ColourTable
from tools.quality.drawing import NetworkDrawing
from tools.quality.encoder import Encoder
from tools.quality.flicker import noise_difference, optical_flows, warped_difference
from tools.quality.material import Material
from tools.quality.plan import Plan

TABLE, TABLE_TO_TARGET, PLAIN_L1 = "colour table", "colour table, fitted to the target", "plain L1 student"
TARGET = "the target itself"
PHOTO, TEACHER, NOISE = "photo", "teacher", "noise"


@dataclass(frozen=True)
class StyleQuality:
    """What was measured of one style.

    key: what it depends on. encoder: name of the teacher whose encoder gave the features.
    photos: how many were measured on. fidelity: by student, the figures of `training.figures.compare`.
    flicker: by artist, "photo" and "teacher" among them, the warped difference of each clip in grey levels, and the
    difference under fresh noise as "noise".
    """

    key: str
    name: str
    title: str
    teacher: str
    encoder: str
    photos: int
    fidelity: dict[str, dict[str, float]]
    flicker: dict[str, dict[str, float]]

    @property
    def has_teacher(self) -> bool:
        """Whether the teacher could draw the clips."""
        return TEACHER in self.flicker

    @property
    def has_own_target(self) -> bool:
        """Whether the networks were trained toward something else than the teacher's drawings."""
        return self.fidelity[TARGET]["share_of_teacher_pixels"] < 1.0

    def steadiness(self, artist: str) -> float:
        """Flicker on the clips that the style adds: warped difference, styled minus unstyled, mean of the clips."""
        clips = [clip for clip in self.flicker[artist] if clip != NOISE]
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
    key: str, style: Style, material: Material, encoder: Encoder, encoder_name: str, plain_l1: Path | None, plan: Plan
) -> StyleQuality:
    """Measure the networks of a style beside the baselines and the teacher.

    plain_l1: network of a student that was trained with nothing but L1, if there is one.
    """
    with ExitStack() as opened:

        def network(path: Path) -> Callable[[Image], Image]:
            return opened.enter_context(NetworkDrawing(path))

        sizes = {size: network(each.path) for size, each in style.networks.items()}
        draws: dict[str, Callable[[Image], Image]] = {
            PHOTO: lambda picture: picture,
            TABLE: ColourTable((pair.photo, pair.drawing) for pair in material.seen),
            TABLE_TO_TARGET: ColourTable((pair.photo, pair.target) for pair in material.seen),
        }
        if plain_l1:
            draws[PLAIN_L1] = network(plain_l1)
        students: dict[str, Callable[[Pair], Image]] = {name: _of_photo(draw) for name, draw in (draws | sizes).items()}
        return StyleQuality(
            key,
            style.name,
            style.title,
            style.teacher,
            encoder_name,
            len(material.held_out),
            compare(material.held_out, students | {TARGET: lambda pair: pair.target}, encoder),
            _flicker(material, sizes, plan),
        )


def _of_photo(draw: Callable[[Image], Image]) -> Callable[[Pair], Image]:
    return lambda pair: draw(pair.photo)


def _flicker(
    material: Material, sizes: Mapping[str, Callable[[Image], Image]], plan: Plan
) -> dict[str, dict[str, float]]:
    """By artist: the warped difference of each clip, and the difference under noise."""
    stills = [pair.photo for pair in material.held_out[: plan.noise_photos]]
    artists: dict[str, Callable[[Image], Image]] = {PHOTO: lambda picture: picture}
    if material.teacher:
        artists[TEACHER] = material.teacher.draw
    artists |= sizes
    found: dict[str, dict[str, float]] = {name: {} for name in artists}
    for clip, frames in material.clips.items():
        flows = optical_flows(frames)
        for name, draw in artists.items():
            drawn = material.drawn[clip] if name == TEACHER else [draw(frame) for frame in frames]
            found[name][clip] = round(warped_difference(drawn, flows), 3)
    for name, draw in artists.items():
        found[name][NOISE] = round(noise_difference(stills, draw), 3)
    return found
