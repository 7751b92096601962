"""Crops of photos, of anime and of smoothed anime, dealt in an order that only the seed decides."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from livefilter.frame import Image
from livefilter.training.animegan.pictures import Floats, as_grey_planes, as_planes, shorter_side
from livefilter.training.artist import read_picture

_AHEAD = 3


class Batch(NamedTuple):
    """What one step sees: (N, 3, crop, crop) float32 RGB in [-1, 1] each; grey and smooth have three equal planes."""

    photo: Floats
    anime: Floats
    grey: Floats
    smooth: Floats


class Deck:
    """Pictures shuffled again after each pass; `deal` depends on nothing but the seed, the stream and the index."""

    def __init__(self, files: Sequence[Path], crop: int, seed: int, stream: int) -> None:
        self._files, self._crop, self._key = list(files), crop, (seed, stream)
        self._order = functools.lru_cache(maxsize=2)(self._shuffled)

    def deal(self, index: int) -> Image:
        """The crop at a place of the endless row: scaled so that the shorter side fits, cut anywhere, maybe flipped.

        Raises: InvalidInput: the picture cannot be read.
        """
        passes, place = divmod(index, len(self._files))
        random = np.random.default_rng((*self._key, 1, index))
        picture = shorter_side(read_picture(self._files[self._order(passes)[place]]), self._crop)
        top, left = (int(random.integers(side - self._crop + 1)) for side in picture.shape[:2])
        cut = picture[top : top + self._crop, left : left + self._crop]
        return np.ascontiguousarray(cut[:, ::-1] if random.random() < 0.5 else cut)

    def _shuffled(self, passes: int) -> list[int]:
        return np.random.default_rng((*self._key, 0, passes)).permutation(len(self._files)).tolist()


@dataclass(frozen=True)
class Decks:
    """The three decks, and how many crops of each a step takes."""

    photo: Deck
    anime: Deck
    smooth: Deck
    batch: int

    def stream(self, start: int, stop: int, first: int, last: int, workers: int = 4) -> Iterator[Batch]:
        """Rows `first` to `last` - 1 of the batches of steps `start` to `stop` - 1, read ahead by threads.

        How the rows are shared out over processes changes none of them.
        """
        with ThreadPoolExecutor(workers, thread_name_prefix="pictures") as pool:
            waiting = deque(
                [pool.submit(self._row, step * self.batch + row) for row in range(first, last)]
                for step in range(start, min(start + _AHEAD, stop))
            )
            try:
                for step in range(start, stop):
                    made = _stacked([row.result() for row in waiting.popleft()])
                    if step + _AHEAD < stop:
                        rows = range((step + _AHEAD) * self.batch + first, (step + _AHEAD) * self.batch + last)
                        waiting.append([pool.submit(self._row, row) for row in rows])
                    yield made
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _row(self, index: int) -> Batch:
        anime = self.anime.deal(index)
        return Batch(
            as_planes(self.photo.deal(index)),
            as_planes(anime),
            as_grey_planes(anime),
            as_grey_planes(self.smooth.deal(index)),
        )


def _stacked(rows: Sequence[Batch]) -> Batch:
    return Batch(*(np.stack(pictures) for pictures in zip(*rows, strict=True)))
