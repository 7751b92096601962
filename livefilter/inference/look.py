"""What becomes of a styled picture before viewers see it, on the CPU and on a GPU."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.errors import EngineFailed, InvalidInput
from livefilter.frame import Image
from livefilter.inference.base import Engine

_WHITE = 255.0


@dataclass(frozen=True, slots=True)
class Look:
    """How original and styled picture make what viewers see; the default is the styled picture alone.

    strength: 0 (original) to 1 (styled), and up to 1.5 where the network takes it.
    compare: original on the left, styled on the right, a white line between.
    split: where that line is, as a share of the width.
    person, room: whether the person and what is around them are styled; where the network does not tell them apart, all
        is room.
    finish: whether an engine that can do all this is to; else it draws at that strength, if its network takes it.
    mirror: left and right are exchanged, last of all.
    width: pixels of the picture; what an engine's frame has more is filling at its right. 0: all of it.
    """

    strength: float = 1.0
    compare: bool = False
    mirror: bool = False
    width: int = 0
    split: float = 0.5
    person: bool = True
    room: bool = True
    finish: bool = True

    def drawn(self, drawn_strength: bool) -> bool:
        """Whether an engine gives the picture as the network draws it, with nothing done to it."""
        whole = share_of(self.strength, drawn_strength) == 1.0
        return not self.finish or (whole and self.person and self.room and not self.compare and not self.mirror)

    def columns(self, engine_width: int, drawn_strength: bool = False) -> NDArray[np.float32]:
        """What `look`, the input of an engine, is to be: float32 (4, engine_width, 1).

        Rows 0 and 1: the share of the styled picture, 0 to 1, in the room and on a person; the engine makes the map of
        the two. Row 2: the least grey level, 255 where the line is. Row 3: the column that is shown here, last of all.
        drawn_strength: the network was given the strength, so that nothing is blended but at 0, which is the original.
        """
        if not self.finish:
            return PLAIN.columns(engine_width)
        width, place = self.width or engine_width, np.arange(engine_width)
        half = split_at(width, self.split)
        share = np.full(engine_width, share_of(self.strength, drawn_strength))
        line = np.zeros(engine_width)
        if self.compare:
            share[:half] = 0.0
            line[max(half - 1, 0) : half + 1] = _WHITE
        source = np.where(place < width, width - 1 - place, place) if self.mirror else place
        return np.stack([share * self.room, share * self.person, line, source]).astype(np.float32)[:, :, None]


def share_of(strength: float, drawn_strength: bool) -> float:
    """How much of the styled picture a strength means, 0 to 1; all of it where the network has drawn it at that."""
    if drawn_strength:
        return float(strength > 0)
    return min(1.0, strength)


def split_at(width: int, split: float) -> int:
    """The first column of the styled part of a split screen."""
    return int(width * split)


def blend(original: Image, styled: Image, strength: float) -> Image:
    """Mix two frames of one size: `original` itself at 0, `styled` itself at 1, otherwise a new array.

    Raises: InvalidInput.
    """
    if not 0.0 <= strength <= 1.0:
        raise InvalidInput(f"Strength {strength} is out of range: it must be from 0 (original) to 1 (styled).")
    if original.shape != styled.shape:
        raise InvalidInput(f"Frames of different shapes cannot be blended: {original.shape} and {styled.shape}.")
    if strength == 0.0:
        return original
    if strength == 1.0:
        return styled
    return np.asarray(cv2.addWeighted(original, 1.0 - strength, styled, strength, 0.0), np.uint8)


def arranged(original: Image, blended: Image, look: Look) -> Image:
    """What `look` makes of two pictures besides blending them, on the CPU: split, then mirrored.

    original, blended: (H, W, 3) uint8 BGR of one size; `blended` itself is returned where nothing is to do.
    """
    image = blended
    if look.compare:
        image = np.array(blended)
        edge = split_at(image.shape[1], look.split)
        image[:, :edge] = original[:, :edge]
        image[:, max(edge - 1, 0) : edge + 1] = int(_WHITE)
    return flipped(image) if look.mirror else image


def flipped(image: Image) -> Image:
    """The picture with left and right exchanged; a new array."""
    return np.asarray(cv2.flip(image, 1), np.uint8)


PLAIN = Look()


class ComposingEngine(Engine):
    """An engine that gives the finished picture: styled, blended, split and mirrored in one pass on the GPU.

    nv12: its pictures are NV12, (height * 3 / 2, width) uint8: Y, then U and V in turns at half the size; BT.601,
    limited range, as OpenCV and pyvirtualcam make it.
    """

    nv12: bool = False

    @abstractmethod
    def compose(self, image: Image, look: Look) -> Image:
        """Style one frame and finish it.

        image: (height, width, 3) uint8 BGR, C-contiguous.
        Returns: as `run` does. Raises: EngineFailed.
        """

    def compose_batch(self, images: Sequence[Image], look: Look) -> list[tuple[Image, Image | None]]:
        """Style as many frames at once as `EngineOptions.batch` said, and finish all of them alike.

        images: as of `compose`. Returns: of each frame what `compose` and `person` are. Raises: EngineFailed.
        """
        return [(self.compose(image, look), self.person) for image in images]

    def run(self, image: Image, strength: float = 1.0) -> Image:
        return self.compose(image, self._plain(strength))

    def run_batch(self, images: Sequence[Image], strengths: Sequence[float]) -> list[tuple[Image, Image | None]]:
        first, *others = {self._plain(strength) for strength in strengths}
        if others:
            raise EngineFailed(
                f"{self.info.backend} draws several frames at once at one strength only. Draw each alone."
            )
        return self.compose_batch(images, first)

    def _plain(self, strength: float) -> Look:
        return Look(strength=strength) if self.takes_strength else PLAIN
