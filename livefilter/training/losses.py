"""What the student is asked for: the right colours, flat regions, and above all lines where the target has lines."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

LINE_WEIGHT = 12.0
LINE_REACH = 7
EYE_WEIGHT = 3.0
FLAT_STEP = 0.02
TONE_SIDES = 4, 8, 16


def multi_scale_l1(drawn: Tensor, target: Tensor, scales: int = 4) -> Tensor:
    """Mean absolute difference of (N, 3, H, W) pictures at 1, 1/2, 1/4 ... of their size, summed."""
    total = (drawn - target).abs().mean()
    for _ in range(scales - 1):
        drawn, target = F.avg_pool2d(drawn, 2), F.avg_pool2d(target, 2)
        total = total + (drawn - target).abs().mean()
    return total


def line_map(picture: Tensor) -> Tensor:
    """Difference of Gaussians (sigma 0.7 and 1.9) of the brightness, positive on dark lines.

    The Gaussians are repeated binomials, which cost a tenth of a convolution with one channel here.

    Args:
        picture: (N, 3, H, W) BGR.

    Returns: (N, 1, H - 14, W - 14); the border that the wide Gaussian cannot reach is left out.
    """
    grey = (picture * picture.new_tensor([0.114, 0.587, 0.299]).view(1, 3, 1, 1)).sum(1, keepdim=True).contiguous()
    narrow = wide = _binomial(grey)
    for _ in range(LINE_REACH - 1):
        wide = _binomial(wide)
    inner = LINE_REACH - 1
    return wide - narrow[:, :, inner:-inner, inner:-inner]


def line_loss(drawn: Tensor, target: Tensor, eyes: Tensor | None = None) -> Tensor:
    """Difference of the line maps, weighted where the target has lines: a missing line costs more than a soft tone.

    eyes: (N, 1, H, W), 1 where eyes are: there it costs most, for eyes are small and everybody looks at them.
    """
    weight = 1.0 + LINE_WEIGHT * line_map(target).clamp(0.0, 0.3) / 0.3
    if eyes is not None:
        weight = weight * (1.0 + EYE_WEIGHT * eyes[..., LINE_REACH:-LINE_REACH, LINE_REACH:-LINE_REACH])
    return (weight * line_map(drawn - target).abs()).mean()


def gradient_and_flatness_loss(drawn: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Compare the differences between neighbours, horizontal and vertical.

    Returns: their mean absolute difference from the target's; and the mean of those that the student draws where the
        target is flat (steps under 1 % of the range).
    """
    gradient, flatness = drawn.new_zeros(()), drawn.new_zeros(())
    for axis in (2, 3):
        steps, wanted = drawn.diff(dim=axis), target.diff(dim=axis)
        flat = (wanted.abs() < FLAT_STEP).to(drawn.dtype)
        gradient = gradient + (steps - wanted).abs().mean()
        flatness = flatness + (flat * steps.abs()).mean()
    return gradient, flatness


def tone_loss(drawn: Tensor, target: Tensor) -> Tensor:
    """Compare the differences between neighbours of pictures made 4, 8 and 16 times smaller; twice where the target is
    flat.

    A slow slide of colour across a shirt is nothing from pixel to pixel, and much from one end to the other.
    """
    total = drawn.new_zeros(())
    for side in TONE_SIDES:
        total = total + sum(gradient_and_flatness_loss(F.avg_pool2d(drawn, side), F.avg_pool2d(target, side)))
    return total


def consistency_loss(drawn: Tensor, shifts: Sequence[tuple[int, int]]) -> Tensor:
    """Ask for the same drawing of a photo that moved and has fresh noise.

    Args:
        drawn: (N, 3, H, W); its last `len(shifts)` rows show its first rows moved by (down, right) pixels.
        shifts: the moves, in pixels.
    """
    total = drawn.new_zeros(())
    first = drawn.shape[0] - len(shifts)
    height, width = drawn.shape[2:]
    for row, (down, right) in enumerate(shifts):
        here = drawn[row, :, down:, right:]
        there = drawn[first + row, :, : height - down, : width - right]
        total = total + (here - there).abs().mean()
    return total / max(1, len(shifts))


class PatchDiscriminator(nn.Module):
    """Tells drawings of a photo from the student's, patch by patch (spectral normalisation, leaky ReLU 0.2)."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        widths = [24, channels, channels * 2, channels * 4]
        strides = [1, 2, 2]
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(inputs, outputs, 3 if stride == 1 else 4, stride, 1))
            for inputs, outputs, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.verdict = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, photos: Tensor, drawings: Tensor) -> list[Tensor]:
        """Judge (N, 3, H, W) drawings of photos; the last item is the verdict map, those before it are features."""
        features = F.pixel_unshuffle(torch.cat([photos, drawings], 1), 2)
        kept = []
        for layer in self.layers:
            features = F.leaky_relu(layer(features), 0.2)
            kept.append(features)
        return [*kept, self.verdict(features)]


def discriminator_loss(real: Tensor, drawn: Tensor) -> Tensor:
    """Hinge loss of the verdicts on targets and on the student's drawings."""
    return F.relu(1.0 - real.float()).mean() + F.relu(1.0 + drawn.float()).mean()


def adversarial_loss(verdict: Tensor) -> Tensor:
    """The student's side of the hinge loss."""
    return -verdict.float().mean()


def feature_matching_loss(drawn: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of the discriminator's features (Wang et al. 2018, pix2pixHD)."""
    differences = [(a.float() - b.detach().float()).abs().mean() for a, b in zip(drawn, real, strict=True)]
    return torch.stack(differences).mean()


def _binomial(grey: Tensor) -> Tensor:
    """Blur with 1 2 1 in both directions (variance 0.5), without padding."""
    across = grey[..., :-2] + 2.0 * grey[..., 1:-1] + grey[..., 2:]
    return (across[..., :-2, :] + 2.0 * across[..., 1:-1, :] + across[..., 2:, :]) / 16.0
