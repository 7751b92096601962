"""Letters on pictures, for the overlay and the holding card."""

from __future__ import annotations

import threading
import unicodedata
from typing import Any

import cv2

from livefilter.frame import Image

Colour = tuple[int, int, int]

# OpenCV 5 brings a real font and draws any script; OpenCV 4 has only the stroke font of plotters, and only ASCII.
# Reached by name, so that one type-check serves both.
_font_class: Any = getattr(cv2, "FontFace", None)
_put_text: Any = cv2.putText
_text_size: Any = cv2.getTextSize
_font: Any = None
# The font keeps a cache of glyphs, and labels are drawn by two threads at once.
_drawing = threading.Lock()


def text_width(text: str, size: float, weight: int = 400) -> int:
    """How far `text` reaches to the right, in pixels.

    size: height of a line in pixels (the em of the font).
    weight: 300 light, 400 regular, 600 semibold, 800 bold.
    """
    with _drawing:
        if _font_class is None:
            return int(_text_size(_plain(text), _STROKES, size / _UNITS_PER_EM, _thickness(size, weight))[0][0])
        # The box leaves out spaces at the end, so a stop ends the text and is taken off again.
        ended, stop = (_text_size((0, 0), line, (0, 0), _face(), round(size), weight)[2] for line in (f"{text}.", "."))
        return int(ended - stop)


def draw_text(image: Image, text: str, left: float, baseline: float, size: float, colour: Colour, weight: int) -> None:
    """Draw `text` into `image`, in place; what lies outside is cut off.

    image: (H, W, 3) uint8 BGR.
    left, baseline, size: pixels. colour: BGR, 0..255. weight: as in `text_width`.
    """
    place = (round(left), round(baseline))
    with _drawing:
        if _font_class is None:
            scale, thickness = size / _UNITS_PER_EM, _thickness(size, weight)
            _put_text(image, _plain(text), place, _STROKES, scale, colour, thickness, cv2.LINE_AA)
        else:
            # Without a range to wrap in, text that leaves the picture would go on in the next line.
            endless = (-(1 << 20), 1 << 20)
            _put_text(image, text, place, colour, _face(), round(size), weight, 0, endless)


def wrap(text: str, size: float, weight: int, max_width: float) -> list[str]:
    """Break `text` between words into lines of at most `max_width` pixels; a longer word stands alone."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, weight) <= max_width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


_STROKES = cv2.FONT_HERSHEY_DUPLEX
_UNITS_PER_EM = 30.0
_SIMPLE = str.maketrans({**dict(zip("–—−‘’“”·•×", "---''\"\"--x", strict=True)), "ß": "ss", "…": "..."})


def _thickness(size: float, weight: int) -> int:
    return max(1, round(size * weight / 7_000))


def _plain(text: str) -> str:
    """`text` in ASCII: accents dropped, dashes and quotes made simple, the rest a question mark."""
    simple = text.translate(_SIMPLE)
    apart = "".join(sign for sign in unicodedata.normalize("NFKD", simple) if not unicodedata.combining(sign))
    return apart.encode("ascii", "replace").decode("ascii")


def _face() -> Any:
    global _font
    if _font is None:
        _font = _font_class("sans")
    return _font
