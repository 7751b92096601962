"""How good a mask is, told by masks whose faults are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm")

from livefilter.frame import Image
from tools.person.material import Shown, in_the_dark
from tools.person.measures import edge_score, lag, overlap, still_flicker


def disc(x: float, radius: int = 30) -> Image:
    """Somebody round."""
    mask = np.zeros((120, 200), np.uint8)
    cv2.circle(mask, (round(x), 60), radius, 255, -1)
    return mask


def test_overlap_is_shared_through_all() -> None:
    """Half of each is shared: a third of both; nobody in either is right."""
    left, right = np.zeros((2, 4, 8), bool)
    left[:, :4] = right[:, 2:6] = True
    assert overlap(left, right) == pytest.approx(1 / 3)
    assert overlap(left, left) == overlap(~left & left, ~left & left) == 1.0


def test_an_edge_that_is_a_little_off_counts_and_one_far_off_does_not() -> None:
    """Two pixels of a diagonal of 233 are near; a head of another size is not."""
    wanted = disc(100) > 0
    assert edge_score(disc(101) > 0, wanted) > 0.95
    assert edge_score(disc(100, 45) > 0, wanted) < 0.05
    assert edge_score(np.zeros_like(wanted), wanted) == 0.0


def test_flicker_is_what_noise_changes() -> None:
    """A mask that does not look does not flicker; one that hangs on a single grey level does."""
    picture = np.full((40, 50, 3), 128, np.uint8)
    assert still_flicker(picture, lambda image: disc(100)) == 0.0
    share = still_flicker(picture, lambda image: np.asarray((image[..., 0] > 128) * 255, np.uint8))
    assert 0.4 < share < 0.6


@pytest.mark.parametrize("late", [0, 1, 2])
def test_a_mask_that_comes_late_is_caught(late: int) -> None:
    """By as many frames as it is late."""
    places = [40 + 9 * np.sin(step * 0.9) * step**0.5 + 2 * step for step in range(24)]
    frames = [np.repeat(disc(x)[..., None] // 2, 3, axis=2) for x in places]
    masks = [disc(places[max(0, step - late)]) for step in range(24)]
    found = lag(frames, masks)
    assert found is not None
    assert found[0] == late
    assert lag(frames[:1] * 24, masks[:1] * 24) is None, "nobody moves"


def test_photos_in_the_dark_keep_their_masks() -> None:
    """A quarter of the light, with noise, in a group of their own."""
    mask = np.eye(40, dtype=np.uint8)
    (dark,) = in_the_dark([Shown("photos", "one", np.full((40, 40, 3), 200, np.uint8), mask)])
    assert abs(dark.picture.mean() - 50) < 1
    assert 3 < dark.picture.std() < 5
    assert (dark.group, dark.name) == ("photos, dark", "one-dark")
    assert dark.mask is mask
