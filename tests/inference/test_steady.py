"""The drawing stands still where the scene does, and nowhere else."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.steady import Steady
from livefilter.inference.styler import Styler

RANDOM = np.random.default_rng(0)
SCENE = RANDOM.integers(0, 256, (12, 16, 3), np.uint8).repeat(8, 0).repeat(8, 1)


def noisy(scene: Image, sigma: float = 3.0) -> Image:
    """What a camera makes of it."""
    return np.asarray(np.clip(np.rint(scene + RANDOM.normal(0, sigma, scene.shape)), 0, 255), np.uint8)


def lines(seen: Image) -> Image:
    """A drawing of it in which noise is exaggerated."""
    return np.asarray(np.clip(128 + 3 * (seen.astype(np.int16) - SCENE), 0, 255), np.uint8)


def apart(first: Image, second: Image) -> float:
    """The mean difference in grey levels."""
    return float(np.abs(first.astype(int) - second).mean())


def test_noise_on_a_still_scene_changes_little() -> None:
    """From frame to frame the drawing changes by less than a third of what it would."""
    steady = Steady()
    drawn = [lines(noisy(SCENE)) for _ in range(20)]
    seen = [noisy(SCENE) for _ in range(20)]
    shown = [steady(*pair, 1.0, at / 30).copy() for at, pair in enumerate(zip(seen, drawn, strict=True))]
    assert apart(shown[-1], shown[-2]) < apart(drawn[-1], drawn[-2]) / 3


def test_what_moves_is_as_new_as_without_it() -> None:
    """Where the scene changed the newest drawing is shown; of the old one nothing is left there."""
    steady = Steady()
    for at in range(5):
        steady(SCENE, np.full_like(SCENE, 200), 1.0, at / 30)
    changed = SCENE.copy()
    changed[32:64, 32:64] ^= 128
    shown = steady(changed, np.full_like(SCENE, 50), 1.0, 5 / 30)
    assert (shown[34:62, 34:62] == 50).all()
    assert (shown[:16, :16] > 150).all()


def test_a_scene_that_stays_ends_as_it_is_drawn() -> None:
    """A change too small to be told from noise comes in within half a second."""
    steady = Steady()
    steady(SCENE, np.full_like(SCENE, 60), 1.0, 0.0)
    for at in range(1, 16):
        shown = steady(SCENE, np.full_like(SCENE, 100), 1.0, at / 30)
    assert abs(int(shown.min()) - 100) <= 3


def test_another_strength_size_or_time_begins_anew() -> None:
    """What was drawn before another strength or size, or before a pause, is not mixed in."""
    for scene, strength, at_s in ((SCENE, 0.5, 0.03), (SCENE[:64], 1.0, 0.03), (SCENE, 1.0, 2.0)):
        steady = Steady()
        steady(SCENE, np.full_like(SCENE, 200), 1.0, 0.0)
        assert (steady(scene, np.full_like(scene, 50), strength, at_s) == 50).all()


def test_odd_sizes_keep_theirs() -> None:
    """Widths and heights that are no multiples of two come back as they are."""
    steady = Steady()
    for at in range(2):
        assert steady(SCENE[:33, :35], SCENE[:33, :35], 1.0, at / 30).shape == (33, 35, 3)


class Flickering(Engine):
    """Draws a still picture 40 levels brighter at each run."""

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions) -> None:
        self.info = EngineInfo("flickering", "none", "uint8", width, height)
        self.runs = 0

    def run(self, image: Image, strength: float = 1.0) -> Image:
        self.runs += 1
        return np.full_like(image, 40 * self.runs)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("steady", "second"), [(False, 120), (True, 88)])
def test_a_styler_steadies_frames_but_not_its_warm_up(steady: bool, second: int) -> None:
    """The first frame is as if nothing had been drawn before it; a fifth of the next drawing is taken, if asked for."""
    grey = np.full((64, 96, 3), 127, np.uint8)
    with closing(Styler(Path("none.onnx"), Flickering, 64, steady=steady, clock=lambda: 0.0)) as styler:
        styler.warm_up(96, 64)
        assert (styler(grey) == 80).all()
        assert (styler(grey) == second).all()
