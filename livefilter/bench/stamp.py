"""A time written into a picture, so that it can be read again at the far end."""

from __future__ import annotations

import numpy as np

from livefilter.frame import Image

_COLUMNS, _ROWS = 8, 5  # four bytes and their sum, a bit a cell
_SPAN = 1 << 32
_DARK, _BRIGHT = 96.0, 160.0


def stamp_of(seconds: float) -> int:
    """A time as microseconds modulo 2**32."""
    return round(seconds * 1e6) % _SPAN


def draw_stamp(image: Image, stamp: int) -> None:
    """Fill a picture with a stamp as black and white cells, large enough to outlive any style."""
    content = stamp.to_bytes(4, "big")
    bits = np.unpackbits(np.frombuffer(bytes([*content, _sum(content)]), np.uint8)).reshape(_ROWS, _COLUMNS)
    rows, columns = _edges(image.shape[0], _ROWS), _edges(image.shape[1], _COLUMNS)
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            image[rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = 255 * bits[row, column]


def read_stamp(image: Image) -> int | None:
    """The stamp that was drawn; None for any other picture."""
    rows, columns = _edges(image.shape[0], _ROWS), _edges(image.shape[1], _COLUMNS)
    levels = np.empty((_ROWS, _COLUMNS))
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            top, bottom = _middle(rows[row], rows[row + 1])
            left, right = _middle(columns[column], columns[column + 1])
            levels[row, column] = image[top:bottom, left:right].mean()
    if ((levels > _DARK) & (levels < _BRIGHT)).any():
        return None
    content = np.packbits(levels >= _BRIGHT).tobytes()
    return int.from_bytes(content[:4], "big") if _sum(content[:4]) == content[4] else None


def seconds_since(stamp: int, now_s: float) -> float:
    """How long ago a stamp was drawn, when that is less than an hour."""
    return ((stamp_of(now_s) - stamp) % _SPAN) / 1e6


def _sum(content: bytes) -> int:
    # Neither an all black nor an all white picture is a stamp.
    return (sum(content) + 0x5A) % 256


def _edges(length: int, cells: int) -> list[int]:
    return [length * cell // cells for cell in range(cells + 1)]


def _middle(start: int, end: int) -> tuple[int, int]:
    quarter = (end - start) // 4
    return start + quarter, max(end - quarter, start + quarter + 1)
