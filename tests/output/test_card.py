"""The holding card."""

from __future__ import annotations

import numpy as np
import pytest

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.output import lettering
from livefilter.output.card import holding_card

TITLE, DETAIL = "One moment, please", "The camera is coming back"
SIZES = [(16, 16), (17, 31), (160, 120), (640, 360), (641, 359), (360, 640), (1280, 720), (3840, 2160), (1000, 40)]


def lettered(width: int, height: int, title: str, detail: str = "") -> Image:
    """Where letters were drawn: what differs from the card without text; (H, W) bool."""
    with_text, bare = holding_card(width, height, title, detail), holding_card(width, height, "")
    changed: Image = np.any(with_text != bare, axis=2)
    return changed


@pytest.mark.parametrize("size", SIZES)
def test_a_card_has_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    """Any size works, odd, portrait and 4K ones too, in the form that every sink takes."""
    card = holding_card(*size, TITLE, DETAIL)
    assert card.shape == (size[1], size[0], 3)
    assert card.dtype == np.uint8
    assert card.flags.c_contiguous


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (360, 640), (320, 240)])
def test_title_and_detail_are_whole_and_in_the_middle(size: tuple[int, int]) -> None:
    """The text is not cut off at the sides and stands in the middle."""
    ink = lettered(*size, TITLE, DETAIL)
    columns = np.flatnonzero(ink.any(axis=0))
    left, right = columns[0], size[0] - 1 - columns[-1]
    assert min(left, right) > size[0] * 0.02
    assert abs(int(left) - int(right)) <= max(3, size[0] * 0.02)
    assert np.count_nonzero(ink) > np.count_nonzero(lettered(*size, TITLE)) > 0


def test_long_text_is_broken_and_fits() -> None:
    """A long explanation becomes smaller and takes more lines, and stays within the picture."""
    ink = lettered(320, 240, "The camera was unplugged and will be opened again as soon as it is back", "Nothing to do")
    assert ink.any()
    assert not ink[:, :3].any()
    assert not ink[:, -3:].any()


def test_text_that_could_not_be_read_is_left_out() -> None:
    """At 16x16 there is only the sky."""
    assert not lettered(16, 16, TITLE, DETAIL).any()


def test_letters_stand_out_from_the_sky() -> None:
    """The title is light on dark: at least 4.5 to 1, as the guidelines for readable text ask."""
    bare = holding_card(640, 360, "")
    ink = lettered(640, 360, TITLE)
    sky = luminance(bare[ink]).max()
    letters = np.percentile(luminance(holding_card(640, 360, TITLE)[ink]), 90)
    assert (letters + 0.05) / (sky + 0.05) > 4.5


def luminance(pixels: Image) -> Image:
    """Relative luminance of sRGB pixels, 0..1 (WCAG 2)."""
    linear = (pixels.astype(np.float64) / 255) ** 2.2
    result: Image = linear @ np.array([0.0722, 0.7152, 0.2126])
    return result


def test_the_same_card_is_the_same_picture() -> None:
    """Nothing about a card is random, so a still picture costs an encoder nothing."""
    assert np.array_equal(holding_card(320, 240, TITLE, DETAIL), holding_card(320, 240, TITLE, DETAIL))


def test_the_plain_letters_of_opencv_4_do_the_same_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OpenCV has no real font, the text is still drawn, in ASCII, and stays in the picture."""
    monkeypatch.setattr(lettering, "_font_class", None)
    ink = lettered(640, 360, "Größe – “please”…", "日本")
    columns = np.flatnonzero(ink.any(axis=0))
    assert 0 < columns[0] < columns[-1] < 639
    assert lettering._plain("Größe – “é”… 日") == 'Grosse - "e"... ?'


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (-3, 3)])
def test_a_card_without_pixels_is_an_error(size: tuple[int, int]) -> None:
    """A size that is not positive is named."""
    with pytest.raises(InvalidInput, match=rf"{size[0]}x{size[1]}"):
        holding_card(*size, TITLE)
