"""Chains of generators and filters, and the recipe files that list them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from livefilter.errors import InvalidInput
from livefilter.training.chain import ChainArtist, grade, lift
from livefilter.training.lab import from_lab, to_lab
from livefilter.training.recipe import read_recipe
from livefilter.training.smoothing import l0_smoothed

RANDOM = np.random.default_rng(0)
PHOTO = RANDOM.integers(60, 200, (50, 70, 3), dtype=np.uint8)
HERE = Path("photo.png")


def test_smoothing_flattens_noise_and_keeps_a_border() -> None:
    """Between two sides of unlike brightness only the border is left of a noisy picture."""
    noise = RANDOM.normal(0, 6, (48, 64, 3))
    sides = np.where(np.arange(64) < 32, 60.0, 190.0)[None, :, None]
    smoothed = l0_smoothed(np.clip(sides + noise, 0, 255).astype(np.uint8), 0.02).astype(float)
    assert smoothed[:, :28].std() < 2
    assert smoothed[:, 36:].mean() - smoothed[:, :28].mean() > 120


def test_a_chain_passes_the_drawing_from_step_to_step() -> None:
    """A generator draws as often as `passes` says, or is told, on multiples of 32; the next step sees what it made."""
    seen = []

    def darker(picture: np.ndarray) -> np.ndarray:
        seen.append(picture.shape)
        return picture - 10

    steps: list[dict[str, object]] = [{"do": "teacher", "name": "dark", "passes": 3}, {"do": "brighten", "gamma": 1.0}]
    artist = ChainArtist(steps, {"dark": darker})
    drawn = artist.sketch(PHOTO, passes=3)
    assert seen == [(64, 96, 3)] * 3
    assert np.abs(drawn.astype(int) - (PHOTO.astype(int) - 30)).max() <= 1
    fewer = artist.sketch(PHOTO, passes=1)
    assert np.abs(fewer.astype(int) - (PHOTO.astype(int) - 10)).max() <= 1
    assert np.abs(artist.sketch_mildly(PHOTO).astype(int) - fewer).max() <= 1
    assert np.abs(artist.sketch(PHOTO, passes=0).astype(int) - PHOTO).max() <= 1


def test_recolouring_takes_wide_hues_back_from_the_photo() -> None:
    """A drawing that turned green is the photo's colour again where nothing is fine."""
    photo = np.full((64, 64, 3), (120, 140, 200), np.uint8)
    green = np.full((64, 64, 3), (90, 190, 110), np.uint8)
    steps: list[dict[str, object]] = [{"do": "teacher", "name": "green"}, {"do": "recolour", "light": 1.0}]
    drawn = ChainArtist(steps, {"green": lambda picture: green}).draw(HERE, photo)
    assert np.abs(drawn.astype(int) - photo).max() <= 2


def test_lifting_lights_up_what_is_light_and_leaves_the_dark() -> None:
    """Mid and light tones come nearer to white, without crossing each other; dark ones and white stay."""
    greys = np.repeat(np.array([10, 40, 60, 130, 180, 230, 255], np.uint8), 3).reshape(1, 7, 3)
    lifted = lift(greys, greys, amount=0.5)[0, :, 1].astype(int)
    assert np.abs(lifted[:3] - [10, 40, 60]).max() <= 1
    assert (lifted[3:6] - [130, 180, 230] > [10, 20, 8]).all()
    assert lifted[6] == 255
    assert (np.diff(lifted) > 0).all()


def test_grading_gives_a_palette_and_spares_skin_black_and_white() -> None:
    """Dark and bright greys move as told, colours get richer, skin by its own measure; black and white stay."""
    tones = np.array([[0, 0, 0], [30, 0, 0], [80, 0, 0], [100, 0, 0], [50, -20, 10], [65, 18, 20]], np.float32)
    before = from_lab(tones[None])
    after = to_lab(grade(before, before, rich=1.5, skin=1.0, dark=(6.0, -12.0), bright=(2.0, 5.0)))[0]
    black, dark, bright, white, _, skin = after
    assert np.abs(np.array([black, white]) - tones[[0, 3]]).max() < 1
    np.testing.assert_allclose(dark, [30, 6, -12], atol=1.5)
    np.testing.assert_allclose(bright, [80, 2, 5], atol=1.5)
    np.testing.assert_allclose(skin, tones[5], atol=1.5)
    richer = to_lab(grade(before, before, rich=1.5, skin=1.0, dark=(0.0, 0.0), bright=(0.0, 0.0)))[0]
    np.testing.assert_allclose(richer[4], [50, -30, 15], atol=1.5)


@pytest.mark.parametrize("name", ["hayao", "shinkai"])
def test_every_step_of_a_bundled_recipe_runs(name: str) -> None:
    """The recipes of the package are understood, and give a picture of the photo's size."""
    plan = read_recipe(name)
    same = {step["name"]: lambda picture: picture for step in plan.steps if step["do"] == "teacher"}
    assert plan.style == name
    assert ChainArtist(plan.steps, same, last=plan.last).draw(HERE, PHOTO).shape == PHOTO.shape


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"do": "sharpen"}, "'sharpen' is unknown"),
        ({"do": "teacher", "name": "cute"}, "names 'cute'"),
        ({"do": "smooth", "lambda": 1}, "smooth takes amount, not lambda"),
    ],
)
def test_a_step_that_cannot_be_is_refused(step: dict[str, object], message: str) -> None:
    """Unknown steps, generators and parameters are named, with what there is."""
    with pytest.raises(InvalidInput, match=message):
        ChainArtist([step], {"dark": lambda picture: picture})


def test_a_recipe_with_a_wrong_entry_is_refused(tmp_path: Path) -> None:
    """A misspelt or missing entry is named with the file."""
    path = tmp_path / "mine.toml"
    with pytest.raises(InvalidInput, match="hayao"):
        read_recipe("hayaa")
    path.write_text('style = "x"\nsteps = []\nscales = []\ncorp = 3\n')
    with pytest.raises(InvalidInput, match="corp"):
        read_recipe(str(path))
    path.write_text('style = "x"\n')
    with pytest.raises(InvalidInput, match="lacks scales, steps"):
        read_recipe(str(path))
