"""What is drawn over a picture."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from livefilter.errors import UnknownName
from livefilter.frame import Image
from livefilter.output import lettering
from livefilter.output.screen.overlay import Corner, draw_help, draw_label
from tests.conftest import picture

LINES = ["livefilter", "", "1-9\tstyle", "[ / ]\tstrength of the style", "space\tfreeze", "q\tquit"]
SIZES = [(16, 16), (33, 90), (160, 120), (640, 360), (360, 640), (1280, 720), (3840, 2160)]


@pytest.mark.parametrize("size", SIZES)
def test_drawing_gives_a_new_picture_of_the_same_size(size: tuple[int, int]) -> None:
    """Frames are shared, so the one that comes in is never written to."""
    image = picture(*size)
    image.flags.writeable = False
    for drawn in (draw_help(image, LINES), draw_label(image, "Hayao", "top-left")):
        assert drawn.shape == image.shape
        assert drawn.dtype == np.uint8
        assert np.any(drawn != image)
    assert np.array_equal(image, picture(*size))


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_letters_can_be_read_on_any_picture(shade: int) -> None:
    """On black, grey and white there are light letters beside a much darker ground."""
    image = np.full((360, 640, 3), shade, np.uint8)
    for drawn in (draw_help(image, LINES)[160:200, 220:420], draw_label(image, "Hayao", "top-left")[12:38, 12:60]):
        grey = drawn.mean(axis=2)
        assert grey.max() > 200
        assert np.percentile(grey, 20) < 130


@pytest.mark.parametrize("size", [(320, 240), (640, 360), (360, 640), (1920, 1080)])
def test_help_is_in_the_middle_and_grows_with_the_picture(size: tuple[int, int]) -> None:
    """The panel keeps its share of the picture and leaves every edge free."""
    image = np.full((size[1], size[0], 3), 255, np.uint8)
    rows, columns = np.nonzero(np.any(draw_help(image, LINES) != image, axis=2))
    for low, high, length in ((columns.min(), columns.max(), size[0]), (rows.min(), rows.max(), size[1])):
        assert low > 0
        assert high < length - 1
        assert abs(int(low) - (length - 1 - int(high))) <= 2
    assert (columns.max() - columns.min()) > 0.35 * min(size)


def test_a_tab_or_a_gap_splits_a_key_from_its_meaning() -> None:
    """Help that is aligned by spaces for a terminal gets real columns, and its keys their colour."""
    image = np.zeros((360, 640, 3), np.uint8)
    aligned = draw_help(image, ["n     next style", "space  freeze"])
    assert np.array_equal(aligned, draw_help(image, ["n\tnext style", "space\tfreeze"]))
    assert not np.array_equal(aligned, draw_help(image, ["n next style", "space freeze"]))


def test_no_lines_draw_nothing() -> None:
    """Help that is switched off leaves the picture as it is."""
    assert np.array_equal(draw_help(picture(), []), picture())


@pytest.mark.parametrize(
    ("corner", "rows", "columns"),
    [
        ("top-left", slice(0, 180), slice(0, 320)),
        ("top-right", slice(0, 180), slice(320, 640)),
        ("bottom-left", slice(180, 360), slice(0, 320)),
        ("bottom-right", slice(180, 360), slice(320, 640)),
    ],
)
@pytest.mark.parametrize("text", ["Original", "A style whose name is far too long for half of a picture of this size"])
def test_a_label_stays_in_its_quarter(text: str, corner: Corner, rows: slice, columns: slice) -> None:
    """A label belongs to one half of a split screen and never reaches into the other."""
    image: Image = np.full((360, 640, 3), 255, np.uint8)
    changed = np.any(draw_label(image, text, corner) != image, axis=2)
    assert changed[rows, columns].any()
    changed[rows, columns] = False
    assert not changed.any()


def test_an_unknown_corner_is_named() -> None:
    """A corner that does not exist is an error with the nearest one."""
    with pytest.raises(UnknownName, match="Did you mean 'top-left'"):
        draw_label(picture(), "x", "topleft")  # type: ignore[arg-type]


def test_two_threads_draw_the_same_as_one() -> None:
    """Labels are drawn by the output thread while the main thread draws the help."""
    expected = draw_label(picture(320, 240), "Hayao", "top-left")
    wrong: list[int] = []

    def draw() -> None:
        for number in range(40):
            if not np.array_equal(draw_label(picture(320, 240), "Hayao", "top-left"), expected):
                wrong.append(number)

    threads = [threading.Thread(target=draw) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


@pytest.mark.parametrize("stroked", [False, True])
def test_the_width_of_a_text_is_the_width_that_is_drawn(stroked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layout can trust the measured width, with the real font and with the plain one."""
    if stroked:
        monkeypatch.setattr(lettering, "_font_class", None)
    for text in ("Original", "space", "weaker / stronger"):
        image: Image = np.zeros((60, 600, 3), np.uint8)
        lettering.draw_text(image, text, 20, 40, 32, (255, 255, 255), 500)
        columns = np.flatnonzero(image.any(axis=(0, 2)))
        assert abs(columns[-1] - 20 - lettering.text_width(text, 32, 500)) <= 5


def test_wrapped_lines_fit_and_keep_every_word() -> None:
    """Words are kept in order and whole; only a word that is too long alone sticks out."""
    text = "the camera was unplugged and will be opened again"
    lines = lettering.wrap(text, 20, 400, 160)
    assert " ".join(lines) == text
    assert len(lines) > 2
    assert all(lettering.text_width(line, 20, 400) <= 160 for line in lines)
