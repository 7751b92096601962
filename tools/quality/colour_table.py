"""The best that can be done without looking at shapes: one colour table for a whole style."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from livefilter.frame import Image

Floats = npt.NDArray[np.float64]

SIDE = 17
_BIN = 4  # levels; pixels of one bin are averaged, which loses nothing that a table of 17 could keep
_BINS = 256 // _BIN
_SMOOTHNESS = 0.02
_STEPS = 300


class ColourTable:
    """A 3-D look-up table of 17x17x17 colours, trilinear in between, fitted to pictures by least squares.

    Cells that the pictures say little about lean on their neighbours: the squared second differences of the change
    of colour are kept small as well.
    """

    def __init__(self, pictures: Iterable[tuple[Image, Image]]) -> None:
        """Fit to (before, after) pictures of one shape each, (H, W, 3) uint8 BGR."""
        before, change, weight = _binned(pictures)
        corners, shares = _corners(before)
        self._table = _solve(corners, shares, change, weight / weight.mean())

    def __call__(self, picture: Image) -> Image:
        """Recolour one (H, W, 3) uint8 BGR picture."""
        pixels = picture.reshape(-1, 3).astype(np.float64)
        corners, shares = _corners(pixels)
        changed = pixels + _looked_up(self._table, corners, shares)
        return np.asarray(np.rint(np.clip(changed, 0.0, 255.0)), np.uint8).reshape(picture.shape)


def _binned(pictures: Iterable[tuple[Image, Image]]) -> tuple[Floats, Floats, Floats]:
    """Mean colour, mean change and count of the pixels in each occupied bin of colour."""
    sums = np.zeros((_BINS**3, 7))
    for before, after in pictures:
        seen, wanted = (picture.reshape(-1, 3).astype(np.float64) for picture in (before, after))
        index = ((seen // _BIN) @ np.array([_BINS**2, _BINS, 1])).astype(np.int64)
        for column, values in enumerate([*seen.T, *(wanted - seen).T, np.ones(len(seen))]):
            sums[:, column] += np.bincount(index, values, _BINS**3)
    sums = sums[sums[:, 6] > 0]
    count = sums[:, 6]
    return sums[:, :3] / count[:, None], sums[:, 3:6] / count[:, None], count


def _corners(colours: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """The eight table entries around each colour and their trilinear shares: (8, N) each."""
    place = colours * ((SIDE - 1) / 255.0)
    low = np.minimum(place.astype(np.int64), SIDE - 2)
    part = place - low
    corners, shares = [], []
    for corner in np.ndindex(2, 2, 2):
        corners.append((low + corner) @ np.array([SIDE**2, SIDE, 1]))
        shares.append(np.prod(np.where(corner, part, 1.0 - part), axis=1))
    return np.stack(corners), np.stack(shares)


def _looked_up(table: Floats, corners: npt.NDArray[np.int64], shares: Floats) -> Floats:
    found = np.zeros((corners.shape[1], 3))
    for corner, share in zip(corners, shares, strict=True):
        found += table[corner] * share[:, None]
    return found


def _solve(corners: npt.NDArray[np.int64], shares: Floats, change: Floats, weight: Floats) -> Floats:
    """Minimise the weighted squared error plus the roughness, by conjugate gradients on the normal equations."""

    def gathered(values: Floats) -> Floats:
        total = np.zeros((SIDE**3, 3))
        for corner, share in zip(corners, shares, strict=True):
            for channel in range(3):
                total[:, channel] += np.bincount(corner, share * values[:, channel], SIDE**3)
        return total

    strength = _SMOOTHNESS * len(weight) / SIDE**3

    def normal(table: Floats) -> Floats:
        fit = gathered(weight[:, None] * _looked_up(table, corners, shares))
        return fit + strength * _roughness_gradient(table)

    table = np.zeros((SIDE**3, 3))
    residual = gathered(weight[:, None] * change)
    direction, size = residual.copy(), float(np.sum(residual**2))
    enough = 1e-10 * size
    for _ in range(_STEPS):
        if size <= enough:
            break
        bent = normal(direction)
        step = size / float(np.sum(direction * bent))
        table += step * direction
        residual -= step * bent
        size, before = float(np.sum(residual**2)), size
        direction = residual + direction * (size / before)
    return table


def _roughness_gradient(table: Floats) -> Floats:
    """Half the gradient of the summed squares of all second differences along the three axes."""
    cube = table.reshape(SIDE, SIDE, SIDE, 3)
    total = np.zeros_like(cube)
    for axis in range(3):
        along = np.moveaxis(cube, axis, 0)
        bend = along[:-2] - 2 * along[1:-1] + along[2:]
        into = np.moveaxis(total, axis, 0)
        into[:-2] += bend
        into[1:-1] -= 2 * bend
        into[2:] += bend
    return total.reshape(-1, 3)
