"""AnimeGANv2's losses and presets."""

from __future__ import annotations

import pytest
import torch

from livefilter.errors import InvalidInput, UnknownName
from livefilter.training.animegan import losses
from livefilter.training.animegan.recipe import PRESETS, AnimeGanRecipe


@pytest.mark.parametrize(
    ("preset", "content", "style", "colour", "variation"),
    [("hayao", 1.5, 2.5, 15, 1), ("paprika", 2.0, 0.6, 50, 0.1), ("shinkai", 1.2, 2.0, 10, 1)],
)
def test_presets_are_the_published_ones(
    preset: str, content: float, style: float, colour: float, variation: float
) -> None:
    """300 for the adversarial term, and the three styles' own figures."""
    found = PRESETS[preset]
    assert (found.content, found.style, found.colour, found.variation) == (content, style, colour, variation)
    assert found.adversarial == 300


def test_the_recipe_has_the_published_rates() -> None:
    """256x256 crops, 12 of them, Adam with beta 0.5, and three rates."""
    recipe = AnimeGanRecipe(steps=2, pretrain_steps=1)
    assert (recipe.crop, recipe.batch, recipe.beta) == (256, 12, 0.5)
    assert (recipe.pretrain_rate, recipe.rate, recipe.judge_rate) == (2e-4, 2e-5, 4e-5)


def test_a_recipe_out_of_range_is_refused() -> None:
    """Names, crops and phases are checked before anything starts."""
    with pytest.raises(UnknownName, match="hayao"):
        AnimeGanRecipe(steps=1, pretrain_steps=0, preset="haya")
    with pytest.raises(UnknownName, match="bfloat16"):
        AnimeGanRecipe(steps=1, pretrain_steps=0, precision="half")
    with pytest.raises(InvalidInput, match="multiple of 16"):
        AnimeGanRecipe(steps=1, pretrain_steps=0, crop=40)
    with pytest.raises(InvalidInput, match="do not fit"):
        AnimeGanRecipe(steps=1, pretrain_steps=2)


def test_gram_matrices_forget_where_things_are() -> None:
    """Moving features about changes nothing; exchanging two channels does."""
    torch.manual_seed(0)
    features = torch.randn(2, 6, 4, 5)
    moved = features.flatten(2)[:, :, torch.randperm(20)].view_as(features)
    assert float(losses.style_loss(features, moved)) < 1e-6
    assert float(losses.style_loss(features, features.flip(1))) > 1e-2
    torch.testing.assert_close(losses.gram(torch.ones(1, 2, 3, 3)), torch.full((1, 2, 2), 0.5))


def test_colour_tells_hue_from_brightness() -> None:
    """Brightness counts by its difference, hue by half its square: values worked out by hand."""
    grey, white = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    assert float(losses.colour_loss(grey, white)) == pytest.approx(0.5, abs=1e-5)
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    wanted = 0.299 + (0.14714119**2 + 0.61497538**2) / 2
    assert float(losses.colour_loss(red, -torch.ones(1, 3, 2, 2))) == pytest.approx(wanted, abs=1e-5)


def test_variation_is_nothing_where_nothing_varies() -> None:
    """A ramp of steps of 0.5 to the right has a quarter of their square, a flat picture none."""
    ramp = (torch.arange(4.0) / 2).expand(1, 3, 4, 4)
    assert float(losses.variation_loss(ramp)) == pytest.approx(0.125)
    assert float(losses.variation_loss(torch.ones(1, 3, 4, 4))) == 0


def test_the_discriminator_is_asked_four_things() -> None:
    """Only anime should be near 1; each kind has its own weight."""
    verdicts = torch.cat([torch.full((2, 1, 2, 2), value) for value in (1.0, 0.5, 0.0, -1.0)])
    terms = losses.discriminator_terms(verdicts)
    assert {name: float(value) for name, value in terms.items()} == {
        "anime": 0,
        "drawn": 0.25,
        "grey": 0,
        "smooth": 1,
    }
    assert float(losses.discriminator_loss(terms, PRESETS["hayao"])) == pytest.approx(300 * (1.2 * 0.25 + 0.8))


def test_the_generators_loss_is_the_weighted_sum() -> None:
    """Terms that are missing, as in pre-training, count nothing."""
    terms = {name: torch.tensor(1.0) for name in ("adversarial", "content", "style", "colour", "variation")}
    assert float(losses.generator_loss(terms, PRESETS["shinkai"])) == pytest.approx(300 + 1.2 + 2 + 10 + 1)
    assert float(losses.generator_loss({"content": torch.tensor(2.0)}, PRESETS["hayao"])) == 3
