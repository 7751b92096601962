"""The drawings and photos that the judge learns from, and those kept apart to tell how often it errs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.data import is_held_out
from tools.quality.judge.views import LARGEST, shrunk

KINDS = ("faces", "scenes")
_CLIPS = {".mp4", ".mkv", ".mov", ".webm", ".avi"}
_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
_EVERY_FRAMES = 25
_APART_ONE_IN = 6


@dataclass(frozen=True)
class Examples:
    """Pictures of one class and kind, shrunk: to learn from, and apart."""

    learned: list[Image]
    apart: list[Image]


def read_examples(patterns: Sequence[str], kind: str, apart: Sequence[str]) -> Examples:
    """Read the pictures and clips that glob patterns name; of a clip, a frame a second.

    Kept apart are names that start with one of `apart` (whole sources), photos that no training run sees, and, of
    faces, one in six by name: each is another person.

    Raises: InvalidInput: a pattern names nothing, or a file cannot be read.
    """
    learned: list[Image] = []
    kept: list[Image] = []
    for pattern in patterns:
        path = Path(pattern)
        files = sorted(path.iterdir()) if path.is_dir() else sorted(path.parent.glob(path.name))
        files = [file for file in files if file.suffix.lower() in _PICTURES | _CLIPS]
        if not files:
            raise InvalidInput(f"{pattern} names no picture and no clip. Name a folder, a file or a pattern like a/b*.")
        for file in files:
            is_apart = file.name.startswith(tuple(apart)) or is_held_out(file.name)
            is_apart = is_apart or (kind == "faces" and file.suffix.lower() in _PICTURES and _by_chance(file.stem))
            (kept if is_apart else learned).extend(shrunk(picture, LARGEST[kind]) for picture in _read(file))
    return Examples(learned, kept)


def _by_chance(name: str) -> bool:
    return hashlib.sha256(name.encode()).digest()[0] % _APART_ONE_IN == 0


def _read(file: Path) -> list[Image]:
    if file.suffix.lower() in _PICTURES:
        picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if picture is None:
            raise InvalidInput(f"{file} is not a readable picture. Remove it from its folder.")
        return [np.asarray(picture, np.uint8)]
    try:
        with av.open(str(file)) as container:
            frames = [
                np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                for index, frame in enumerate(container.decode(video=0))
                if index % _EVERY_FRAMES == 0
            ]
    except (av.FFmpegError, IndexError) as error:
        raise InvalidInput(f"The clip {file} cannot be read: {error}. Remove it from its folder.") from error
    return frames
