"""Lids that are drawn over open eyes, for training."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tools.eyelids import Points, one_lowered

SKIN, WHITE, LASH = (150, 170, 220), (250, 250, 250), (20, 20, 20)
TURN = cv2.getRotationMatrix2D((60, 60), 20, 1.0)


def eye(turned: bool) -> tuple[Points, list[Points]]:
    """A white eye of 40x16 pixels with dark lashes on skin; its upper lid, its lower lid and its brow."""
    picture: Points = np.full((120, 120, 3), SKIN, np.uint8)
    cv2.ellipse(picture, (60, 60), (20, 8), 0, 0, 360, WHITE, -1)
    cv2.ellipse(picture, (60, 60), (20, 8), 0, 180, 360, LASH, 2)
    turn = np.linspace(np.pi, 0, 9)
    across, up = 60 + 20 * np.cos(turn), np.sin(turn)
    parts: list[Points] = [
        np.stack([across, 60 - 8 * up], 1),
        np.stack([across, 60 + 9 * up], 1),
        np.array([[42.0, 38.0], [78.0, 38.0]]),
    ]
    if not turned:
        return picture, parts
    picture = cv2.warpAffine(picture, TURN, (120, 120), borderValue=SKIN)
    return picture, [part @ TURN[:, :2].T + TURN[:, 2] for part in parts]


@pytest.mark.parametrize("turned", [False, True])
def test_a_shut_lid_hides_the_eye_and_takes_the_lashes_along(turned: bool) -> None:
    """No white is left, lashes lie on the lower rim, and what is away from the eye stays."""
    picture, parts = eye(turned)
    shut = one_lowered(picture, *parts, share=1.0)
    white = (picture.min(2) > 235).sum(), (shut.min(2) > 235).sum()
    assert white[0] > 300
    assert white[1] < 0.07 * white[0]
    middle = parts[1][4].round().astype(int)
    assert shut[middle[1] - 3 : middle[1] + 1, middle[0]].max(1).min() < 90
    assert shut[parts[0][4].round().astype(int)[1] + 2, middle[0]].min() > 120
    assert np.array_equal(shut[:15], picture[:15])
    assert np.array_equal(shut[-30:], picture[-30:])


def test_a_half_shut_lid_leaves_the_lower_half_of_the_eye() -> None:
    """Above the middle there is skin or lashes, below it the eye as it was."""
    picture, parts = eye(turned=False)
    half = one_lowered(picture, *parts, share=0.5)
    assert half[56, 60].max() < 235
    assert np.array_equal(half[63:, 60], picture[63:, 60])


def test_an_eye_at_the_edge_of_the_picture_is_lowered_as_well() -> None:
    """What is outside the picture is not asked for."""
    picture, parts = eye(turned=False)
    cut = picture[:, 45:]
    shut = one_lowered(cut, *(part - (45, 0) for part in parts), share=1.0)
    assert shut.shape == cut.shape
    assert (shut.min(2) > 235).sum() < 0.1 * (cut.min(2) > 235).sum()
