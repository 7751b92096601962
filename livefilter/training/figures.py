"""How much of the teacher's change a student captures, on photos that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from livefilter.training.data import Pair
from livefilter.training.target import line_map

Image = npt.NDArray[np.uint8]


def psnr(first: Image, second: Image) -> float:
    """Peak signal-to-noise ratio of two pictures of one shape, in decibels."""
    return float(20.0 * np.log10(255.0 / max(_rms(first, second), 1e-6)))


def measure(pairs: Sequence[Pair], draw: Callable[[Image], Image]) -> dict[str, float]:
    """Compare a student with the teacher, and with the inked target it was trained toward.

    A share is 1 - d(student, wanted) / d(photo, wanted), averaged over the pairs: 0 is doing nothing, 1 is a perfect
    copy, below 0 is further away than the photo. d is the root mean square, of pixels or of line maps. The correlation
    of line maps tells whether the lines are in the teacher's places, however dark they are.

    Args:
        pairs: photos with both sides multiples of 8.
        draw: styles one (H, W, 3) uint8 BGR picture.
    """
    rows = []
    for pair in pairs:
        drawn = draw(pair.photo)
        row = {}
        for name, wanted in (("teacher", pair.drawing), ("target", pair.target)):
            row[f"psnr_photo_to_{name}_db"] = psnr(pair.photo, wanted)
            row[f"psnr_student_to_{name}_db"] = psnr(drawn, wanted)
            row[f"share_of_{name}_pixels"] = 1.0 - _rms(drawn, wanted) / max(_rms(pair.photo, wanted), 1e-6)
            lines = [line_map(picture) for picture in (drawn, pair.photo, wanted)]
            row[f"share_of_{name}_lines"] = 1.0 - _rms(lines[0], lines[2]) / max(_rms(lines[1], lines[2]), 1e-6)
            row[f"lines_correlation_photo_{name}"] = _correlation(lines[1], lines[2])
            row[f"lines_correlation_student_{name}"] = _correlation(lines[0], lines[2])
        rows.append(row)
    return {name: round(float(np.mean([row[name] for row in rows])), 3) for name in rows[0]}


def _rms(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> float:
    return float(np.sqrt(np.mean((first.astype(np.float32) - second.astype(np.float32)) ** 2)))


def _correlation(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    spread = max(float(first.std() * second.std()), 1e-6)
    return float(np.mean((first - first.mean()) * (second - second.mean())) / spread)
