"""What is drawn over a picture: the help panel and the labels of the split screen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

import cv2
import numpy as np

from livefilter.errors import UnknownName
from livefilter.frame import Image
from livefilter.output.lettering import Colour, draw_text, text_width

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]

_INK: Colour = (250, 246, 244)
_KEY: Colour = (196, 178, 255)
_PANEL: Colour = (38, 24, 26)
_WEIGHT = 500
_COLUMNS = re.compile(r"\t| {2,}")


def draw_help(image: Image, lines: Sequence[str]) -> Image:
    """Draw a panel of text over the middle of the picture.

    image: (H, W, 3) uint8 BGR; only read.
    lines: top to bottom; a tab, or two spaces or more, splits a line into a key, in colour, and what it does. An
        empty line is a gap.
    Returns: a new picture of the same shape. The text is as large as fits, up to a twentieth of the short side.
    """
    drawn = image.copy()
    if not lines:
        return drawn
    height, width = image.shape[:2]
    rows = [_COLUMNS.split(line, maxsplit=1) for line in lines]
    size = max(min(height, width) / 20, 11.0)
    while size > 4 and not _fits(rows, size, width, height):
        size *= 0.94
    keys, panel_width, panel_height = _panel(rows, size)
    left, top = (width - panel_width) / 2, (height - panel_height) / 2
    _plate(drawn, left, top, panel_width, panel_height, size * 0.7, opacity=0.78)
    for index, row in enumerate(rows):
        baseline = top + size * (1.0 + 1.45 * index) + size * 0.95
        if len(row) == 2:
            draw_text(drawn, row[0], left + size, baseline, size, _KEY, 700)
        draw_text(drawn, row[-1], left + size + (keys if len(row) == 2 else 0), baseline, size, _INK, _WEIGHT)
    return drawn


def draw_label(image: Image, text: str, corner: Corner) -> Image:
    """Draw a short label in a corner, such as the name of one half of a split screen.

    image: (H, W, 3) uint8 BGR; only read.
    Returns: a new picture of the same shape.
    Raises: UnknownName: there is no such corner.
    """
    if corner not in get_args(Corner):
        raise UnknownName("corner", corner, get_args(Corner))
    drawn = image.copy()
    height, width = image.shape[:2]
    size = max(min(height, width) / 22, 9.0)
    # A label never takes more than the half of the picture that it names.
    while size > 4 and text_width(text, size, _WEIGHT) + 2.4 * size > width / 2:
        size *= 0.94
    label_width, label_height, margin = text_width(text, size, _WEIGHT) + 1.4 * size, size * 1.7, size * 0.6
    left = margin if corner.endswith("left") else width - margin - label_width
    top = margin if corner.startswith("top") else height - margin - label_height
    _plate(drawn, left, top, label_width, label_height, label_height / 2, opacity=0.62)
    draw_text(drawn, text, left + 0.7 * size, top + 1.18 * size, size, _INK, _WEIGHT)
    return drawn


def _panel(rows: list[list[str]], size: float) -> tuple[float, float, float]:
    """The width of the column of keys, and the width and height of the whole panel."""
    keys = max((text_width(row[0], size, 700) for row in rows if len(row) == 2), default=0.0)
    keys = keys + size if keys else 0.0
    widest = max(text_width(row[-1], size, _WEIGHT) + (keys if len(row) == 2 else 0.0) for row in rows)
    return keys, widest + 2 * size, size * (1.45 * len(rows) + 1.55)


def _fits(rows: list[list[str]], size: float, width: int, height: int) -> bool:
    _, panel_width, panel_height = _panel(rows, size)
    return panel_width <= width * 0.96 and panel_height <= height * 0.96


def _plate(image: Image, left: float, top: float, width: float, height: float, radius: float, opacity: float) -> None:
    """Darken a rounded rectangle of `image`, in place; its edge is smooth on any picture."""
    x0, y0 = max(0, round(left)), max(0, round(top))
    x1, y1 = min(image.shape[1], round(left + width)), min(image.shape[0], round(top + height))
    if x1 <= x0 or y1 <= y0:
        return
    y, x = np.ogrid[y0:y1, x0:x1]
    # Signed distance to the rounded rectangle; half a pixel of ramp smooths the edge.
    right, bottom = left + width, top + height
    dx = np.maximum(np.maximum(left + radius - x - 0.5, x + 0.5 - right + radius), 0.0)
    dy = np.maximum(np.maximum(top + radius - y - 0.5, y + 0.5 - bottom + radius), 0.0)
    cover = np.clip(radius + 0.5 - np.hypot(dx, dy), 0.0, 1.0).astype(np.float32) * opacity
    part = image[y0:y1, x0:x1]
    solid = np.empty_like(part)
    solid[:] = _PANEL
    part[:] = cv2.blendLinear(solid, part, cover, 1.0 - cover)
