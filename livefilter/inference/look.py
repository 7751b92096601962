"""What an engine on a GPU can do to a frame besides styling it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livefilter.frame import Image
from livefilter.inference.base import Engine

_WHITE = 255.0


@dataclass(frozen=True, slots=True)
class Look:
    """How original and styled picture make what viewers see; the default is the styled picture alone.

    strength: 0 (original) to 1 (styled). compare: original on the left, styled on the right, a white line between.
    split: where that line is, as a share of the width.
    mirror: left and right are exchanged, last of all.
    width: pixels of the picture; what an engine's frame has more is filling at its right. 0: all of it.
    """

    strength: float = 1.0
    compare: bool = False
    mirror: bool = False
    width: int = 0
    split: float = 0.5

    def columns(self, engine_width: int) -> NDArray[np.float32]:
        """What `look`, the input of an engine, is to be: float32 (3, engine_width, 1).

        Row 0: the share of the styled picture, 0 to 1. Row 1: the least grey level, 255 where the line is. Row 2: the
        column that is shown here, after all else.
        """
        width, place = self.width or engine_width, np.arange(engine_width)
        half = split_at(width, self.split)
        share = np.full(engine_width, self.strength)
        line = np.zeros(engine_width)
        if self.compare:
            share[:half] = 0.0
            line[max(half - 1, 0) : half + 1] = _WHITE
        source = np.where(place < width, width - 1 - place, place) if self.mirror else place
        return np.stack([share, line, source]).astype(np.float32)[:, :, None]


def split_at(width: int, split: float) -> int:
    """The first column of the styled part of a split screen."""
    return int(width * split)


def with_split(original: Image, styled: Image, split: float) -> Image:
    """A split screen on the CPU: see `Look`; a new array.

    original, styled: (H, W, 3) uint8 BGR.
    """
    image = np.array(styled)
    edge = split_at(image.shape[1], split)
    image[:, :edge] = original[:, :edge]
    image[:, max(edge - 1, 0) : edge + 1] = int(_WHITE)
    return image


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

    def run(self, image: Image) -> Image:
        return self.compose(image, PLAIN)
