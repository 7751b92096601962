"""Who draws the targets: a published generator, or the person who published drawings of given photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.target import Finish, Map, in_palette, recoloured
from livefilter.training.teacher import Teacher
from livefilter.whole_file import write_whole


class Artist(Protocol):
    """Makes a drawing of a photo.

    finish: how its drawings become targets.
    enlarges: whether a drawing of an enlarged photo is as sharp as any other.
    """

    finish: Finish
    enlarges: bool

    def draw(self, path: Path, photo: Image) -> Image:
        """Draw the photo of this file, given as (H, W, 3) uint8 BGR, in the same shape."""


class TeacherArtist:
    """A published generator that draws any photo.

    palette: what `palette_of` fitted to drawings by somebody else, whose colours its drawings get.
    """

    enlarges = True

    def __init__(self, teacher: Teacher, finish: Finish, palette: Map | None = None) -> None:
        self._teacher, self.finish, self._palette = teacher, finish, palette

    def draw(self, path: Path, photo: Image) -> Image:
        drawing = self._teacher.draw(photo)
        return drawing if self._palette is None else in_palette(recoloured(drawing, photo), self._palette)


class PublishedDrawings:
    """A folder of drawings, one for each photo, of the photo's name and with its pixels in the same places.

    Raises: InvalidInput: the folder does not exist.
    """

    enlarges = False  # a student of enlarged drawings learns to blur

    def __init__(self, folder: Path, finish: Finish) -> None:
        if not folder.is_dir():
            raise InvalidInput(f"The folder of drawings {folder} does not exist. Name one as the second of --pairs.")
        self._folder, self.finish = folder, finish

    def drawn(self, photos: Sequence[Path]) -> list[tuple[Image, Image]]:
        """The photos and their drawings, for `palette_of`."""
        pictures = [(path, read_picture(path)) for path in photos]
        return [(photo, self.draw(path, photo)) for path, photo in pictures]

    def draw(self, path: Path, photo: Image) -> Image:
        found = sorted(self._folder.glob(f"{path.stem}.*"))
        if not found:
            raise InvalidInput(
                f"{self._folder} has no drawing of {path.name}. Add {path.stem}.jpg or remove the photo."
            )
        drawing = read_picture(found[0])
        size = photo.shape[1], photo.shape[0]
        method = cv2.INTER_AREA if size[0] < drawing.shape[1] else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(drawing, size, interpolation=method), np.uint8)


def read_picture(path: Path) -> Image:
    """Read a picture file as (H, W, 3) uint8 BGR.

    Raises: InvalidInput: it is not readable.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InvalidInput(f"{path} is not a readable picture. Remove it from its folder.")
    return np.asarray(picture, np.uint8)


def write_picture(path: Path, picture: Image) -> None:
    """Write (H, W, 3) uint8 BGR as PNG, whole or not at all."""
    write_whole(path, cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
