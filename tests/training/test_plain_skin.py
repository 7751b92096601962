"""Lines that leave the skin of drawn faces, and those that stay."""

from __future__ import annotations

import numpy as np

from livefilter.frame import Image
from livefilter.training.people import Face
from livefilter.training.plain_skin import plain_skinned

SIDE = 100
FACE = Face(50, 50, SIDE)
SKIN = np.zeros((200, 200), np.uint8)
SKIN[60:140, 60:140] = 255


def plain(level: int) -> Image:
    """A picture of one grey."""
    return np.full((200, 200, 3), level, np.uint8)


def lined(level: int) -> Image:
    """With a dark line of 4 pixels down the middle of the face."""
    picture = plain(level)
    picture[:, 98:102] = 20
    return picture


def test_a_line_that_only_the_drawing_has_goes() -> None:
    """On skin; above the face and outside its skin it stays, and nothing else changes."""
    drawing = lined(200)
    result = plain_skinned(drawing, plain(150), SKIN, [FACE])
    assert result[70:130, 98:102].min() > 170
    assert np.array_equal(result[:55], drawing[:55])
    assert np.array_equal(result[:, :90], drawing[:, :90])
    assert np.array_equal(drawing, lined(200))


def test_a_line_of_the_photo_stays() -> None:
    """Glasses and hair, on light skin and on dark."""
    for level in (180, 70):
        result = plain_skinned(lined(200), lined(level), SKIN, [FACE])
        assert result[70:130, 99:101].max() < 60


def test_tones_that_are_wider_than_lines_stay() -> None:
    """The shadow of a cel is no line."""
    drawing = plain(200)
    drawing[:, 80:120] = 120
    result = plain_skinned(drawing, plain(150), SKIN, [FACE])
    assert np.abs(result[:, 85:115].astype(int) - 120).max() <= 1


def test_faces_that_are_too_small_or_beyond_the_edge_are_no_trouble() -> None:
    """They stay as they are, or are worked on as far as they are in the picture."""
    drawing = lined(200)
    assert np.array_equal(plain_skinned(drawing, plain(150), SKIN, [Face(90, 90, 10)]), drawing)
    skin = np.full((200, 200), 255, np.uint8)
    result = plain_skinned(drawing, plain(150), skin, [Face(60, -60, SIDE)])
    assert result[:30, 98:102].min() > 170
