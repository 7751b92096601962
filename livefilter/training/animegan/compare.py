"""Several generators on the same photos: a picture for the eye, and a figure for high-frequency artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from torch import nn

from livefilter.frame import Image
from livefilter.training.animegan.pictures import shorter_side
from livefilter.training.animegan.samples import draw
from livefilter.training.artist import read_picture

_TILE = 320
_FLAT = 4.0


def speckle(photo: Image, drawn: Image) -> float:
    """How many grey levels a drawing is away from its own 3x3 median where the photo is flat.

    Specks and fine nets of dots raise it; lines and the edges of regions are not where a photo is flat.
    Flat is where brightness deviates by less than 4 levels in 9x9 pixels; NaN if the photo is so nowhere.
    """
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY).astype(np.float32)
    mean = cv2.blur(grey, (9, 9))
    flat = cv2.blur(grey * grey, (9, 9)) - mean * mean < _FLAT**2
    apart = cv2.absdiff(drawn, cv2.medianBlur(drawn, 3)).mean(axis=2)
    return float(apart[flat].mean()) if flat.any() else float("nan")


def compare(photos: Sequence[Path], generators: Sequence[nn.Module], size: int) -> tuple[Image, list[float]]:
    """Draw each photo, scaled to a shorter side of `size`, with each generator.

    Returns: a sheet with one row a photo (the photo, then the drawings), and each generator's mean `speckle`.

    Raises: InvalidInput: a photo cannot be read.
    """
    rows, figures = [], []
    for file in photos:
        photo = shorter_side(read_picture(file), size)
        drawings = [draw(generator, photo) for generator in generators]
        photo = photo[: drawings[0].shape[0], : drawings[0].shape[1]]
        figures.append([speckle(photo, drawn) for drawn in drawings])
        width = _TILE * (1 + len(drawings))
        row = np.hstack([photo, *drawings])
        height = round(row.shape[0] * width / row.shape[1])
        rows.append(cv2.resize(row, (width, height), interpolation=cv2.INTER_AREA))
    with_flat = [row for row in figures if not np.isnan(row).any()]
    means = np.mean(with_flat, axis=0).tolist() if with_flat else [float("nan")] * len(generators)
    return np.asarray(np.vstack(rows), np.uint8), means
