"""Photos kept out of training: what sample sheets show, and what decides which checkpoint is the best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.generator.animegan import MULTIPLE
from livefilter.training.animegan.pictures import as_grey_planes, as_picture, as_planes, shorter_side
from livefilter.training.artist import read_picture

_SHEET_WIDTH = 1024


def keep_out(files: Sequence[Path], count: int) -> tuple[list[Path], list[Path]]:
    """Part photos into those to train on and `count` evenly spaced ones that are kept out.

    Raises: InvalidInput: too few are left.
    """
    if len(files) < 2 * count:
        raise InvalidInput(f"{len(files)} photos are too few to keep {count} out. Add photos, or lower --samples.")
    kept = {round(index * len(files) / count) for index in range(count)}
    seen = [file for index, file in enumerate(files) if index not in kept]
    return seen, [file for index, file in enumerate(files) if index in kept]


class Samples:
    """The photos whole, and as crops with as many of grey anime.

    Raises: InvalidInput: a picture cannot be read.
    """

    def __init__(self, photos: Sequence[Path], style: Sequence[Path], crop: int) -> None:
        self.photos = [shorter_side(read_picture(file), crop) for file in photos]
        anime = [shorter_side(read_picture(style[index % len(style)]), crop) for index in range(len(photos))]
        self.crops = torch.from_numpy(np.stack([as_planes(_middle(photo, crop)) for photo in self.photos]))
        self.grey = torch.from_numpy(np.stack([as_grey_planes(_middle(picture, crop)) for picture in anime]))

    def sheet(self, generator: nn.Module) -> Image:
        """One row a photo: the photo, and what the generator draws."""
        rows = []
        for photo in self.photos:
            drawn = draw(generator, photo)
            row = np.hstack([photo[: drawn.shape[0], : drawn.shape[1]], drawn])
            height = round(row.shape[0] * _SHEET_WIDTH / row.shape[1])
            rows.append(cv2.resize(row, (_SHEET_WIDTH, height), interpolation=cv2.INTER_AREA))
        return np.asarray(np.vstack(rows), np.uint8)


@torch.no_grad()
def draw(generator: nn.Module, picture: Image) -> Image:
    """Style one (H, W, 3) uint8 BGR picture, cut to multiples of 4, on the device where the generator is."""
    height, width = (side // MULTIPLE * MULTIPLE for side in picture.shape[:2])
    planes: Tensor = torch.from_numpy(as_planes(picture[:height, :width]))[None]
    device = next(generator.parameters()).device
    return as_picture(generator(planes.to(device))[0].float().cpu().numpy())


def _middle(picture: Image, crop: int) -> Image:
    top, left = ((side - crop) // 2 for side in picture.shape[:2])
    return picture[top : top + crop, left : left + crop]
