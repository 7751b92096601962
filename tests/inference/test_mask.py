"""A coarse mask becomes a fine one, and two pictures become one by it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from livefilter.frame import Image
from livefilter.inference.mask import cut_out, nobody, refined, together

WIDTH, HEIGHT = 320, 240


def circle(shift: float = 0.0) -> tuple[Image, Image]:
    """A dark head before a light wall, and a mask of it at a quarter of the size, blurred and moved by that much."""
    image = np.full((HEIGHT, WIDTH, 3), 210, np.uint8)
    cv2.circle(image, (160, 120), 60, (50, 60, 70), -1)
    coarse = np.zeros((HEIGHT // 4, WIDTH // 4), np.uint8)
    cv2.circle(coarse, (round(40 + shift / 4), 30), 15, 255, -1)
    return image, np.asarray(cv2.GaussianBlur(coarse, (5, 5), 0), np.uint8)


@pytest.mark.parametrize("shift", [0, 4, -4])
def test_the_edge_of_a_mask_goes_to_the_edge_of_the_picture(shift: int) -> None:
    """A coarse mask that is a pixel of its own beside the truth is put right by the picture's brightness."""
    image, coarse = circle(shift)
    truth = image[:, :, 0] < 100
    large = np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)) > 127
    fine = refined(coarse, image) > 127
    wrong = np.count_nonzero(fine != truth)
    assert wrong <= 0.7 * np.count_nonzero(large != truth)
    assert wrong < 0.02 * truth.size


@pytest.mark.parametrize("size", [(1, 1), (60, 80), (33, 57), (240, 320)])
def test_any_mask_fits_any_picture(size: tuple[int, int]) -> None:
    """All person stays all person, nobody stays nobody, whatever is in the picture."""
    image = np.random.default_rng(0).integers(0, 256, (77, 131, 3), np.uint8)
    assert (refined(np.full(size, 255, np.uint8), image) == 255).all()
    assert (refined(np.zeros(size, np.uint8), image) == 0).all()


def test_a_speck_is_nobody() -> None:
    """A person fills at least two thousandths of a picture."""
    mask = np.zeros((100, 100), np.uint8)
    assert nobody(mask)
    mask[0, :19] = 255
    assert nobody(mask)
    mask[0, :21] = 255
    assert not nobody(mask)
    assert nobody(np.full((10, 10), 120, np.uint8)), "nobody is sure of it"


def test_two_pictures_meet_at_the_seam() -> None:
    """Each pixel is the mask's share of the person and the rest of the room, rounded; neither picture is changed."""
    rng = np.random.default_rng(1)
    person, room = (rng.integers(0, 256, (40, 50, 3), np.uint8) for _ in range(2))
    mask = rng.choice(np.array([0, 0, 1, 100, 254, 255], np.uint8), (40, 50))
    before = person.copy(), room.copy()
    share = mask[:, :, None].astype(float) / 255
    expected = person * share + room * (1 - share)
    assert np.abs(together(person, room, mask) - expected).max() <= 0.5
    assert np.array_equal(before[0], person)
    assert np.array_equal(before[1], room)


def test_nothing_is_left_below_what_is_cut_away() -> None:
    """Where nobody is, a cut-out is black, and not the room with an alpha of 0."""
    person = np.full((4, 6, 3), 200, np.uint8)
    mask = np.zeros((4, 6), np.uint8)
    mask[:, :2], mask[:, 2] = 255, 90
    image = cut_out(person, mask)
    assert np.array_equal(image[:, :, 3], mask)
    assert (image[:, :3, :3] == 200).all()
    assert (image[:, 3:, :3] == 0).all()
