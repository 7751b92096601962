"""What is known of the people in a folder of photos, written by tools/people.py: faces, their skin, and a mask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from livefilter.errors import InvalidInput
from livefilter.frame import Image

FACES = "faces.json"
SKIN = "-skin.png"


@dataclass(frozen=True)
class Face:
    """A face's square, in pixels of its photo.

    passes: how often a generator that enlarges eyes may be applied: less where an eye is shut or the mouth open.
    """

    left: float
    top: float
    side: float
    passes: int = 2

    def scaled(self, across: float, down: float) -> Face:
        """The same face in a photo that was resized by these factors."""
        return Face(self.left * across, self.top * down, self.side * across, self.passes)


class People:
    """Reads a folder that tools/people.py wrote.

    Raises: InvalidInput: it is none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            found = json.loads((folder / FACES).read_text(encoding="utf-8"))
            self._faces = {name: tuple(Face(**face) for face in faces) for name, faces in found.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"{folder} does not tell where people are ({error}). Write it: python tools/people.py PHOTOS {folder}"
            ) from error

    def faces(self, name: str) -> tuple[Face, ...]:
        """The faces in the photo of this file name, the widest first; none for a photo that is not known."""
        return self._faces.get(name, ())

    def mask(self, name: str, width: int, height: int) -> Image | None:
        """Where people are in the photo of this file name: (height, width) uint8, 0 to 255; None if not known."""
        return self._map(f"{Path(name).stem}.png", width, height)

    def skin(self, name: str, width: int, height: int) -> Image | None:
        """Where nothing but skin is in the faces of the photo of this file name: (height, width) uint8, 0 to 255; None
        if there is no such face."""
        return self._map(f"{Path(name).stem}{SKIN}", width, height)

    def _map(self, file: str, width: int, height: int) -> Image | None:
        path = self._folder / file
        found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.exists() else None
        if found is None:
            return None
        return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
