"""How much of the teacher's change a student captures: what is measured, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.frame import Image
from livefilter.training.data import Pair

Map = npt.NDArray[np.float32]
Draw = Callable[[Image], Image]
Encode = Callable[[Image], Sequence[Map]]

WINDOW = 7
FAINTEST = 4.0  # grey levels of a line map; fainter is no line
_SMALLEST = 1e-6


def psnr(first: Image, second: Image) -> float:
    """Peak signal-to-noise ratio of two pictures of one shape, in decibels."""
    return float(20.0 * np.log10(255.0 / max(_rms(first, second), _SMALLEST)))


def ssim(first: Image, second: Image) -> float:
    """Structural similarity of the brightness of two pictures: 1 for equal ones (Wang et al. 2004, sigma 1.5)."""
    a, b = (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32) for picture in (first, second))
    mean_a, mean_b = _blurred(a), _blurred(b)
    variance_a, variance_b = _blurred(a * a) - mean_a**2, _blurred(b * b) - mean_b**2
    covariance = _blurred(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    likeness = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float(np.mean(likeness / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))))


def line_map(picture: Image) -> Map:
    """Where a picture has thin dark lines, in grey levels below their surroundings (difference of Gaussians).

    Returns: (H, W) float32, positive on dark lines, about zero in flat regions.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), 2.0) - cv2.GaussianBlur(grey, (0, 0), 0.9), dtype=np.float32)


def unevenness(picture: Image) -> Map:
    """The standard deviation in the window of 7x7 around each pixel, over the three colours: 0 where it is flat.

    Returns: (H, W) float32, in grey levels.
    """
    values = picture.astype(np.float32)
    window = (WINDOW, WINDOW)
    variance = cv2.blur(values * values, window) - cv2.blur(values, window) ** 2
    return np.asarray(np.sqrt(np.maximum(variance, 0.0).mean(2)), dtype=np.float32)


def away_from_lines(lines: Map) -> npt.NDArray[np.bool_]:
    """Where no line or border of a line map reaches into the window that `unevenness` looks at."""
    near = cv2.dilate((np.abs(lines) > FAINTEST).astype(np.uint8), np.ones((WINDOW, WINDOW), np.uint8))
    return np.asarray(near == 0)


def measure(pairs: Sequence[Pair], draw: Draw, encode: Encode | None = None) -> dict[str, float]:
    """Compare one student with the teacher, and with the target it was trained toward; see `compare`."""
    return compare(pairs, {"student": lambda pair: draw(pair.photo)}, encode)["student"]


def compare(
    pairs: Sequence[Pair], students: Mapping[str, Callable[[Pair], Image]], encode: Encode | None = None
) -> dict[str, dict[str, float]]:
    """Compare students with the teacher, and with the target they were trained toward.

    A share is 1 - d(student, wanted) / d(photo, wanted), each d averaged over the pairs first, so that a photo which
    the teacher hardly changes does not outweigh the others. 0 is doing nothing, 1 is a perfect copy, below 0 is
    further away than the photo. d is the root mean square difference of

    - pixels;
    - lines: the line maps (difference of Gaussians);
    - flatness: `unevenness`, over the pixels that no line of the wanted picture is near;
    - features: what `encode` gives, each level divided by its root mean square in the wanted picture; without
      `encode` this share is left out.

    The correlation of line maps tells whether the lines are in the wanted places, however dark they are.

    Args:
        pairs: photos with both sides multiples of 8.
        students: by name, what makes a drawing of a pair's photo.
        encode: gives feature maps of one picture, the same shapes for the same picture size.

    Returns: by student, figures by name.
    """
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in students}
    for pair in pairs:
        photo = _View(pair.photo, encode)
        wanted = {"teacher": _View(pair.drawing, encode), "target": _View(pair.target, encode)}
        known = {id(view.picture): view for view in (photo, *wanted.values())}
        for name, draw in students.items():
            picture = draw(pair)
            drawn = known.get(id(picture)) or _View(picture, encode)
            rows[name].append({key: value for goal in wanted for key, value in _row(goal, drawn, photo, wanted[goal])})
    return {name: _summary(found) for name, found in rows.items()}


class _View:
    """What the measures look at of one picture, computed once."""

    def __init__(self, picture: Image, encode: Encode | None) -> None:
        self.picture = picture
        self.lines = line_map(picture)
        self.unevenness = unevenness(picture)
        self.features = encode(picture) if encode else None

    def distances(self, wanted: _View) -> dict[str, float]:
        calm = away_from_lines(wanted.lines)
        found = {
            "pixels": _rms(self.picture, wanted.picture),
            "lines": _rms(self.lines, wanted.lines),
            "flatness": _rms(self.unevenness[calm], wanted.unevenness[calm]) if calm.any() else 0.0,
        }
        if self.features is not None and wanted.features is not None:
            levels = [
                _rms(mine, other) / max(_rms(other, np.zeros_like(other)), _SMALLEST)
                for mine, other in zip(self.features, wanted.features, strict=True)
            ]
            found["features"] = float(np.mean(levels))
        return found


def _row(goal: str, drawn: _View, photo: _View, wanted: _View) -> list[tuple[str, float]]:
    """The figures of one picture; d's are kept apart, for the shares are made of their means."""
    found = []
    for who, view in (("photo", photo), ("student", drawn)):
        found += [(f"d_{who}_{name}_{goal}", value) for name, value in view.distances(wanted).items()]
        found.append((f"psnr_{who}_to_{goal}_db", psnr(view.picture, wanted.picture)))
        found.append((f"ssim_{who}_to_{goal}", ssim(view.picture, wanted.picture)))
        found.append((f"lines_correlation_{who}_{goal}", _correlation(view.lines, wanted.lines)))
    return found


def _summary(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    found: dict[str, float] = {}
    for name, value in means.items():
        if name.startswith("d_photo_"):
            _, _, what, goal = name.split("_")
            share = 1.0 - means[f"d_student_{what}_{goal}"] / max(value, _SMALLEST)
            found[f"share_of_{goal}_{what}"] = share
        elif not name.startswith("d_"):
            found[name] = value
    return {name: round(value, 3) for name, value in found.items()}


def _blurred(values: Map) -> Map:
    return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), dtype=np.float32)


def _rms(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> float:
    return float(np.sqrt(np.mean((first.astype(np.float32) - second.astype(np.float32)) ** 2)))


def _correlation(first: Map, second: Map) -> float:
    spread = max(float(first.std() * second.std()), _SMALLEST)
    return float(np.mean((first - first.mean()) * (second - second.mean())) / spread)
