"""The terms of AnimeGANv2's losses (Chen et al. 2020), each a mean over the pictures of a batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from livefilter.training.animegan.recipe import Weights

# BT.601, from RGB.
_YUV = ((0.299, 0.587, 0.114), (-0.14714119, -0.28886916, 0.43601035), (0.61497538, -0.51496512, -0.10001026))


def content_loss(drawn: Tensor, photo: Tensor) -> Tensor:
    """Mean absolute difference of the features of the drawing and of its photo."""
    return F.l1_loss(drawn.float(), photo.float())


def gram(features: Tensor) -> Tensor:
    """What occurs together, wherever it is (Gatys et al. 2016): (N, C, H, W) to (N, C, C), divided by C, H and W."""
    flat = features.float().flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def style_loss(drawn: Tensor, grey: Tensor) -> Tensor:
    """Mean absolute difference of the Gram matrices of the drawings' features and of grey anime's.

    Grey, so that texture and strokes are learnt and the colours of the style's pictures are not.
    """
    return F.l1_loss(gram(drawn), gram(grey))


def colour_loss(drawn: Tensor, photo: Tensor) -> Tensor:
    """Keep the photo's colours: mean absolute difference of Y, Huber loss of U and V; RGB in [-1, 1]."""
    first, second = _yuv(drawn.float()), _yuv(photo.float())
    chroma = F.huber_loss(first[:, 1], second[:, 1]) + F.huber_loss(first[:, 2], second[:, 2])
    return F.l1_loss(first[:, 0], second[:, 0]) + chroma


def variation_loss(drawn: Tensor) -> Tensor:
    """Total variation: half the mean square of the differences between neighbours, down and across."""
    down, across = drawn.float().diff(dim=2), drawn.float().diff(dim=3)
    return (down.square().mean() + across.square().mean()) / 2


def adversarial_loss(verdict: Tensor) -> Tensor:
    """The generator's side of LSGAN (Mao et al. 2017): drawings should be called anime."""
    return (verdict.float() - 1).square().mean()


def discriminator_terms(verdicts: Tensor) -> dict[str, Tensor]:
    """The discriminator's side: anime toward 1; drawings, grey anime and smoothed grey anime toward 0.

    Args:
        verdicts: (4 N, 1, h, w) on anime, drawings, grey, smoothed, N of each in this order.
    """
    anime, drawn, grey, smooth = verdicts.float().chunk(4)
    return {
        "anime": (anime - 1).square().mean(),
        "drawn": drawn.square().mean(),
        "grey": grey.square().mean(),
        "smooth": smooth.square().mean(),
    }


def discriminator_loss(terms: dict[str, Tensor], weights: Weights) -> Tensor:
    """Their weighted sum."""
    parts = [getattr(weights, name) * value for name, value in terms.items()]
    return weights.adversarial * torch.stack(parts).sum()


def generator_loss(terms: dict[str, Tensor], weights: Weights) -> Tensor:
    """The weighted sum of those of adversarial, content, style, colour and variation that are there."""
    return torch.stack([getattr(weights, name) * value for name, value in terms.items()]).sum()


def _yuv(pictures: Tensor) -> Tensor:
    matrix = pictures.new_tensor(_YUV)
    return torch.einsum("kc,nchw->nkhw", matrix, (pictures + 1) / 2)
