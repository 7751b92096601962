"""VGG19 up to conv4_4: what two pictures have in common besides their pixels."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from livefilter.errors import InvalidInput, UnknownName
from livefilter.generator.weights import read_tensors, shapes

# Channels of each convolution; M halves the size.
_PLAN = (64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512)
_HINT = "Name the file of torchvision's plain vgg19 (no batch normalisation) with --vgg."

# RGB in [0, 1]: mean and deviation. The second are the networks converted from Caffe: BGR in [0, 255], mean only.
_INPUTS = {
    "torchvision": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "caffe": ((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255)),
}
INPUTS = tuple(_INPUTS)


class Vgg19(nn.Module):
    """VGG19 (Simonyan, Zisserman 2015) from the first layer to conv4_4, before its activation; it does not learn.

    Names of its weights are torchvision's, features.0 to features.25.

    inputs: what the weights were trained on, "torchvision" or "caffe".
    Raises: UnknownName: other inputs.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, inputs: str = "torchvision") -> None:
        super().__init__()
        if inputs not in _INPUTS:
            raise UnknownName("VGG input", inputs, _INPUTS)
        mean, deviation = _INPUTS[inputs]
        self._bgr = inputs == "caffe"
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)
        layers: list[nn.Module] = []
        channels = 3
        for step in _PLAN:
            if isinstance(step, int):
                layers += [nn.Conv2d(channels, step, 3, padding=1), nn.ReLU()]
                channels = step
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[:-1])
        self.requires_grad_(False)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in [-1, 1] to (N, 512, H / 8, W / 8)."""
        planes = ((pictures + 1) / 2 - self.mean) / self.deviation
        out: Tensor = self.features(planes.flip(1) if self._bgr else planes)
        return out


def read_vgg(path: Path, inputs: str = "torchvision") -> Vgg19:
    """Read VGG19 from a file in torchvision's format; its upper layers are not used and may be missing.

    Raises: InvalidInput: the file is missing, unreadable, or of another network. UnknownName: other inputs.
    """
    tensors = read_tensors(path)
    network = Vgg19(inputs)
    wanted, found = shapes(network.state_dict()), shapes(tensors)
    if any(name.endswith("running_mean") for name in found):
        raise InvalidInput(f"{path} is a VGG with batch normalisation. {_HINT}")
    for name, shape in wanted.items():
        if name not in found:
            raise InvalidInput(f"{path} has no {name} and is not VGG19. {_HINT}")
        if found[name] != shape:
            raise InvalidInput(f"{path} is not VGG19: {name} has the shape {found[name]}, not {shape}. {_HINT}")
    network.load_state_dict({name: tensors[name] for name in wanted})
    return network.eval()
