"""The picture that viewers see while there is nothing styled to show."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.output.lettering import Colour, draw_text, text_width, wrap

_TITLE: Colour = (252, 247, 246)
_DETAIL: Colour = (214, 190, 190)
# The landscape is soft: above this many pixels it is drawn smaller and enlarged, so that 4K does not take a second.
_DRAWN_AT = 1280
# Dusk, from the zenith to the horizon, BGR.
_SKY = ((52, 22, 24), (84, 36, 46), (124, 72, 104), (150, 128, 196))


def holding_card(width: int, height: int, title: str, detail: str = "") -> Image:
    """Draw a calm evening sky with a line or two of text; it shows nobody and names nothing.

    width, height: pixels, 16 or more for any text to be readable; it is left out where it cannot be.
    title: such as "One moment, please". detail: a smaller line, such as "The camera is coming back".
    Returns: (height, width, 3) uint8 BGR, the same for the same arguments.
    Raises: InvalidInput: the size is not positive.
    """
    if width < 1 or height < 1:
        raise InvalidInput(f"A holding card of {width}x{height} cannot be drawn: it has no pixels. Use 16x16 or more.")
    card = _sky(width, height)
    _write(card, title, detail)
    return card


def _sky(width: int, height: int) -> Image:
    scale = min(1.0, _DRAWN_AT / max(width, height))
    sky = _landscape(max(1, round(width * scale)), max(1, round(height * scale)))
    if scale < 1.0:
        sky = cv2.resize(sky, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32, copy=False)
    # A gradient this soft shows steps in 8 bits; half a level of noise hides them.
    sky += np.random.default_rng(0).random((height, width, 1), dtype=np.float32)
    return np.clip(sky, 0, 255, out=sky).astype(np.uint8)


def _landscape(width: int, height: int) -> NDArray[np.float32]:
    """The sky, the moon and three lines of hills; (height, width, 3) float32 BGR, 0..255."""
    y = np.linspace(0.0, 1.0, height, dtype=np.float32)
    stops = np.linspace(0.0, 1.0, len(_SKY))
    column = np.stack([np.interp(y, stops, [colour[c] for colour in _SKY]) for c in range(3)], axis=1)
    sky = np.repeat(column.astype(np.float32)[:, None], width, axis=1)
    unit = min(width, height)
    _disc(sky, width / 2, height * 0.30, unit * 0.13, np.array([178, 206, 252], np.float32))
    for level, (base, swell, colour) in enumerate(
        [(0.78, 0.035, (132, 84, 128)), (0.85, 0.03, (98, 52, 84)), (0.92, 0.025, (64, 30, 50))]
    ):
        _hills(sky, base, swell, level, np.array(colour, np.float32))
    return sky


def _disc(sky: NDArray[np.float32], x: float, y: float, radius: float, colour: NDArray[np.float32]) -> None:
    """A moon with a glow around it."""
    height, width = sky.shape[:2]
    rows, columns = np.ogrid[0:height, 0:width]
    far = np.hypot((columns + 0.5 - x).astype(np.float32), (rows + 0.5 - y).astype(np.float32))
    glow = 0.34 * np.exp(-np.maximum(far - radius, 0.0) / (radius * 1.6))
    cover = np.maximum(glow, np.clip(radius + 0.5 - far, 0.0, 1.0) * 0.92)[..., None].astype(np.float32)
    sky += (colour - sky) * cover


def _hills(sky: NDArray[np.float32], base: float, swell: float, level: int, colour: NDArray[np.float32]) -> None:
    """One line of hills from `base` (a part of the height) downwards."""
    height, width = sky.shape[:2]
    x = np.linspace(0.0, 1.0, width, dtype=np.float32) * max(1.0, width / height)
    wave = np.sin(x * 3.1 + level * 2.3) + 0.45 * np.sin(x * 7.3 + level * 1.1 + 0.6)
    ridge = (base + swell * wave) * height
    rows = np.arange(height, dtype=np.float32)[:, None]
    cover = np.clip(rows + 1.0 - ridge, 0.0, 1.0)[..., None]
    sky += (colour - sky) * cover


def _write(card: Image, title: str, detail: str) -> None:
    height, width = card.shape[:2]
    size = max(min(height / 11, width / 13), 8.0)
    while True:
        heads = wrap(title, size, 600, width * 0.88)
        tails = wrap(detail, size * 0.52, 400, width * 0.88)
        widest = max(
            [text_width(line, size, 600) for line in heads] + [text_width(line, size * 0.52, 400) for line in tails],
            default=0,
        )
        tall = size * (1.2 * len(heads) + 0.75 * len(tails) + (0.2 if tails else 0.0))
        if widest <= width * 0.94 and tall <= height * 0.34:
            break
        size *= 0.93
        if size < 7:
            return
    if size * 0.52 < 7:
        tails = []
    top = height * 0.61 - size * (1.2 * len(heads) + 0.75 * len(tails)) / 2
    for line in heads:
        draw_text(card, line, (width - text_width(line, size, 600)) / 2, top + size * 0.9, size, _TITLE, 600)
        top += size * 1.2
    for line in tails:
        left = (width - text_width(line, size * 0.52, 400)) / 2
        draw_text(card, line, left, top + size * 0.62, size * 0.52, _DETAIL, 400)
        top += size * 0.75
