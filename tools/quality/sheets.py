"""Contact sheets: photo, teacher, full and lite side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image

_CAPTION = 22
_MARGIN = 4


def write_sheet(path: Path, rows: Sequence[Mapping[str, Image]], tile_width: int, quality: int) -> None:
    """Write one JPEG with a row for each entry of `rows`: pictures of one shape by caption, scaled to one width."""
    sheet = np.vstack([_row(row, tile_width) for row in _even(rows)])
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])


def _even(rows: Sequence[Mapping[str, Image]]) -> list[Mapping[str, Image]]:
    """Rows with the same captions."""
    captions = list(dict.fromkeys(caption for row in rows for caption in row))
    return [
        {caption: row.get(caption, np.zeros_like(next(iter(row.values())))) for caption in captions} for row in rows
    ]


def _row(row: Mapping[str, Image], width: int) -> Image:
    tiles = []
    for caption, picture in row.items():
        height = round(picture.shape[0] * width / picture.shape[1])
        method = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
        tile = cv2.resize(picture, (width, height), interpolation=method)
        tile = cv2.copyMakeBorder(tile, _CAPTION, _MARGIN, 0, _MARGIN, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        cv2.putText(tile, caption, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    return np.asarray(np.hstack(tiles), np.uint8)
