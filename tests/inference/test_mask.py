"""A coarse mask becomes a fine one, and two pictures become one by it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from livefilter.frame import Image
from livefilter.inference.mask import Mask, nobody, reduced, tidied

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
    fine = Mask(coarse, image).whole() > 127
    wrong = np.count_nonzero(fine != truth)
    assert wrong <= 0.7 * np.count_nonzero(large != truth)
    assert wrong < 0.02 * truth.size


SIZES = [(1, 1), (60, 80), (33, 57), (240, 320)]


@pytest.mark.parametrize("picture", [(77, 131), (720, 1280), (480, 640), (64, 3), (1, 1)])
@pytest.mark.parametrize("size", SIZES)
def test_any_mask_fits_any_picture(size: tuple[int, int], picture: tuple[int, int]) -> None:
    """All person stays all person, nobody stays nobody, whatever is in the picture and however tiles divide it."""
    image = np.random.default_rng(0).integers(0, 256, (*picture, 3), np.uint8)
    assert (Mask(np.full(size, 255, np.uint8), image).whole() == 255).all()
    assert (Mask(np.zeros(size, np.uint8), image).whole() == 0).all()


@pytest.mark.parametrize("size", [(720, 1280), (240, 320), (250, 333)])
def test_tiles_leave_no_seam(size: tuple[int, int]) -> None:
    """What is calculated tile by tile is what the same lines give when they are drawn over the whole picture."""
    rng = np.random.default_rng(3)
    image = np.asarray(cv2.GaussianBlur(rng.integers(0, 256, (*size, 3), np.uint8), (0, 0), 9), np.uint8)
    image = np.asarray(np.clip((image.astype(int) - 110) * 8, 0, 255), np.uint8)
    coarse = np.zeros((36, 64), np.uint8)
    cv2.circle(coarse, (30, 18), 12, 255, -1)
    mask = Mask(np.asarray(cv2.GaussianBlur(coarse, (5, 5), 0), np.uint8), image)
    found = mask.whole()
    slope, offset = mask._lines(np.asarray(cv2.GaussianBlur(coarse, (5, 5), 0), np.uint8), reduced(image, 180))
    full = slope.shape[1] * mask._cell, slope.shape[0] * mask._cell
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float32)
    large = [cv2.resize(each, full, interpolation=cv2.INTER_LINEAR)[: size[0], : size[1]] for each in (slope, offset)]
    expected = np.clip(large[0] * grey + large[1], 0, 255)
    assert np.abs(found - expected).max() <= 1.0
    assert 0.05 < (found == 255).mean() < 0.6


def test_a_small_copy_is_a_mean() -> None:
    """A fine pattern becomes grey and not another pattern; what is small already is itself."""
    image = np.zeros((720, 1280, 3), np.uint8)
    image[:, ::2] = 200
    small = reduced(image, 144)
    assert small.shape == (144, 256, 3)
    assert np.abs(small.astype(int) - 100).max() <= 2
    assert reduced(small, 144) is small
    assert reduced(np.zeros((1, 500), np.uint8), 144).shape == (1, 500)


def test_specks_are_put_right() -> None:
    """A hole in a shirt is filled and a spot on the wall goes; an arm's gap, a second person and the room stay."""
    mask = np.zeros((72, 128), np.uint8)
    mask[20:, 40:80] = 255
    mask[30:34, 50:54] = 90  # a badge
    mask[36:60, 60:70] = 0  # between arm and body
    mask[5:8, 110:114] = 200  # a lamp
    mask[40:60, 100:112] = 255  # somebody else
    mask[70:72, 40:43] = 0  # a part of the room at the side of the picture
    before = mask.copy()
    found = tidied(mask)
    assert (found[28:36, 48:56] == 255).all()
    assert (found[3:10, 108:116] == 0).all()
    same = np.ones(mask.shape, bool)
    same[28:36, 48:56] = same[3:10, 108:116] = False
    assert np.array_equal(found[same], before[same])
    assert np.array_equal(mask, before)
    assert tidied(found) is found


@pytest.mark.parametrize("at", [(30, 50, 90, 120), (0, 0, 40, 60), (200, 150, 319, 239)])
def test_a_mask_tells_where_people_are(at: tuple[int, int, int, int]) -> None:
    """The box holds every pixel that is not 0, and not more than a tile beyond them; nothing where nobody is."""
    coarse = np.zeros((HEIGHT, WIDTH), np.uint8)
    coarse[at[1] : at[3] + 1, at[0] : at[2] + 1] = 255
    mask = Mask(coarse, np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    rows, columns = np.nonzero(mask.whole())
    exact = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    apart = np.array(mask.box) - exact
    assert (apart[:2] <= 0).all()
    assert (apart[2:] >= 0).all()
    assert np.abs(apart).max() < mask._tile
    assert Mask(np.zeros((9, 16), np.uint8), np.full((90, 160, 3), 90, np.uint8)).box == (0, 0, 0, 0)


def test_a_bright_wall_has_no_edge_to_calculate() -> None:
    """Tiles count only where the brightness that there is makes an edge: a plain picture has them along the seam."""
    coarse = np.zeros((72, 128), np.uint8)
    coarse[:, :64] = 255
    coarse = np.asarray(cv2.GaussianBlur(coarse, (9, 9), 0), np.uint8)
    mask = Mask(coarse, np.full((720, 1280, 3), 90, np.uint8))
    assert 0 < len(mask._edges[0]) <= 45 * 8
    assert set(mask._edges[1]) <= set(range(34, 46))


def test_a_speck_is_nobody() -> None:
    """A person fills at least two thousandths of a picture."""
    mask = np.zeros((100, 100), np.uint8)
    assert nobody(mask)
    mask[0, :19] = 255
    assert nobody(mask)
    mask[0, :21] = 255
    assert not nobody(mask)
    assert nobody(np.full((10, 10), 120, np.uint8)), "nobody is sure of it"


def edged(height: int, width: int, seed: int = 1) -> tuple[Mask, Image]:
    """A mask with somebody, nobody and an edge, in tiles and, at some sizes, in parts of tiles."""
    rng = np.random.default_rng(seed)
    image = np.asarray(cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), np.uint8), (0, 0), 3), np.uint8)
    coarse = np.zeros((height // 4, width // 4), np.uint8)
    coarse[:, : width // 8] = 255
    mask = Mask(np.asarray(cv2.GaussianBlur(coarse, (9, 9), 0), np.uint8), image)
    assert set(np.unique(mask.whole()[:, [0, -1]])) == {0, 255}
    assert len(np.unique(mask.whole())) > 20
    return mask, image


@pytest.mark.parametrize("size", [(240, 320), (243, 331)])
def test_two_pictures_meet_at_the_seam(size: tuple[int, int]) -> None:
    """Each pixel is the mask's share of the person and the rest of the room, rounded; neither picture is changed."""
    mask, person = edged(*size)
    room = np.random.default_rng(2).integers(0, 256, person.shape, np.uint8)
    before = person.copy(), room.copy()
    share = mask.whole()[:, :, None].astype(float) / 255
    together = mask.together(person, room)
    assert np.abs(together - (person * share + room * (1 - share))).max() <= 0.51
    assert np.array_equal(before[0], person)
    assert np.array_equal(before[1], room)
    assert together.flags.c_contiguous
    over = mask.together(person, room.copy(), over=True)
    assert np.array_equal(over, together)
    with pytest.raises(ValueError, match="does not fit"):
        mask.together(person[1:], room)


@pytest.mark.parametrize("size", [(240, 320), (243, 331)])
def test_nothing_is_left_below_what_is_cut_away(size: tuple[int, int]) -> None:
    """Where nobody is, a cut-out is black, and not the room with an alpha of 0."""
    mask, person = edged(*size)
    image = mask.cut_out(person)
    whole = mask.whole()
    assert np.array_equal(image[:, :, 3], whole)
    assert np.array_equal(image[whole > 0][:, :3], person[whole > 0])
    assert (image[whole == 0] == 0).all()
