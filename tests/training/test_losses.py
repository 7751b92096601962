"""The loss terms."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from livefilter.training import losses


def with_line(row: int, darkness: float = 1.0) -> torch.Tensor:
    """A grey picture (1, 3, 48, 48) with one dark horizontal line."""
    picture = torch.full((1, 3, 48, 48), 0.5)
    picture[:, :, row] -= darkness
    return picture


def test_a_perfect_drawing_costs_nothing() -> None:
    """Colour, lines and gradient are zero when the drawing is the target."""
    target = with_line(24)
    assert float(losses.multi_scale_l1(target, target)) == 0.0
    assert float(losses.line_loss(target, target)) == 0.0
    assert float(losses.gradient_and_flatness_loss(target, target)[0]) == 0.0


def test_the_line_map_is_positive_on_dark_lines() -> None:
    """A dark line stands out in the map and a flat region is zero."""
    lines = losses.line_map(with_line(24))
    assert lines.shape == (1, 1, 34, 34)
    assert float(lines[0, 0, 24 - 7].min()) > 0.2
    assert float(lines[0, 0, 0].abs().max()) < 1e-6


def test_a_missing_line_costs_more_than_an_extra_one() -> None:
    """The weight lies where the target has lines."""
    plain = torch.full((1, 3, 48, 48), 0.5)
    missing = losses.line_loss(plain, with_line(24, 0.3))
    extra = losses.line_loss(with_line(24, 0.3), plain)
    assert float(missing) > 1.5 * float(extra)


def test_a_missing_line_costs_most_in_an_eye() -> None:
    """The same lines missing: four times the cost where eyes are, the same where none are."""
    lines = torch.ones(1, 3, 64, 64)
    lines[:, :, ::8] = -1.0
    plain = float(losses.line_loss(torch.ones_like(lines), lines))
    eyes = torch.ones(1, 1, 64, 64)
    assert float(losses.line_loss(torch.ones_like(lines), lines, eyes)) == pytest.approx(4 * plain)
    assert float(losses.line_loss(torch.ones_like(lines), lines, 0 * eyes)) == pytest.approx(plain)


def test_texture_where_the_target_is_flat_costs() -> None:
    """Noise on a flat region is charged twice: as a wrong gradient and as a lack of flatness."""
    flat = torch.zeros(1, 3, 32, 32)
    noisy = torch.randn(1, 3, 32, 32) * 0.1
    gradient, flatness = losses.gradient_and_flatness_loss(noisy, flat)
    assert float(gradient) > 0.1
    assert float(flatness) > 0.1


def test_a_slow_slide_of_colour_costs_more_than_the_same_colour_at_once() -> None:
    """Across what the target has in one tone; a step where the target has it too costs nothing."""
    flat, slide = torch.zeros(1, 3, 64, 64), torch.linspace(-0.3, 0.3, 64).expand(1, 3, 64, 64)
    assert float(losses.tone_loss(flat + 0.3, flat)) == 0.0
    assert float(losses.tone_loss(slide, slide)) == pytest.approx(0.0, abs=1e-3)
    assert float(losses.tone_loss(slide, flat)) > 10 * float(sum(losses.gradient_and_flatness_loss(slide, flat)))


def test_a_moved_drawing_is_consistent() -> None:
    """A repeat that is the first row, moved, costs nothing; one that stayed where it was costs."""
    torch.manual_seed(0)
    scene = torch.rand(3, 40, 40)
    rows = torch.stack([scene[:, :32, :32], scene[:, 3:35, 5:37]])
    assert float(losses.consistency_loss(rows, [(3, 5)])) == 0.0
    assert float(losses.consistency_loss(rows, [(0, 0)])) > 0.1


def test_the_discriminator_judges_patches() -> None:
    """The verdict is one channel at 1/8 of the size, with the features before it."""
    pictures = torch.zeros(2, 3, 64, 64)
    *features, verdict = losses.PatchDiscriminator(8)(pictures, pictures)
    assert verdict.shape == (2, 1, 8, 8)
    assert len(features) == 3
