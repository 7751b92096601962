"""Pixels of any kind, and pictures of another size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from livefilter.capture.pixels import to_bgr
from livefilter.letterbox import letterboxed
from tests.conftest import picture


@settings(max_examples=60, deadline=None)
@given(
    source=st.tuples(st.integers(1, 90), st.integers(1, 90)), target=st.tuples(st.integers(2, 90), st.integers(2, 90))
)
def test_fit_always_gives_the_size_that_was_asked(source: tuple[int, int], target: tuple[int, int]) -> None:
    """Whatever the two shapes are."""
    fitted = letterboxed(picture(*source), *target)
    assert fitted.shape == (target[1], target[0], 3)
    assert fitted.flags.c_contiguous


def test_fit_keeps_the_shape_and_adds_bars() -> None:
    """A square in a wide frame stays square, with black on both sides."""
    fitted = letterboxed(np.full((50, 50, 3), 255, np.uint8), 200, 100)
    assert fitted[50, 50:150].min() == 255
    assert fitted[:, :50].max() == 0
    assert fitted[:, 150:].max() == 0


def test_bgr_is_passed_on_without_a_copy() -> None:
    """The common case costs nothing."""
    image = picture()
    assert to_bgr(image) is image


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 5), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_other_pixels_are_refused(pixels: NDArray[Any]) -> None:
    """What is not understood is named."""
    with pytest.raises(ValueError, match="pixels"):
        to_bgr(pixels)
