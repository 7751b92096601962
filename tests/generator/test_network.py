"""The generator network."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from livefilter.generator.conv import Conv  # noqa: E402
from livefilter.generator.export import macs_per_pixel, to_onnx  # noqa: E402
from livefilter.generator.network import DESIGNS, MULTIPLE, Design, Generator, at_strength, crisped  # noqa: E402

SMALL = Design(half=16, quarter=16, eighth=16, eighth_blocks=1)


@pytest.mark.parametrize("height", [8, 16, 40, 72])
@pytest.mark.parametrize("width", [8, 24, 56, 64])
def test_every_multiple_of_eight_keeps_its_size(height: int, width: int) -> None:
    """A frame of any height and width that is a multiple of 8 comes out at the size that went in."""
    frames = torch.zeros(1, 3, height, width)
    assert Generator(SMALL)(frames).shape == frames.shape
    assert height % MULTIPLE == width % MULTIPLE == 0


@pytest.mark.parametrize(("inputs", "outputs", "groups"), [(8, 8, 1), (8, 16, 1), (8, 8, 8)])
def test_folding_branches_changes_nothing(inputs: int, outputs: int, groups: int) -> None:
    """One folded kernel gives what the 3x3, the 1x1 and the identity branch give together."""
    torch.manual_seed(0)
    layer = Conv(inputs, outputs, groups=groups)
    for branch in layer.parameters():
        torch.nn.init.normal_(branch)
    features = torch.randn(2, inputs, 12, 20)
    apart = torch.nn.functional.conv2d(features, layer.weight, layer.bias, padding=1, groups=groups)
    assert layer.point is not None
    apart = apart + torch.nn.functional.conv2d(features, layer.point, groups=groups)
    if layer.identity is not None:
        apart = apart + features * layer.identity.view(1, -1, 1, 1)
    torch.testing.assert_close(layer(features), apart, rtol=1e-4, atol=1e-4)


def test_a_far_corner_changes_nothing_here() -> None:
    """No statistic is taken over the image: what happens far away leaves a pixel exactly as it was."""
    torch.manual_seed(0)
    network = Generator(SMALL)
    frames = torch.rand(1, 3, 64, 512) * 2 - 1
    changed = frames.clone()
    changed[..., 384:] = 1.0
    with torch.no_grad():
        torch.testing.assert_close(network(frames)[..., :128], network(changed)[..., :128])


def test_both_sizes_keep_to_their_budgets() -> None:
    """`lite` fits into a megabyte and a 37th of AnimeGANv2's 401 kMAC a pixel; `full` into three and into a tenth."""
    lite, full = Generator(DESIGNS["lite"]), Generator(DESIGNS["full"])
    assert len(to_onnx(lite).SerializeToString()) <= 1_000_000
    assert len(to_onnx(full).SerializeToString()) <= 3_000_000
    assert macs_per_pixel(full) <= 40_100
    assert macs_per_pixel(lite) <= 401_000 / 37


def test_a_fixed_strength_draws_as_the_plane_does() -> None:
    """A network without the plane for strength draws the middle of a picture as the plane of that value does."""
    torch.manual_seed(0)
    network = Generator(Design(eighth=16, eighth_blocks=1, strength=1, person=1))
    frames = torch.rand(1, 3, 160, 160) * 2 - 1
    with torch.no_grad():
        milder = network(torch.cat([frames, torch.full((1, 1, 160, 160), 0.35)], 1))
        bolder = network(torch.cat([frames, torch.ones(1, 1, 160, 160)], 1))
        fixed = at_strength(network, 0.35)(frames)
    inner = (..., slice(64, 96), slice(64, 96))
    torch.testing.assert_close(fixed[inner], milder[inner], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(bolder[inner], milder[inner], atol=1e-3)


def test_the_person_output_has_half_the_resolution() -> None:
    """A design with `person` says for every second pixel whether a person is there; others say nothing."""
    frames = torch.rand(2, 3, 32, 48)
    person = Generator(Design(eighth=16, eighth_blocks=1, person=1)).draw(frames)[1]
    assert person is not None
    assert person.shape == (2, 1, 16, 24)
    assert Generator(SMALL).draw(frames)[1] is None


def test_soft_edges_become_crisp_and_stay_in_their_place() -> None:
    """A ramp between two tones gets steeper around its middle, nothing overshoots, and flat tones stay."""
    ramp = torch.tensor([0.0, 0.0, 0.1, 0.5, 0.9, 1.0, 1.0]).expand(1, 2, 7, 7)
    found = crisped(ramp, 4)
    torch.testing.assert_close(found, torch.tensor([0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0]).expand(1, 2, 7, 7))
    torch.testing.assert_close(crisped(found, 4), found)
    torch.testing.assert_close(crisped(ramp.transpose(2, 3), 4), found.transpose(2, 3))


def test_a_crisp_network_draws_what_a_soft_one_draws_with_crisp_edges() -> None:
    """The design's figure is the contrast."""
    torch.manual_seed(0)
    soft, crisp = Generator(SMALL), Generator(replace(SMALL, crisp=3))
    crisp.load_state_dict(soft.state_dict())
    frames = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(crisp(frames), crisped(soft(frames), 3))
        assert (crisp(frames) - soft(frames)).abs().max() > 0.01
