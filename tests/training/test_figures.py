"""What the figures say of drawings whose quality is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm")

from livefilter.frame import Image
from livefilter.training.data import Pair
from livefilter.training.figures import away_from_lines, compare, line_map, measure, psnr, ssim, unevenness
from livefilter.training.target import Finish, finished

WHAT = ("pixels", "lines", "flatness", "features")


def pair(seed: int = 0) -> Pair:
    """A noisy photo of a disc, and a drawing of it that is flat, recoloured and outlined."""
    photo = np.full((96, 96, 3), (120, 150, 170), np.uint8)
    cv2.circle(photo, (48, 48), 24, (60, 80, 190), -1)
    drawing = np.full((96, 96, 3), (160, 170, 180), np.uint8)
    cv2.circle(drawing, (48, 48), 24, (90, 100, 220), -1)
    cv2.circle(drawing, (48, 48), 24, (20, 20, 20), 2)
    noise = np.random.default_rng(seed).normal(0, 12, photo.shape)
    noisy = np.asarray(np.clip(photo + noise, 0, 255), np.uint8)
    return Pair(str(seed), noisy, drawing, finished(drawing, noisy, Finish()))


def encode(picture: Image) -> list[np.ndarray]:
    """Two levels of features: the picture, and the picture at half its size."""
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return [level.astype(np.float32) for level in (picture, half)]


@pytest.mark.parametrize("goal", ["teacher", "target"])
def test_a_perfect_copy_scores_one_and_the_photo_nothing(goal: str) -> None:
    """The ends of the scale are exact for every measure."""
    pairs = [pair(0), pair(1)]
    found = compare(
        pairs,
        {
            "photo": lambda each: each.photo,
            "copy": lambda each: each.drawing if goal == "teacher" else each.target,
        },
        encode,
    )
    for what in WHAT:
        assert found["photo"][f"share_of_{goal}_{what}"] == 0.0
        assert found["copy"][f"share_of_{goal}_{what}"] == 1.0
    assert found["copy"][f"ssim_student_to_{goal}"] == 1.0
    assert found["copy"][f"lines_correlation_student_{goal}"] == 1.0
    assert found["photo"][f"psnr_student_to_{goal}_db"] == found["photo"][f"psnr_photo_to_{goal}_db"]


def test_half_of_the_way_in_colour_scores_half() -> None:
    """A student that captures half of an even change of colour scores 50 % in pixels."""
    photo = np.full((64, 64, 3), 100, np.uint8)
    even = Pair("even", photo, photo + np.uint8(40), photo + np.uint8(40))
    assert measure([even], lambda seen: seen + np.uint8(20))["share_of_teacher_pixels"] == 0.5


def test_what_is_further_away_than_the_photo_scores_below_nothing() -> None:
    """A negative, noisy and full of lines, is worse than doing nothing in every measure."""
    made = pair()
    random = np.random.default_rng(5)

    def worse(photo: Image) -> Image:
        found = np.asarray(255 - photo, np.uint8)
        for row in range(4, 96, 12):
            cv2.line(found, (0, row), (95, row), (0, 0, 0), 1)
        return np.asarray(np.clip(found + random.normal(0, 60, photo.shape), 0, 255), np.uint8)

    figures = measure([made], worse, encode)
    assert all(figures[f"share_of_teacher_{what}"] < 0 for what in WHAT)


def test_each_measure_sees_what_it_is_named_for() -> None:
    """Flat colours without lines score in flatness and not in lines; lines on the photo the other way round."""
    made = pair()
    blurred = measure([made], lambda photo: np.asarray(cv2.GaussianBlur(photo, (0, 0), 3), np.uint8))
    assert blurred["share_of_teacher_flatness"] > 0.5 > blurred["share_of_teacher_lines"]

    def outlined(photo: Image) -> Image:
        found = photo.copy()
        cv2.circle(found, (48, 48), 24, (20, 20, 20), 2)
        return found

    lined = measure([made], outlined)
    assert abs(lined["share_of_teacher_flatness"]) < 0.2 < lined["share_of_teacher_lines"]


def test_a_photo_that_the_teacher_leaves_alone_does_not_outweigh_the_others() -> None:
    """Shares are made of mean distances: a small error where nothing was to be done costs little."""
    made = pair()
    alone = Pair("alone", made.photo, made.photo, made.photo)
    drawn = {made.name: made.drawing, "alone": np.clip(made.photo, 1, 254)}
    found = compare([made, alone], {"student": lambda each: drawn[each.name]}, None)["student"]
    assert found["share_of_teacher_pixels"] > 0.95


def test_features_are_left_out_without_an_encoder() -> None:
    """No figure is made up for what was not measured."""
    assert not [name for name in measure([pair()], lambda photo: photo) if "features" in name]


def test_unevenness_is_the_standard_deviation_of_the_window() -> None:
    """It is nothing where the colour is one, and numpy's standard deviation elsewhere."""
    picture = pair().photo
    window = picture[20:27, 30:37].astype(np.float64)
    expected = np.sqrt(np.mean([window[..., channel].var() for channel in range(3)]))
    assert unevenness(picture)[23, 33] == pytest.approx(expected, abs=0.05)
    assert unevenness(np.full((32, 32, 3), 77, np.uint8)).max() == 0


def test_the_surroundings_of_lines_are_left_out_of_flatness() -> None:
    """A window that a line reaches into is not asked to be flat; one far from it is."""
    picture = np.full((64, 64, 3), 200, np.uint8)
    picture[:, 30:33] = 0
    calm = away_from_lines(line_map(picture))
    assert not calm[:, 27:36].any()
    assert calm[:, :20].all()
    assert calm[:, 44:].all()


def test_psnr_and_ssim_know_equal_and_different_pictures() -> None:
    """PSNR follows its formula; SSIM is 1 for equal pictures and falls when structure is lost."""
    photo = pair().photo
    flat = np.full_like(photo, 128)
    assert psnr(flat, flat + np.uint8(16)) == pytest.approx(20 * np.log10(255 / 16))
    assert ssim(photo, photo) == pytest.approx(1.0)
    assert ssim(photo, np.asarray(cv2.GaussianBlur(photo, (0, 0), 2), np.uint8)) < 0.7
    assert ssim(photo, np.asarray(255 - photo, np.uint8)) < 0
