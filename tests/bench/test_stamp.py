"""A time in a picture, and whether it can be read back."""

from __future__ import annotations

import cv2
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from livefilter import Catalogue, Styler
from livefilter.bench.stamp import draw_stamp, read_stamp, seconds_since, stamp_of
from livefilter.frame import Image
from tests.conftest import picture


def drawn(stamp: int, width: int = 320, height: int = 180) -> Image:
    """A frame that holds nothing but this stamp."""
    image = np.zeros((height, width, 3), np.uint8)
    draw_stamp(image, stamp)
    return image


@hypothesis.given(
    strategies.integers(0, 2**32 - 1), strategies.sampled_from([(64, 48), (322, 182), (640, 360), (1281, 721)])
)
def test_what_was_drawn_is_read(stamp: int, size: tuple[int, int]) -> None:
    """Every stamp comes back from frames of any size, also after the colour conversion of a virtual camera."""
    image = drawn(stamp, size[0] // 2 * 2, size[1] // 2 * 2)
    assert read_stamp(image) == stamp
    camera = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), cv2.COLOR_YUV2BGR_I420)
    assert read_stamp(np.asarray(camera, np.uint8)) == stamp


@pytest.mark.parametrize(
    "image", [picture(320, 180), np.zeros((180, 320, 3), np.uint8), np.full((180, 320, 3), 255, np.uint8)]
)
def test_another_picture_has_no_stamp(image: Image) -> None:
    """Neither a camera's picture nor black or white is taken for a stamp."""
    assert read_stamp(image) is None


def test_a_stamp_outlives_the_bundled_style() -> None:
    """The trained network keeps black and white apart, so that the way through it can be measured."""
    styler = Styler(Catalogue().choose("hayao")[1], "onnxruntime", 120)
    for stamp in (0x00FF55AA, 0x12345678):
        assert read_stamp(styler(drawn(stamp))) == stamp
    styler.close()


def test_time_wraps_around() -> None:
    """The age of a stamp is right when its 32 bits overflow meanwhile."""
    drawn_at = 2**32 / 1e6 - 0.01
    assert seconds_since(stamp_of(drawn_at), drawn_at + 0.05) == pytest.approx(0.05, abs=1e-5)
