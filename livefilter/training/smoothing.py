"""L0 smoothing: flat regions with sharp borders."""

from __future__ import annotations

import numpy as np
import torch

from livefilter.frame import Image

_MARGIN = 24
_STEEPEST = 1e5


def l0_smoothed(picture: Image, smoothness: float, pace: float = 2.0) -> Image:
    """Keep the strongest borders of (H, W, 3) uint8 and make all between them flat (Xu et al. 2011, L0 gradients).

    Half-quadratic splitting: borders that cost less than they save are set to 0, then the picture that has the others
    is found with Fourier transforms. A margin of its mirror image keeps one side from shining through to the other.

    smoothness: lambda of the paper; 0.004 takes away shading, 0.02 folds of cloth too.
    """
    height, width = (_fast_length(side + 2 * _MARGIN) - 2 * _MARGIN for side in picture.shape[:2])
    bottom, right = _MARGIN + height - picture.shape[0], _MARGIN + width - picture.shape[1]
    framed = np.pad(picture, [(_MARGIN, bottom), (_MARGIN, right), (0, 0)], "symmetric")
    levels = torch.from_numpy(framed.transpose(2, 0, 1).astype(np.float32) / 255.0)
    size = framed.shape[:2]
    down = 2.0 - 2.0 * torch.cos(2.0 * torch.pi * torch.fft.fftfreq(size[0]))[:, None]
    across = 2.0 - 2.0 * torch.cos(2.0 * torch.pi * torch.fft.rfftfreq(size[1]))[None, :]
    gradients = down + across
    given = torch.fft.rfft2(levels)
    weight = 2.0 * smoothness
    while weight < _STEEPEST:
        steps = [levels.roll(-1, axis) - levels for axis in (1, 2)]
        kept = (steps[0].square() + steps[1].square()).sum(0) >= smoothness / weight
        steps = [step * kept for step in steps]
        pulled = sum(step.roll(1, axis) - step for axis, step in enumerate(steps, 1))
        levels = torch.fft.irfft2((given + weight * torch.fft.rfft2(pulled)) / (1.0 + weight * gradients), s=size)
        weight *= pace
    inner = levels[:, _MARGIN : _MARGIN + picture.shape[0], _MARGIN : _MARGIN + picture.shape[1]]
    return np.asarray(np.rint(np.clip(inner.numpy().transpose(1, 2, 0) * 255.0, 0.0, 255.0)), np.uint8)


def _fast_length(side: int) -> int:
    """The next length with no other prime factors than 2, 3 and 5, for which Fourier transforms are fast."""
    length = side
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1
