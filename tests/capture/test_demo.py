"""The built-in scene."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefilter.capture.base import SourceOptions
from livefilter.capture.demo import DemoSource
from livefilter.errors import InvalidInput


def test_it_is_hd_unless_asked_otherwise() -> None:
    """Without wishes it behaves like a good webcam."""
    info = DemoSource("", SourceOptions()).info
    assert (info.width, info.height, info.fps, info.live) == (1280, 720, 30.0, True)


@settings(max_examples=30, deadline=None)
@given(
    width=st.integers(2, 400), height=st.integers(2, 400), moments=st.lists(st.floats(0, 1000), min_size=1, max_size=4)
)
def test_the_view_never_leaves_the_photo(width: int, height: int, moments: list[float]) -> None:
    """At any moment and in any shape, all of the window lies on the photo."""
    source = DemoSource("", SourceOptions(width=width, height=height))
    photo_height, photo_width = source._photo.shape[:2]
    for at_s in moments:
        left, top, scale = source._window(at_s)
        assert left >= 0
        assert top >= 0
        assert left + scale * width <= photo_width + 1e-6
        assert top + scale * height <= photo_height + 1e-6


def test_it_moves_smoothly_and_without_a_seam() -> None:
    """From frame to frame the window moves by less than two pixels of the view, also from loop to loop."""
    source = DemoSource("", SourceOptions(width=640, height=360))
    windows = np.array([source._window(number / 30) for number in range(24 * 30 + 30)])
    steps = np.abs(np.diff(windows[:, :2], axis=0)) / windows[1:, 2:]
    assert steps.max() < 2.0
    assert steps.mean() > 0.1
    assert np.allclose(windows[:30], windows[24 * 30 :])


def test_pictures_change_and_show_something() -> None:
    """The scene has contrast, and a second later it looks different."""
    source = DemoSource("", SourceOptions(width=320, height=180))
    now, later = source._view(0.0).astype(int), source._view(1.0).astype(int)
    assert now.std() > 30
    assert np.abs(now - later).mean() > 1


def test_absurd_sizes_are_refused() -> None:
    """A typo does not take all memory."""
    with pytest.raises(InvalidInput, match="128000x72"):
        DemoSource("", SourceOptions(width=128000, height=72))


def test_the_photo_says_where_it_comes_from() -> None:
    """Its origin and licence are shipped beside it."""
    text = resources.files("livefilter.capture").joinpath("assets", "demo.txt").read_text(encoding="utf-8")
    assert "NASA" in text
    assert "public domain" in text
    assert "endorse" in text
