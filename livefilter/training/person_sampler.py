"""Scenes with people, for the network that finds them: crops of photos, put before others and in other colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from livefilter.frame import Image
from livefilter.training.degradation import Degradation, exposure_table

SIDE = 144  # the shorter side of the pictures that the network is to be used on
SHAPES = ((256, SIDE), (192, SIDE), (SIDE, 192), (256, SIDE))  # of crops, in turns, as cameras have them
_NEARER = 1.7  # than as much of a photo as fits into a crop
_DIM, _OFTEN_DIM = (0.2, 0.8), 0.3  # rooms at night
_OFTEN_ELSEWHERE, _OFTEN_SECOND = 0.6, 0.25
_OFTEN_SOFT, _SOFT = 0.5, (1.0, 6.0)  # pixels
_OFTEN_PLACED, _PLACED = 0.6, (0.5, 1.3)  # heights of the picture
# Without these, skin and whatever has its colour is all that a network so small learns.
_OFTEN_TONED, _RICHER, _SHIFT = 0.5, (0.0, 1.5), 12.0
_OFTEN_ALIKE, _AS_ALIKE = 0.4, (0.5, 1.0)


@dataclass(frozen=True)
class Sitter:
    """A photo and where people are in it: (H, W, 3) uint8 BGR and (H, W) uint8, 0 to 255.

    near: somebody sits as close as before a webcam.
    """

    name: str
    photo: Image
    mask: Image
    near: bool = False


class PersonSampler:
    """Draws crops at many scales, degraded as webcams do; many people stand before another photo.

    Half of those photos are out of focus, as what is behind somebody often is; some have the colour of something in the
    person; some people are further away, and some are two.

    Photos of somebody near are drawn twice as often as others.
    """

    def __init__(self, sitters: Sequence[Sitter], batch: int, seed: int = 0) -> None:
        self._batch, self._seed = batch, seed
        self._sitters = [sitter for sitter in sitters for _ in range(1 + sitter.near)]
        self._with_people = [sitter for sitter in self._sitters if sitter.mask.any()]

    def batch(self, step: int) -> tuple[Image, Image]:
        """(N, H, W, 3) and (N, H, W) uint8 of one of SHAPES; they depend on the seed and the step alone."""
        random = np.random.default_rng((self._seed, step))
        shape = SHAPES[step % len(SHAPES)]
        seen, wanted = [], []
        for _ in range(self._batch):
            photo, mask = self._scene(shape, random)
            light = random.uniform(*_DIM) if random.random() < _OFTEN_DIM else 1.0
            photo = np.asarray(cv2.LUT(photo, np.rint(exposure_table(random) * light).astype(np.uint8)), np.uint8)
            seen.append(Degradation.drawn(random).of(photo, random))
            wanted.append(mask)
        return np.stack(seen), np.stack(wanted)

    def _scene(self, shape: tuple[int, int], random: np.random.Generator) -> tuple[Image, Image]:
        photo, mask = _crop(self._sitters[int(random.integers(len(self._sitters)))], shape, random)
        if random.random() < _OFTEN_ELSEWHERE and self._with_people:
            if random.random() < _OFTEN_SOFT and not mask.any():
                photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), random.uniform(*_SOFT)), np.uint8)
            for _ in range(1 + (random.random() < _OFTEN_SECOND)):
                photo, mask = self._before(photo, mask, random)
        return toned(photo, random), mask

    def _before(self, behind: Image, others: Image, random: np.random.Generator) -> tuple[Image, Image]:
        """Somebody before a scene."""
        sitter, shape = self._with_people[int(random.integers(len(self._with_people)))], others.shape[::-1]
        photo, mask = (placed if random.random() < _OFTEN_PLACED else _crop)(sitter, shape, random)
        behind = np.asarray(cv2.LUT(toned(behind, random), exposure_table(random)), np.uint8)
        if random.random() < _OFTEN_ALIKE:
            behind = alike(behind, photo, mask, random)
        share = mask[..., None] / 255.0
        photo = np.asarray(np.rint(toned(photo, random) * share + behind * (1.0 - share)), np.uint8)
        return photo, np.maximum(mask, others)


def toned(photo: Image, random: np.random.Generator) -> Image:
    """The photo, or one in other colours and as light."""
    if random.random() >= _OFTEN_TONED:
        return photo
    levels = np.arange(256)
    richer, shift = random.uniform(*_RICHER), random.normal(0.0, _SHIFT, 2)
    tables = [levels, *(128 + (levels - 128) * richer + each for each in shift)]
    table = np.rint(np.clip(np.stack(tables, 1), 0, 255)).astype(np.uint8)[None]
    luma = cv2.LUT(cv2.cvtColor(photo, cv2.COLOR_BGR2YCrCb), table)
    return np.asarray(cv2.cvtColor(luma, cv2.COLOR_YCrCb2BGR), np.uint8)


def alike(behind: Image, photo: Image, mask: Image, random: np.random.Generator) -> Image:
    """What is behind, on the whole in the colour of one spot of the person."""
    rows, columns = np.nonzero(mask > 200)
    if not len(rows):
        return behind
    at = int(random.integers(len(rows)))
    spot = photo[max(0, rows[at] - 4) : rows[at] + 5, max(0, columns[at] - 4) : columns[at] + 5]
    shift = (spot.mean((0, 1)) - behind.mean((0, 1))) * random.uniform(*_AS_ALIKE)
    return np.asarray(np.rint(np.clip(behind + shift, 0, 255)), np.uint8)


def placed(sitter: Sitter, shape: tuple[int, int], random: np.random.Generator) -> tuple[Image, Image]:
    """The whole of a photo in a picture of (width, height) = shape, smaller or larger than that, down at its lower
    side, with nothing around; where one side cuts somebody off, at that side of the picture."""
    (height, width), factor = sitter.mask.shape, shape[1] / sitter.mask.shape[0] * random.uniform(*_PLACED)
    spare = shape[0] - width * factor
    at_left, at_right = bool((sitter.mask[:, 0] > 127).any()), bool((sitter.mask[:, -1] > 127).any())
    left = random.uniform(min(0.0, spare), max(0.0, spare))
    if at_left != at_right:
        left = 0.0 if at_left else spare
    top = max(0.0, shape[1] - height * factor)
    small = max(1, round(width * factor)), max(1, round(height * factor))
    found = []
    for each in (sitter.photo, sitter.mask):
        scaled = np.asarray(cv2.resize(each, small, interpolation=cv2.INTER_AREA), np.uint8)
        found.append(cv2.warpAffine(scaled, np.array([[1.0, 0.0, round(left)], [0.0, 1.0, round(top)]]), shape))
    return _turned(np.asarray(found[0], np.uint8), np.asarray(found[1], np.uint8), random)


def _crop(sitter: Sitter, shape: tuple[int, int], random: np.random.Generator) -> tuple[Image, Image]:
    """A part of a photo, (width, height) = shape, as large as it goes or nearer."""
    height, width = sitter.mask.shape
    factor = max(shape[0] / width, shape[1] / height) * _NEARER ** random.random()
    size = max(shape[0], round(width * factor)), max(shape[1], round(height * factor))
    pictures = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (sitter.photo, sitter.mask)]
    left, top = random.integers(size[0] - shape[0] + 1), random.integers(size[1] - shape[1] + 1)
    cut = [picture[top : top + shape[1], left : left + shape[0]] for picture in pictures]
    return _turned(np.asarray(cut[0], np.uint8), np.asarray(cut[1], np.uint8), random)


def _turned(photo: Image, mask: Image, random: np.random.Generator) -> tuple[Image, Image]:
    """Left and right exchanged, half of the time."""
    if random.random() < 0.5:
        photo, mask = photo[:, ::-1], mask[:, ::-1]
    return np.ascontiguousarray(photo), np.ascontiguousarray(mask)
