"""Takes lines off the skin of drawn faces that their photos do not have: beside noses, on cheeks and foreheads."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.frame import Image
from livefilter.training.people import Face

REACH = 0.25  # of a face's side, beyond its square
WIDEST = 0.115  # of a face's side: wider than this is a tone and no line
SMALLEST = 24  # pixels of a face
OWN = 18.0, 40.0  # grey levels by which lines of the photo are darker, on skin of middle brightness
_AMOUNT = 0.9


def plain_skinned(drawing: Image, photo: Image, skin: Image, faces: Sequence[Face]) -> Image:
    """A drawing whose faces have no lines on their skin but those of the photo, such as glasses, hair and wrinkles.

    Generators outline the shading of noses and cheeks, and faces look stern. A closing (of the size of a wide line)
    fills what is dark and thin; it counts where the photo has no such line itself.

    drawing, photo: (H, W, 3) uint8 BGR. skin: (H, W) uint8, 255 where only skin is, see `People.skin`.
    """
    result = drawing.copy()
    for face in faces:
        if face.side < SMALLEST:
            continue
        ends = (start + length * face.side for start in (face.top, face.left) for length in (-REACH, 1.0 + REACH))
        top, bottom, left, right = (max(0, round(end)) for end in ends)
        part = np.s_[top:bottom, left:right]
        if not skin[part].any():
            continue
        cover = skin[part].astype(np.float32) / 255.0
        cover *= _AMOUNT * (1.0 - _own_lines(photo[part], cover, face.side))
        plain = cv2.GaussianBlur(_closed(drawing[part], face.side), (0, 0), max(0.8, 0.012 * face.side))
        result[part] = np.rint(result[part] + (plain.astype(np.float32) - result[part]) * cover[..., None])
    return result


def _own_lines(photo: Image, skin: npt.NDArray[np.float32], side: float) -> npt.NDArray[np.float32]:
    """Where the photo has dark lines itself: 0 to 1."""
    grey = np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), np.uint8)
    sure = skin > 0.5
    level = max(40.0, float(grey[sure].mean())) if sure.any() else 128.0
    darker = (_closed(grey, side).astype(np.float32) - grey) * (128.0 / level)
    spread = cv2.GaussianBlur(darker, (0, 0), max(0.7, 0.008 * side))
    return np.asarray(np.clip((spread - OWN[0]) / (OWN[1] - OWN[0]), 0.0, 1.0), np.float32)


def _closed(picture: Image, side: float) -> Image:
    """Without what is dark and thinner than a wide line."""
    size = max(3, round(side * WIDEST)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.morphologyEx(picture, cv2.MORPH_CLOSE, kernel), np.uint8)
