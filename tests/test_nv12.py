"""Pictures in the format of virtual cameras."""

from __future__ import annotations

import numpy as np

from livefilter.frame import Frame
from livefilter.nv12 import cut, nv12_to_bgr, planes
from tests.conftest import picture
from tests.inference.fake_runtime import to_nv12


def test_a_picture_comes_back_from_nv12() -> None:
    """But for what half the colour resolution costs; BGR is given back as it is."""
    image = picture(96, 64)
    image[:8] = 0  # the sharp square loses colour at its edges
    assert np.abs(nv12_to_bgr(to_nv12(image)).astype(int) - image).mean() < 2
    assert nv12_to_bgr(image) is image


def test_a_frame_knows_its_size_in_either_format() -> None:
    """Rows of colour are no rows of the picture."""
    frame = Frame(to_nv12(picture(96, 64)), 0, 0.0)
    assert (frame.width, frame.height) == (96, 64)


def test_a_part_is_cut_out_of_both_planes() -> None:
    """What fills up an engine's frame does not get into the picture."""
    image = picture(96, 64)
    whole = to_nv12(image)
    part = cut(whole, (90, 50), (90, 50))
    assert np.array_equal(part, to_nv12(np.ascontiguousarray(image[:50, :90])))
    assert not np.shares_memory(part, whole)


def test_a_picture_is_scaled_with_its_colour() -> None:
    """An odd size inside an engine becomes an even one outside."""
    flat = np.full((64, 96, 3), (40, 90, 200), np.uint8)
    scaled = cut(to_nv12(flat), (85, 47), (170, 94))
    assert scaled.shape == (141, 170)
    luma, colour = planes(scaled)
    assert np.ptp(luma) == 0
    assert np.ptp(colour.reshape(-1, 2), axis=0).tolist() == [0, 0]
    assert np.abs(nv12_to_bgr(scaled).astype(int) - (40, 90, 200)).max() <= 2
