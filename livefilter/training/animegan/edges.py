"""The data set tool: anime whose edges are gone, so that the discriminator learns to ask for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.animegan.pictures import shorter_side
from livefilter.training.artist import read_picture
from livefilter.training.data import list_photos
from livefilter.whole_file import write_whole

_SIDE = 5


def smooth_edges(picture: Image) -> Image:
    """Blur (H, W, 3) uint8 BGR around its edges and nowhere else.

    Canny's edges (thresholds 100 and 200) widened to 5x5, a Gaussian of 5x5 (CartoonGAN, Chen et al. 2018).
    """
    edges = cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), 100, 200)
    wide = cv2.dilate(edges, np.ones((_SIDE, _SIDE), np.uint8))
    blurred = cv2.GaussianBlur(picture, (_SIDE, _SIDE), 0)
    return np.asarray(np.where(wide[:, :, None] > 0, blurred, picture), np.uint8)


def smooth_folder(style: Path, out: Path, size: int, advance: Callable[[], object]) -> int:
    """Write every picture of `style`, scaled to a shorter side of `size` and smoothed, into `out` as PNG.

    Those that are there already are kept. Returns how many pictures there are; `advance` is called after each.

    Raises: InvalidInput: a folder or a picture cannot be used, or the folders are the same.
    """
    if out.resolve() == style.resolve():
        raise InvalidInput(f"The smoothed pictures cannot go where the style's are, {style}. Name another folder.")
    files = list_photos(style)
    out.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = out / f"{file.name}.png"
        if not target.exists():
            _, data = cv2.imencode(".png", smooth_edges(shorter_side(read_picture(file), size)))
            write_whole(target, data.tobytes())
        advance()
    return len(files)
