"""Pictures with the teacher's masks: photos that training left out, and clips."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image
from livefilter.training.artist import read_picture
from livefilter.training.data import is_held_out, list_photos, scaled
from livefilter.training.people import People
from tools.apart import run_apart
from tools.quality.clips import frames_in_a_row, frames_spread, list_clips

_LONGEST = 640
_CLIP_LONGEST = 1280
_NEAR_FACE = 0.12  # of the shorter side, as in training
_TIMEOUT_S = 1800.0
_DARK, _DARK_NOISE = 0.25, 4.0


@dataclass(frozen=True)
class Shown:
    """A picture, (H, W, 3) uint8 BGR, and where the teacher finds people in it, (H, W) uint8; group: what it is of."""

    group: str
    name: str
    picture: Image
    mask: Image


def held_out_photos(photos: Path, people: Path) -> list[Shown]:
    """The photos that training left out: with somebody near, with others, and with nobody, where no face was found.

    Raises: InvalidInput: no masks there.
    """
    known = People(people)
    found = []
    for path in list_photos(photos):
        if not is_held_out(path.name):
            continue
        picture = read_picture(path)
        faces, size = known.faces(path.name), min(picture.shape[:2])
        picture = scaled(picture, _LONGEST)
        mask = known.mask(path.name, picture.shape[1], picture.shape[0])
        if mask is None:
            continue
        near = any(face.side >= _NEAR_FACE * size for face in faces)
        group = "photos, somebody near" if near else "photos, others" if faces else "photos, nobody"
        found.append(Shown(group, path.stem, picture, mask if faces else np.zeros_like(mask)))
    return found


def in_the_dark(shown: Sequence[Shown]) -> list[Shown]:
    """The same pictures with a quarter of the light, and the noise that cameras then have."""
    random = np.random.default_rng(0)
    found = []
    for each in shown:
        noise = random.normal(0.0, _DARK_NOISE, each.picture.shape)
        dark = np.asarray(np.rint(np.clip(_DARK * each.picture + noise, 0, 255)), np.uint8)
        found.append(Shown(f"{each.group}, dark", f"{each.name}-dark", dark, each.mask))
    return found


def clip_frames(clips: Path, count: int, python: Path, work: Path) -> list[Shown]:
    """Frames from all over each clip, with masks of MediaPipe's, which `python` has; work: folder for both.

    Raises: InvalidInput: a clip cannot be read, or MediaPipe does not run.
    """
    frames, masks = work / "frames", work / "masks"
    frames.mkdir(parents=True, exist_ok=True)
    for clip in list_clips(clips):
        if not any(frames.glob(f"{clip.stem}@*.png")):
            for number, picture in enumerate(frames_spread(clip, count, _CLIP_LONGEST)):
                cv2.imwrite(str(frames / f"{clip.stem}@{number:03}.png"), picture)
    pictures = sorted(frames.glob("*.png"))
    if not (masks / "faces.json").exists() or len(json.loads((masks / "faces.json").read_text())) != len(pictures):
        _ask(python, frames, masks)
    known, found = People(masks), []
    for path in pictures:
        picture = read_picture(path)
        mask = known.mask(path.name, picture.shape[1], picture.shape[0])
        if mask is not None:
            found.append(Shown(path.stem.partition("@")[0], path.stem, picture, mask))
    return found


def moving(clips: Path, count: int) -> dict[str, list[Image]]:
    """By clip, frames one after the other."""
    return {clip.stem: frames_in_a_row(clip, count, _LONGEST) for clip in list_clips(clips)}


def _ask(python: Path, frames: Path, masks: Path) -> None:
    arguments = ["tools/people.py", str(frames.absolute()), str(masks.absolute())]
    run_apart(python, arguments, "people", "--mediapipe-python", _TIMEOUT_S)
