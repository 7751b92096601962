"""Features of a MobileNetV2, by which drawings are compared as eyes compare them rather than pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from livefilter.errors import InvalidInput

LAST = 9  # block, at 1/16 of the picture's size; further ones know what is shown, and no more how
COMPARED = 2, 5, LAST  # the last ones at 1/4, 1/8 and 1/16
HALVING = 1, 3, 6
_EPSILON = 1e-3  # of Keras's batch normalisation

Weights = Mapping[str, npt.NDArray[np.float32]]


class MobileFeatures(nn.Module):
    """The first blocks of MobileNetV2 (Sandler et al. 2018), with normalisations folded into the kernels.

    weights: by Keras's names, such as "block_1_expand/kernel"; channels are as many as they have.

    Raises: KeyError: one is missing.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._keep("first", weights["Conv1/kernel"].transpose(3, 2, 0, 1), weights, "bn_Conv1")
        for index in range(LAST + 1):
            name = f"block_{index}" if index else "expanded_conv"
            if index:
                kernel = weights[f"{name}_expand/kernel"].transpose(3, 2, 0, 1)
                self._keep(f"wide_{index}", kernel, weights, f"{name}_expand_BN")
            kernel = weights[f"{name}_depthwise/depthwise_kernel"].transpose(2, 3, 0, 1)
            self._keep(f"deep_{index}", kernel, weights, f"{name}_depthwise_BN")
            kernel = weights[f"{name}_project/kernel"].transpose(3, 2, 0, 1)
            self._keep(f"narrow_{index}", kernel, weights, f"{name}_project_BN")

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """What the blocks `COMPARED` make of (N, 3, H, W) pictures, BGR in [-1, 1]; H and W multiples of 16."""
        features = F.relu6(self._halved("first", pictures.flip(1) * 0.5 + 0.5))  # it was trained in RGB from 0 to 1
        kept = []
        for index in range(LAST + 1):
            hidden = F.relu6(self._conv(f"wide_{index}", features)) if index else features
            groups = hidden.shape[1]
            if index in HALVING:
                hidden = self._halved(f"deep_{index}", hidden, groups)
            else:
                hidden = self._conv(f"deep_{index}", hidden, padding=1, groups=groups)
            hidden = self._conv(f"narrow_{index}", F.relu6(hidden))
            features = features + hidden if index and features.shape == hidden.shape else hidden
            if index in COMPARED:
                kept.append(features)
        return kept

    def _keep(self, name: str, kernel: npt.NDArray[np.float32], weights: Weights, norm: str) -> None:
        gamma, beta, mean, variance = (
            weights[f"{norm}/{n}"] for n in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        scale = gamma / np.sqrt(variance + _EPSILON)
        folded = torch.from_numpy(np.ascontiguousarray(kernel * scale[:, None, None, None])).float()
        self.register_buffer(f"{name}_kernel", folded.contiguous(memory_format=torch.channels_last))
        self.register_buffer(f"{name}_bias", torch.from_numpy(beta - mean * scale).float())

    def _conv(self, name: str, features: Tensor, stride: int = 1, padding: int = 0, groups: int = 1) -> Tensor:
        kernel, bias = self.get_buffer(f"{name}_kernel"), self.get_buffer(f"{name}_bias")
        return F.conv2d(features, kernel, bias, stride, padding, groups=groups)

    def _halved(self, name: str, features: Tensor, groups: int = 1) -> Tensor:
        # Keras pads sides that are even at the end alone.
        return self._conv(name, F.pad(features, (0, 1, 0, 1)), stride=2, groups=groups)


def read_features(path: Path) -> MobileFeatures:
    """The network from a Keras file (HDF5) of a whole MobileNetV2.

    Raises: InvalidInput: the file is none, or h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise InvalidInput("--perceptual needs h5py: pip install 'livefilter[training]'") from error
    weights: dict[str, npt.NDArray[np.float32]] = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            weights["/".join(name.split("/")[-2:]).removesuffix(":0")] = np.asarray(item, np.float32)

    try:
        with h5py.File(path) as file:
            file.visititems(keep)
        return MobileFeatures(weights)
    except (OSError, KeyError, ValueError) as error:
        raise InvalidInput(
            f"{path} is no Keras file of a MobileNetV2 ({error}). Name another with --perceptual."
        ) from error


def perceptual_loss(eyes: MobileFeatures, drawn: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of features, each level through the spread of the target's (Johnson et al. 2016).

    drawn, target: (N, 3, H, W) BGR in [-1, 1].
    """
    with torch.no_grad():
        wanted = [each.float() for each in eyes(target)]
    levels = [(a.float() - b).abs().mean() / b.std() for a, b in zip(eyes(drawn), wanted, strict=True)]
    return torch.stack(levels).mean()
