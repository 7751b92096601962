"""Tells anime from what only looks like it, patch by patch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from livefilter.generator.animegan_layers import SLOPE, layer_norm

FIRST = 32
LEVELS = 3


class Discriminator(nn.Sequential):
    """AnimeGANv2's discriminator (Chen et al. 2020).

    3x3 convolutions with spectral normalisation (Miyato et al. 2018) and without bias: 32 channels, doubled at each
    of three levels, the last two of them at half the size of the one before; layer normalisation, leaky ReLU 0.2.
    (N, 3, H, W) in [-1, 1] becomes (N, 1, H / 4, W / 4), trained toward 1 for anime and 0 for all else.
    """

    def __init__(self) -> None:
        width = FIRST
        layers: list[nn.Module] = [_conv(3, width), nn.LeakyReLU(SLOPE)]
        inputs = width
        for _ in range(LEVELS - 1):
            layers += [_conv(inputs, width * 2, stride=2), nn.LeakyReLU(SLOPE)]
            layers += [_conv(width * 2, width * 4), layer_norm(width * 4), nn.LeakyReLU(SLOPE)]
            width, inputs = width * 2, width * 4
        layers += [_conv(inputs, width * 2), layer_norm(width * 2), nn.LeakyReLU(SLOPE)]
        super().__init__(*layers, _conv(width * 2, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Judge pictures."""
        with parametrize.cached():
            # Spectral norms are estimated step by step and need float32, whatever the layers compute in.
            with torch.autocast(pictures.device.type, enabled=False):
                for layer in self:
                    getattr(layer, "weight", None)
            verdict: Tensor = super().forward(pictures)  # type: ignore[no-untyped-call]
        return verdict


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    layer = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    nn.init.normal_(layer.weight, std=0.02)
    return spectral_norm(layer)
