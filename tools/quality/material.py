"""The pictures that a style is measured on, each with what its chain made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training import sittings
from livefilter.training.artist import read_picture, write_picture
from livefilter.training.chain import ChainArtist, load_generators
from livefilter.training.data import Pair, is_held_out, list_photos, scaled
from livefilter.training.people import People
from livefilter.training.recipe import StyleRecipe, read_recipe
from tools.quality.clips import LONGEST, frames_in_a_row, frames_spread, list_clips
from tools.quality.drawn_frames import DrawnFrames
from tools.quality.plan import Plan

Draw = Callable[[Image], Image]
Item = TypeVar("Item")

_DEMO_LONGEST = 512
_FLICKER_LONGEST = 448
_WIDE_FACE = 0.2  # of the photo's longer side


class KeptDrawings:
    """An artist whose drawings are kept in a folder, whose name says what they depend on beside the picture."""

    def __init__(self, draw: Draw, folder: Path) -> None:
        self._draw, self._folder = draw, folder

    def __call__(self, picture: Image) -> Image:
        """Draw one (H, W, 3) uint8 BGR picture, or read what was drawn of it before."""
        file = self._folder / f"{hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()[:20]}.png"
        kept = cv2.imread(str(file)) if file.exists() else None
        if kept is not None:
            return np.asarray(kept, np.uint8)
        drawing = self._draw(picture)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_picture(file, drawing)
        return drawing


@dataclass(frozen=True)
class Material:
    """What a style is measured on.

    pairs: photos that training left out and what the chain made of them. rows: by clip, frames one after the other.
    spread: by clip, frames from all over it. demo: livefilter's own photo. chain: draws any other picture.
    chain_of_spread: draws `spread` as it drew the pairs; None without `Plan.landmarks_python`.
    encoder: file of the chain's first generator.
    """

    pairs: list[Pair]
    rows: dict[str, list[Image]]
    spread: dict[str, list[Image]]
    demo: Image
    chain: Draw
    chain_of_spread: Draw | None
    encoder: Path

    def of_kind(self, kind: str) -> list[Pair]:
        """The pairs that show a wide face ("faces"), or the others ("scenes")."""
        return [pair for pair in self.pairs if has_wide_face(pair) is (kind == "faces")]


def has_wide_face(pair: Pair) -> bool:
    """Whether a face takes a fifth or more of the photo's longer side."""
    return any(face.side >= _WIDE_FACE * max(pair.photo.shape[:2]) for face in pair.faces)


def steps_key(recipe: StyleRecipe) -> str:
    """What drawings by a recipe depend on, as a short hash."""
    return hashlib.sha256(json.dumps([recipe.steps, recipe.last], sort_keys=True).encode()).hexdigest()[:10]


def gather(name: str, plan: Plan) -> Material:
    """Read the pictures of a style and let its chain draw those that are not in the cache yet.

    Raises: InvalidInput: photos, clips, teachers or the recipe are missing or unreadable.
    """
    recipe = read_recipe(name)
    generators = load_generators(recipe.steps, plan.teachers, plan.runtime)
    artist = ChainArtist(recipe.steps, generators, last=recipe.last)
    people = People(plan.people)
    photos = spread([path for path in list_photos(plan.photos) if is_held_out(path.name)], plan.held_out_photos)
    if not photos:
        raise InvalidInput(f"The photo folder {plan.photos} has no photo that training leaves out. Add photos.")
    sittings.precompute(photos, artist, people, plan.cache / name)
    clips = list_clips(plan.clips)
    with resources.as_file(resources.files("livefilter.capture") / "assets" / "demo.jpg") as demo:
        own = scaled(read_picture(demo), _DEMO_LONGEST)
    frames = {clip.stem: frames_spread(clip, plan.expression_frames, LONGEST) for clip in clips}
    drawings = plan.out / "drawings"
    drawn_frames = None
    if plan.landmarks_python:
        cache = drawings / f"{name}-{steps_key(recipe)}-frames"
        drawn_frames = DrawnFrames(frames, artist, plan.landmarks_python, plan.out / "frames", cache)
    first = next(step["name"] for step in recipe.steps if step["do"] == "teacher")
    return Material(
        sittings.load(photos, people, plan.cache / name),
        {clip.stem: frames_in_a_row(clip, plan.flicker_frames, _FLICKER_LONGEST) for clip in clips},
        frames,
        own,
        KeptDrawings(partial(artist.draw, plan.out), drawings / f"{name}-{steps_key(recipe)}"),
        drawn_frames,
        plan.teachers / f"{first}.onnx",
    )


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many, taken evenly."""
    count = min(most, len(items))
    return [items[index * len(items) // count] for index in range(count)]
