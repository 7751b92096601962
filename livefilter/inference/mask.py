"""Where people are: a network's coarse mask, refined by the picture, and pictures put together by it.

A picture is cut into tiles. Only those that an edge of a person goes through are calculated, the others are copied:
nine tenths of a picture.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.frame import Image

Floats = NDArray[np.float32]

# The mask is bent on a grid of about so many cells on the shorter side; finer costs time and tells nothing that the
# picture does not. A tile is two cells wide.
_CELLS = 90
_RADIUS, _EPSILON = 2, 0.001
# Cells from whatever is in doubt; beyond them brightness has no say, or a shirt as bright as the wall would have holes.
_DOUBT = np.ones((5, 5), np.uint8)
# Where a mask begins and ends: a network is never quite sure, and what is nearly nobody is nobody. Once before it is
# bent, so that walls are flat, and once after it.
_SURE = 0.06
_NOBODY, _SOMEBODY = 0.25, 0.75
_SURELY = np.clip((np.arange(256) - 255 * _SURE) / (1 - 2 * _SURE), 0, 255).round().astype(np.uint8)
# A person that fills less than this share of the picture is none; what is so small may as well be noise.
_LEAST = 0.002
# As much of the picture may be missing inside a person, or be taken for one beside them, and is put right.
_SPECK = 0.005
_REACH = np.ones((3, 3), np.uint8)
_WINDOW = np.arange(4)
_AT_A_TIME = 32


def reduced(image: Image, side: int) -> Image:
    """A small copy with a shorter side of `side` pixels at most, each the mean of what it stands for; or `image`.

    image: (H, W, 3) or (H, W) uint8.
    """
    height, width = image.shape[:2]
    scale = min(1.0, side / min(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        # Halving is what OpenCV does fast; all at once would take four times as long.
        half = image.shape[1] // 2, image.shape[0] // 2
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def nobody(coarse: Image) -> bool:
    """Whether a mask shows no person."""
    return bool(np.count_nonzero(coarse > 127) < _LEAST * coarse.size)


def tidied(coarse: Image) -> Image:
    """The mask without specks of nobody inside a person and of somebody elsewhere; itself where there are none."""
    least, tidy = _SPECK * coarse.size, coarse
    for inside in (True, False):
        level = cv2.THRESH_BINARY_INV if inside else cv2.THRESH_BINARY
        _, there = cv2.threshold(coarse, 127, 1, level)
        count, labels = cv2.connectedComponents(there, connectivity=4)
        small = np.bincount(labels.ravel(), minlength=count) < least
        small[0] = False  # all else
        if inside:  # what reaches a side of the picture may be the room
            small[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = False
        if count > 1 and small.any():
            specks = np.asarray(cv2.dilate(small[labels].astype(np.uint8), _REACH, iterations=2))
            # What lies around a speck is in doubt, too, but not another person or the room.
            large = there.astype(bool) & ~small[labels]
            tidy = np.where((specks > 0) & ~large, np.uint8(255 if inside else 0), tidy)
    return np.asarray(tidy, np.uint8)


class Mask:
    """The mask at a picture's full size, with edges where the picture has them.

    Locally it is a straight line over brightness: He and Sun, Fast Guided Filter, 2015.

    coarse: (h, w) uint8, 255 where a person is. image: (H, W, 3) uint8 BGR, what it was found in. small: a small copy
        of `image` (`reduced`), if there is one anyway.
    """

    def __init__(self, coarse: Image, image: Image, small: Image | None = None) -> None:
        self._height, self._width = image.shape[:2]
        self._cell = _cell(self._width, self._height)
        self._tile = 2 * self._cell
        self._rows, self._columns = -(-self._height // self._tile), -(-self._width // self._tile)
        slope, offset = self._lines(coarse, reduced(image, 2 * _CELLS) if small is None else small)
        # Of all that the line can come to in a tile, whatever its brightness, the highest and the lowest value. What is
        # drawn between two cells lies between theirs, so the next cell counts.
        high: Any = cv2.dilate(np.maximum(offset, offset + 255 * slope), _REACH)
        low: Any = cv2.erode(np.minimum(offset, offset + 255 * slope), _REACH)
        inside = _of_four(np.minimum, low) >= 255
        self._edges = np.nonzero((_of_four(np.maximum, high) > 0) & ~inside)
        lines, grey = self._around(slope, offset), self._grey(image)
        # Most of the tiles that might have had an edge have none: first by the brightness that there is in them, then
        # by what the line comes to.
        ends: Any = [lines[1] + lines[0] * grey.min(1, initial=255)[:, None]]
        ends.append(lines[1] + lines[0] * grey.max(1, initial=0)[:, None])
        least, most = np.minimum(*ends).min(1, initial=255), np.maximum(*ends).max(1, initial=0)
        near = self._keep(inside, least >= 255, most <= 0)
        shares = self._values(lines[:, near], grey[near])
        kept = self._keep(inside, shares.min(1, initial=255) == 255, shares.max(1, initial=0) == 0)
        self._shares = shares[kept].reshape(-1, self._tile, self._tile)
        self._runs = _runs(inside, self._tile)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of all that is not 0, in pixels, as exact as tiles are; 0 where nothing is."""
        rows, columns = self._edges
        ends = [
            (x * self._tile, y * self._tile, (x + 1) * self._tile, (y + 1) * self._tile)
            for y, x in zip(rows, columns, strict=True)
        ]
        ends += [(across.start, down.start, across.stop, down.stop) for down, across in self._runs]
        if not ends:
            return 0, 0, 0, 0
        left, top, right, bottom = zip(*ends, strict=True)
        return min(left), min(top), min(max(right), self._width), min(max(bottom), self._height)

    def room(self, width: int, height: int) -> Floats:
        """How much of each pixel of a small copy is room, and no edge of a person either: (height, width), 0 to 1."""
        person = cv2.dilate(cv2.resize(self._sure, (width, height), interpolation=cv2.INTER_LINEAR), _DOUBT)
        return np.float32(1) - np.asarray(person, np.float32) / np.float32(255)

    def whole(self) -> Image:
        """(H, W) uint8, 255 where the person is."""
        mask = np.zeros((self._rows * self._tile, self._columns * self._tile), np.uint8)
        for run in self._runs:
            mask[run] = 255
        self._put(mask, self._shares)
        return np.ascontiguousarray(mask[: self._height, : self._width])

    def together(self, person: Image, room: Image, *, over: bool = False) -> Image:
        """Two pictures as one, (H, W, 3) uint8 BGR as they are; a new array.

        over: the room's may be painted over, and be what is returned.
        """
        person, filled = self._filled(person), self._filled(room)
        image = room = filled if over else filled.copy()
        for run in self._runs:
            image[run] = person[run]
        if self._shares.size:
            share = self._shares.reshape(len(self._shares), -1).astype(np.float32)
            inner, outer = (self._cut(picture).reshape(*share.shape, 3) for picture in (person, room))
            self._put(image, np.asarray(cv2.blendLinear(inner, outer, share, 255 - share), np.uint8))
        return self._cropped(image)

    def cut_out(self, person: Image) -> Image:
        """The person alone: (H, W, 4) uint8 BGRA, straight alpha, black where nobody is; a new array."""
        # What is cut away may not stay below a transparent pixel, where an editor would find it.
        person = self._filled(person)
        image = np.zeros((*person.shape[:2], 4), np.uint8)
        for run in self._runs:
            image[run] = cv2.cvtColor(person[run], cv2.COLOR_BGR2BGRA)
        if self._shares.size:
            share = self._shares.reshape(-1, self._tile)
            edge = np.asarray(cv2.cvtColor(self._cut(person).reshape(*share.shape, 3), cv2.COLOR_BGR2BGRA), np.uint8)
            edge[..., 3] = share
            edge[share == 0] = 0
            self._put(image, edge)
        return self._cropped(image)

    def _lines(self, coarse: Image, small: Image) -> tuple[Floats, Floats]:
        """Slope and offset of the mask over brightness, both from 0 to 255, a value for each cell."""
        guide: Any = self._on_grid(np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8))
        self._sure = np.asarray(cv2.LUT(tidied(reduced(coarse, 2 * _CELLS)), _SURELY), np.uint8)
        mask: Any = self._on_grid(self._sure)
        box = (2 * _RADIUS + 1, 2 * _RADIUS + 1)
        mean_guide: Any = cv2.blur(guide, box)
        mean_mask: Any = cv2.blur(mask, box)
        variance: Any = cv2.blur(guide * guide, box) - mean_guide * mean_guide
        slope: Any = (cv2.blur(guide * mask, box) - mean_guide * mean_mask) / (variance + _EPSILON)
        offset: Any = cv2.blur(mean_mask - slope * mean_guide, box)
        gain = 1 / (_SOMEBODY - _NOBODY)
        slope = cv2.blur(slope, box) * np.float32(gain)
        offset = (offset - np.float32(_NOBODY)) * np.float32(255 * gain)
        inside = np.asarray(cv2.erode(mask, _DOUBT)) >= 1.0
        clear = inside | (np.asarray(cv2.dilate(mask, _DOUBT)) <= 0.0)
        slope[clear] = 0.0
        offset[clear] = np.where(inside[clear], np.float32(255), np.float32(0))
        return slope, offset

    def _on_grid(self, plane: Image) -> Floats:
        """(h, w) uint8, a plane of the whole picture, as a value from 0 to 1 for each cell."""
        across = self._cell * plane.shape[1] / self._width
        down = self._cell * plane.shape[0] / self._height
        place = np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = 2 * self._columns, 2 * self._rows
        cells: Any = cv2.warpAffine(plane, place, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cells.astype(np.float32) * np.float32(1 / 255))

    def _keep(self, inside: Any, full: Any, empty: Any) -> NDArray[np.bool_]:
        """Note which of the tiles with an edge have none; those that have."""
        rows, columns = self._edges
        inside[rows[full], columns[full]] = True
        kept: NDArray[np.bool_] = ~(full | empty)
        self._edges = rows[kept], columns[kept]
        return kept

    def _around(self, slope: Floats, offset: Floats) -> Floats:
        """Both, in each tile that may have an edge and a cell around it: (2, tiles, 16)."""
        rows, columns = self._edges
        at = (2 * rows)[:, None, None] + _WINDOW[:, None], (2 * columns)[:, None, None] + _WINDOW
        planes = [cv2.copyMakeBorder(plane, 1, 1, 1, 1, cv2.BORDER_REPLICATE)[at] for plane in (slope, offset)]
        return np.stack(planes).reshape(2, -1, 16)

    def _grey(self, image: Image) -> Image:
        """The brightness of the tiles that may have an edge: (tiles, tile * tile) uint8."""
        tiles = self._cut(self._filled(image)).reshape(-1, self._tile**2, 3)
        return np.asarray(cv2.cvtColor(tiles, cv2.COLOR_BGR2GRAY), np.uint8) if tiles.size else tiles[..., 0]

    def _values(self, lines: Floats, grey: Image) -> Image:
        """The mask in these tiles: (tiles, tile * tile) uint8."""
        count = len(grey)
        if not count:
            return grey
        # Few rows at a time, or numpy's threads join in, and go on spinning for milliseconds: an engine's second thread
        # has to wait.
        cells = np.zeros((-(-2 * count // _AT_A_TIME) * _AT_A_TIME, 16), np.float32)
        cells[: 2 * count] = lines.reshape(-1, 16)
        drawn = (cells.reshape(-1, _AT_A_TIME, 16) @ _between(self._cell)).reshape(len(cells), -1)
        steep: Any = cv2.multiply(drawn[:count], grey, dtype=cv2.CV_32F)
        # This cuts off below 0 and above 255.
        return np.asarray(cv2.add(steep, drawn[count : 2 * count], dtype=cv2.CV_8U), np.uint8)

    def _tiles(self, image: Image) -> Image:
        """A view: (rows, columns, tile, tile, ...)."""
        shape = self._rows, self._tile, self._columns, self._tile, *image.shape[2:]
        return image.reshape(shape).swapaxes(1, 2)

    def _cut(self, image: Image) -> Image:
        """The tiles with an edge, in a new array."""
        return self._tiles(image)[self._edges]

    def _put(self, image: Image, tiles: Image) -> None:
        self._tiles(image)[self._edges] = tiles.reshape(-1, self._tile, self._tile, *image.shape[2:])

    def _filled(self, image: Image) -> Image:
        """The picture filled up to whole tiles; itself where it is that."""
        right, bottom = self._columns * self._tile - self._width, self._rows * self._tile - self._height
        if image.shape[:2] != (self._height, self._width):
            raise ValueError(f"a picture of {image.shape[:2]} does not fit the mask of {(self._height, self._width)}")
        if not right and not bottom:
            return image if image.flags.c_contiguous else np.ascontiguousarray(image)
        return np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)

    def _cropped(self, image: Image) -> Image:
        return np.ascontiguousarray(image[: self._height, : self._width])


@lru_cache(maxsize=16)
def _cell(width: int, height: int) -> int:
    """Pixels on a side of a cell: one of which tiles fill the picture without a rest, if there is one near."""
    wanted = min(width, height) / _CELLS
    near = range(max(2, math.ceil(0.6 * wanted)), max(2, int(1.5 * wanted)) + 1)
    whole = [cell for cell in near if width % (2 * cell) == 0 and height % (2 * cell) == 0]
    return min(whole, key=lambda cell: abs(cell - wanted), default=max(2, round(wanted)))


@lru_cache(maxsize=4)
def _between(cell: int) -> Floats:
    """Bilinear interpolation of a tile's 4x4 cells, the outer ones its neighbours', as a matrix (16, tile * tile)."""
    place = (np.arange(2 * cell) + 0.5) / cell + 0.5
    weights = np.maximum(0.0, 1.0 - np.abs(place[:, None] - _WINDOW))
    both = np.asarray(np.einsum("ya,xb->abyx", weights, weights), np.float32)
    return both.reshape(16, -1)


def _of_four(choose: Any, cells: Floats) -> Any:
    """The one of a tile's four cells that is chosen."""
    return choose(choose(cells[::2, ::2], cells[::2, 1::2]), choose(cells[1::2, ::2], cells[1::2, 1::2]))


def _runs(inside: NDArray[np.bool_], tile: int) -> list[tuple[slice, slice]]:
    """The pixels of tiles that are side by side within, a run for each."""
    _rows, _columns = inside.shape
    steps = np.diff(np.pad(inside, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, first = np.nonzero(steps == 1)
    last = np.nonzero(steps == -1)[1]
    return [
        (slice(int(y) * tile, (int(y) + 1) * tile), slice(int(a) * tile, int(b) * tile))
        for y, a, b in zip(row, first, last, strict=True)
    ]
