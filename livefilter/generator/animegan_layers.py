"""The layers that the AnimeGAN generators are made of: chains, and sums of two, so that any walk can follow."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2

Norm = Callable[[int], nn.Module]


def layer_norm(channels: int) -> nn.Module:
    """Normalise each picture over C, H and W (Ba et al. 2016); scale and shift for each channel."""
    return nn.GroupNorm(1, channels)


def instance_norm(channels: int) -> nn.Module:
    """Normalise each channel of each picture over H and W (Ulyanov et al. 2016); scale and shift for each channel."""
    return nn.InstanceNorm2d(channels, affine=True)


def pad(size: int, stride: int = 1) -> nn.ReflectionPad2d:
    """What a convolution is padded with; one of stride 2 reaches further down and to the right."""
    reach = size // 2
    return nn.ReflectionPad2d((0, 1, 0, 1) if stride == 2 else (reach, reach, reach, reach))


def conv(
    inputs: int,
    outputs: int,
    size: int = 3,
    stride: int = 1,
    groups: int = 1,
    bias: bool = False,
    norm: Norm = layer_norm,
) -> nn.Sequential:
    """Reflect padding, convolution, normalisation, leaky ReLU: (N, inputs, H, W) to (N, outputs, H / stride, ...)."""
    return nn.Sequential(
        pad(size, stride),
        nn.Conv2d(inputs, outputs, size, stride, groups=groups, bias=bias),
        norm(outputs),
        nn.LeakyReLU(SLOPE),
    )


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Like `conv` with instance normalisation, but a depthwise 3x3 and a 1x1 in place of the convolution."""
    return nn.Sequential(
        pad(3, stride),
        nn.Conv2d(inputs, inputs, 3, stride, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        instance_norm(outputs),
        nn.LeakyReLU(SLOPE),
    )


class Doubled(nn.Module):
    """Twice the height and width, bilinear: every pixel stays, and the means of neighbours come between.

    So TensorFlow 1 enlarges, with which the published weights were trained. Pixel centres half a pixel in, as PyTorch
    would have them, change AnimeGANv2 Hayao's drawing by 6 to 9 grey levels on average.
    """

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, 2 H, 2 W)."""
        height, width = features.shape[2:]
        more = F.pad(features, (0, 1, 0, 1), mode="replicate")
        size = [2 * height + 1, 2 * width + 1]
        return F.interpolate(more, size=size, mode="bilinear", align_corners=True)[:, :, :-1, :-1]


class InvertedResidual(nn.Module):
    """1x1 to twice the width, depthwise 3x3, 1x1 back, normalised; added to the input where the widths agree."""

    def __init__(self, inputs: int, outputs: int, norm: Norm = layer_norm, bias: bool = True) -> None:
        super().__init__()
        wide = inputs * 2
        self.added = inputs == outputs
        self.layers = nn.Sequential(
            conv(inputs, wide, 1, norm=norm),
            conv(wide, wide, groups=wide, bias=bias, norm=norm),
            nn.Conv2d(wide, outputs, 1, bias=False),
            norm(outputs),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        out: Tensor = self.layers(features)
        return features + out if self.added else out


class Bottleneck(nn.Module):
    """The light generator's residual block: 1x1 to `wide`, 3x3, 1x1 back, the last without normalisation."""

    added = True

    def __init__(self, channels: int, wide: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv(channels, wide, 1), conv(wide, wide), nn.Conv2d(wide, channels, 1, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels, H, W) to the same shape."""
        out: Tensor = features + self.layers(features)
        return out


class Halved(nn.Module):
    """The first generator's way down: a separable convolution of stride 2, plus one of what was halved bilinearly."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.strided = separable(inputs, outputs, stride=2)
        # Bilinear, to half the size, is the mean of four.
        self.resized = nn.Sequential(nn.AvgPool2d(2), separable(inputs, outputs))

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / 2, W / 2)."""
        out: Tensor = self.strided(features) + self.resized(features)
        return out
