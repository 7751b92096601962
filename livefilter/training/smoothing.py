"""L0 smoothing: flat regions with sharp borders."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_MARGIN = 24
_STEEPEST = 1e5


def l0_smoothed(picture: Image, smoothness: float, pace: float = 2.0) -> Image:
    """Keep the strongest borders of (H, W, 3) uint8 and make all between them flat (Xu et al. 2011, L0 gradients).

    Half-quadratic splitting: borders that cost less than they save are set to 0, then the picture that has the others
    is found with Fourier transforms. A margin of its mirror image keeps one side from shining through to the other.

    smoothness: lambda of the paper; 0.004 takes away shading, 0.02 folds of cloth too.
    """
    framed = np.pad(picture, [(_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)], "symmetric")
    levels = framed.astype(np.float32) / 255.0
    height, width = levels.shape[:2]
    down = 2.0 - 2.0 * np.cos(2.0 * np.pi * np.fft.fftfreq(height))[:, None, None]
    across = 2.0 - 2.0 * np.cos(2.0 * np.pi * np.fft.rfftfreq(width))[None, :, None]
    gradients = (down + across).astype(np.float32)
    given = np.fft.rfft2(levels, axes=(0, 1))
    weight = 2.0 * smoothness
    while weight < _STEEPEST:
        steps = [np.roll(levels, -1, axis) - levels for axis in (0, 1)]
        kept = sum((step**2).sum(2, keepdims=True) for step in steps) >= smoothness / weight
        steps = [step * kept for step in steps]
        pulled = sum(np.roll(step, 1, axis) - step for axis, step in enumerate(steps))
        spectrum = (given + weight * np.fft.rfft2(pulled, axes=(0, 1))) / (1.0 + weight * gradients)
        levels = np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1)).astype(np.float32)
        weight *= pace
    inner = levels[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return np.asarray(np.rint(np.clip(inner * 255.0, 0.0, 255.0)), np.uint8)
