"""Whether eyes and mouths of drawings open and close as those of the person do."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.frame import Image
from tools.apart import run_apart

Draw = Callable[[Image], Image]

NARROWEST = 60.0  # pixels; eyes of narrower faces are a few pixels high, and landmarks guess
_TIMEOUT_S = 1200.0


@dataclass(frozen=True)
class Openings:
    """How wide eyes and mouth of one frame's face are open, height through width, and in its drawings.

    clip: name. width: of the face in pixels. person: (eyes, mouth). drawn: by artist, the same, or None where
    no face is found in the drawing.
    """

    clip: str
    width: float
    person: tuple[float, float]
    drawn: Mapping[str, tuple[float, float] | None]


def measure_openings(
    clips: Mapping[str, Sequence[Image]], artists: Mapping[str, Draw], python: Path
) -> tuple[list[Openings], list[Image]]:
    """Find the face in each frame of clips and in its drawings by each artist.

    python: has MediaPipe.
    Returns: what was found of the frames with a face of `NARROWEST` or more pixels, and these frames.
    Raises: InvalidInput: that Python cannot tell.
    """
    names = [(clip, index) for clip, frames in clips.items() for index in range(len(frames))]
    with tempfile.TemporaryDirectory() as folder:
        asked: list[list[str]] = []
        for clip, index in names:
            frame = clips[clip][index]
            pictures = [frame, *(draw(frame) for draw in artists.values())]
            files = [str(Path(folder) / f"{len(asked)}-{number}.png") for number in range(len(pictures))]
            for file, picture in zip(files, pictures, strict=True):
                cv2.imwrite(file, picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
            asked.append(files)
        answers = _ask(python, asked)
    found, shown = [], []
    for (clip, index), answer in zip(names, answers, strict=True):
        if answer and answer[0] >= NARROWEST and answer[1]:
            drawn = {name: each and (each[0], each[1]) for name, each in zip(artists, answer[2:], strict=True)}
            found.append(Openings(clip, answer[0], (answer[1][0], answer[1][1]), drawn))
            shown.append(clips[clip][index])
    return found, shown


def correlations(found: Sequence[Openings], artist: str) -> dict[str, float]:
    """Correlation of openings of the person and of the drawing, over all clips, each clip's mean taken off.

    Returns: "eyes", "mouth"; "found", the share of frames in whose drawing a face is found, and "frames".
    """
    kept = [(each, drawn) for each in found if (drawn := each.drawn[artist]) is not None]
    figures = {"found": len(kept) / max(1, len(found)), "frames": float(len(found))}
    clips = [each.clip for each, _ in kept]
    for column, name in enumerate(("eyes", "mouth")):
        person = _centred([each.person[column] for each, _ in kept], clips)
        drawing = _centred([drawn[column] for _, drawn in kept], clips)
        spread = float(np.sqrt((person**2).sum() * (drawing**2).sum()))
        figures[name] = float((person * drawing).sum()) / spread if spread > 0.0 else 0.0
    return {name: round(value, 3) for name, value in figures.items()}


def _centred(values: Sequence[float], clips: Sequence[str]) -> npt.NDArray[np.float64]:
    centred = np.array(values, np.float64)
    for clip in set(clips):
        rows = [row for row, other in enumerate(clips) if other == clip]
        centred[rows] -= centred[rows].mean()
    return centred


def _ask(python: Path, files: Sequence[Sequence[str]]) -> list[Any]:
    arguments = ["-m", "tools.quality.landmarks_apart"]
    printed = run_apart(python, arguments, "landmarks", "--landmarks-python", _TIMEOUT_S, json.dumps(files))
    answer: list[Any] = json.loads(printed.splitlines()[-1])
    return answer
