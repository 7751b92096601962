"""The discriminator, and VGG19 with its file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from livefilter.errors import InvalidInput, UnknownName
from livefilter.training.animegan.discriminator import Discriminator
from livefilter.training.animegan.vgg import Vgg19, read_vgg
from tests.training.animegan.conftest import Material


def test_the_discriminator_is_the_published_one() -> None:
    """Convolutions of 32 to 256 channels without bias, two strides, three layer norms, a map of one channel."""
    network = Discriminator()
    convolutions = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [32, 64, 128, 128, 256, 256, 1]
    assert [layer.stride[0] for layer in convolutions] == [1, 2, 1, 2, 1, 1, 1]
    assert {layer.kernel_size for layer in convolutions} == {(3, 3)}
    assert all(layer.bias is None for layer in convolutions)
    norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.GroupNorm)]
    assert [(layer.num_groups, layer.num_channels) for layer in norms] == [(1, 128), (1, 256), (1, 256)]
    assert {layer.negative_slope for layer in network.modules() if isinstance(layer, torch.nn.LeakyReLU)} == {0.2}
    assert network(torch.zeros(2, 3, 32, 48)).shape == (2, 1, 8, 12)


def test_spectral_norms_come_near_one_and_stay_float32() -> None:
    """After some passes, in bfloat16 too, no layer enlarges anything more than slightly."""
    network = Discriminator()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for _ in range(40):
            network(torch.rand(1, 3, 8, 8))
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            weight = layer.weight.detach()
            assert weight.dtype == torch.float32
            assert float(torch.linalg.matrix_norm(weight.flatten(1), 2)) == pytest.approx(1, abs=0.1)


def test_pictures_are_judged_apart() -> None:
    """A picture's verdict does not depend on what else is in the batch."""
    network = Discriminator().eval()
    pictures = torch.rand(3, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(network(pictures)[1:2], network(pictures[1:2]), rtol=1e-4, atol=1e-6)


def test_vgg_is_read_and_frozen(material: Material) -> None:
    """The file's weights give 512 channels at an eighth of the size, and learn nothing."""
    network = read_vgg(material.vgg)
    assert network(torch.zeros(1, 3, 32, 48)).shape == (1, 512, 4, 6)
    assert not any(values.requires_grad for values in network.parameters())
    assert float(network(torch.zeros(1, 3, 32, 32)).min()) < 0


def test_upper_layers_are_left_alone(material: Material, tmp_path: Path) -> None:
    """A whole file of torchvision's, with layers above conv4_4 and a classifier, is read too."""
    whole = torch.load(material.vgg, weights_only=True)
    whole |= {"features.28.weight": torch.zeros(512, 512, 3, 3), "classifier.6.bias": torch.zeros(1000)}
    torch.save(whole, tmp_path / "whole.pth")
    assert read_vgg(tmp_path / "whole.pth").state_dict().keys() == Vgg19().state_dict().keys()


def test_caffes_input_is_blue_first_and_not_divided() -> None:
    """The same picture reaches the first layer as Caffe's networks want it: BGR, 0 to 255, mean subtracted."""
    network = Vgg19("caffe")
    network.features = torch.nn.Sequential(torch.nn.Identity())
    white_red = torch.tensor([1.0, -1.0, 0.0]).view(1, 3, 1, 1)
    wanted = torch.tensor([127.5 - 103.939, -116.779, 255 - 123.68]).view(1, 3, 1, 1)
    torch.testing.assert_close(network(white_red), wanted, rtol=1e-4, atol=1e-3)
    with pytest.raises(UnknownName, match="torchvision"):
        Vgg19("onnx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features.1.running_mean": torch.zeros(64)}, "batch normalisation"),
        ({"features.25.weight": torch.zeros(512, 256, 3, 3)}, r"features.25.weight has the shape \(512, 256, 3, 3\)"),
        ({"features.16.bias": None}, "has no features.16.bias"),
    ],
)
def test_another_network_is_refused(
    material: Material, tmp_path: Path, change: dict[str, torch.Tensor | None], message: str
) -> None:
    """The error says what is different, and which file is wanted."""
    weights = torch.load(material.vgg, weights_only=True) | change
    torch.save({name: values for name, values in weights.items() if values is not None}, tmp_path / "other.pth")
    with pytest.raises(InvalidInput, match=message) as caught:
        read_vgg(tmp_path / "other.pth")
    assert "--vgg" in str(caught.value)
    with pytest.raises(InvalidInput, match="does not exist"):
        read_vgg(tmp_path / "none.pth")
