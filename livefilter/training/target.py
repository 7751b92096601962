"""The target that the student draws: the teacher's drawing, for some styles in other hues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.frame import Image
from livefilter.training.lab import from_lab, to_lab

Map = npt.NDArray[np.float32]

GREY = 8.0


@dataclass(frozen=True)
class Finish:
    """How a drawing becomes a target; with neither, the drawing itself is the target.

    recolour: see `recoloured`. keeps_greys: see `with_greys`.
    """

    recolour: bool = False
    keeps_greys: bool = False


def recoloured(drawing: Image, photo: Image, rich: float = 1.15, light: float = 0.7) -> Image:
    """Give a drawing the photo's hues: skin stays skin, and white walls stay white.

    White-box cartoons turn fair hair green and skin lilac, and generators in a row turn it brown and dark. Wide areas
    (Gaussian, sigma 8) take the a and b of CIE Lab from the photo, `rich` times as strong, and still wider ones (sigma
    24) the share `light` of its brightness; what is smaller stays the drawing's.
    """
    drawn, seen = to_lab(drawing), to_lab(photo)
    shift = cv2.GaussianBlur(seen, (0, 0), 8.0) - cv2.GaussianBlur(drawn, (0, 0), 8.0)
    drawn[..., 1:] = (drawn[..., 1:] + shift[..., 1:]) * rich
    wide = cv2.GaussianBlur(seen[..., 0], (0, 0), 24.0) - cv2.GaussianBlur(drawn[..., 0], (0, 0), 24.0)
    drawn[..., 0] += light * wide
    return from_lab(drawn)


def with_greys(drawing: Image, photo: Image) -> Image:
    """Keep what is grey in the photo grey in its drawing, and a white wall white.

    Areas (Gaussian, sigma 4) with little chroma in the photo take their a and b of CIE Lab from it, the more the greyer
    they are: all at chroma 0, a third at `GREY`.
    """
    drawn, seen = to_lab(drawing), to_lab(photo)
    wide, goal = (cv2.GaussianBlur(picture[..., 1:], (0, 0), 4.0) for picture in (drawn, seen))
    greyness = np.exp(-((goal / GREY) ** 2).sum(2, keepdims=True))
    drawn[..., 1:] += greyness * (goal - wide)
    return from_lab(drawn)


def palette_of(pairs: Sequence[tuple[Image, Image]]) -> Map:
    """Fit the affine map of colours, (4, 3) from BGR and 1 to BGR, that takes photos to their drawings."""
    small = [
        [cv2.resize(each, (64, 64), interpolation=cv2.INTER_AREA).reshape(-1, 3) for each in pair] for pair in pairs
    ]
    seen, drawn = (np.concatenate(side).astype(np.float32) for side in zip(*small, strict=True))
    fitted = np.linalg.lstsq(np.column_stack([seen, np.ones(len(seen))]), drawn, rcond=None)[0]
    return np.asarray(fitted, np.float32)


def in_palette(picture: Image, palette: Map) -> Image:
    """Take the colours of (H, W, 3) uint8 BGR through what `palette_of` fitted."""
    levels = picture.astype(np.float32) @ palette[:3] + palette[3]
    return np.asarray(np.rint(np.clip(levels, 0.0, 255.0)), np.uint8)


def finished(drawing: Image, photo: Image, finish: Finish) -> Image:
    """Make the target of a drawing and its photo, (H, W, 3) uint8 BGR each."""
    if finish.recolour:
        drawing = recoloured(drawing, photo)
    if finish.keeps_greys:
        drawing = with_greys(drawing, photo)
    return drawing
