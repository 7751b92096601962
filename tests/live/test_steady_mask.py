"""The mask of a person stands still where the scene does."""

from __future__ import annotations

import numpy as np
import pytest

from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.frame import Image
from livefilter.live.person_room import PersonRoom, no_networks

HEIGHT, WIDTH, RAW, STYLED = 64, 96, 90, 10


def told(share: float) -> Image:
    """Somebody in this share of the picture, from the left."""
    mask = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    mask[:, : round(WIDTH // 2 * share)] = 255
    return mask


class Run:
    """Frames, 30 in a second, of a styled person in a raw room."""

    def __init__(self, *, steady: bool) -> None:
        self.wanted, self.now_s = LiveSettings("first", room="raw"), 0.0
        self.parts = PersonRoom(
            no_networks, no_networks, SharedSettings(self.wanted), lambda: self.now_s, steady=steady
        )

    def __call__(self, mask: Image, light: int = RAW) -> tuple[int, int, int]:
        """What is seen on the left, in the middle and on the right."""
        self.now_s += 1 / 30
        frame = np.full((HEIGHT, WIDTH, 3), light, np.uint8)
        image, _cutout = self.parts(frame, np.full_like(frame, STYLED), mask, self.wanted)
        left, middle, right = (int(image[HEIGHT // 2, x, 0]) for x in (8, WIDTH // 2, WIDTH - 8))
        return left, middle, right


@pytest.mark.parametrize(("steady", "middle"), [(True, STYLED), (False, RAW)])
def test_a_mask_that_wavers_for_a_frame_shows_nothing_of_it(steady: bool, middle: int) -> None:
    """In a scene that stands still nobody loses an arm for a frame, unless the run asks for masks as they are."""
    run = Run(steady=steady)
    for _ in range(5):
        assert run(told(0.7)) == (STYLED, STYLED, RAW)
    assert run(told(0.3)) == (STYLED, middle, RAW)


def test_somebody_who_moves_has_the_mask_of_that_very_frame() -> None:
    """What changed in the picture is taken from the newest mask alone."""
    run = Run(steady=True)
    for _ in range(5):
        run(told(0.7))
    assert run(told(0.3), RAW + 30) == (STYLED, RAW + 30, RAW + 30)


def test_a_mask_that_stays_otherwise_comes_in() -> None:
    """Within half a second, also where nothing else tells that the scene has changed."""
    run = Run(steady=True)
    run(told(0.7))
    for _ in range(15):
        seen = run(told(0.3))
    assert seen == (STYLED, RAW, RAW)
