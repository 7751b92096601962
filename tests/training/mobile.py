"""A thin MobileNetV2, made on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

CHANNELS = 4
Weights = dict[str, npt.NDArray[np.float32]]


def weights() -> Weights:
    """A thin MobileNetV2 with random weights, by Keras's names."""
    random = np.random.default_rng(0)
    found: Weights = {}

    def layer(name: str, shape: tuple[int, ...], norm: str, kind: str = "kernel") -> None:
        found[f"{name}/{kind}"] = random.normal(0.0, 0.4, shape).astype(np.float32)
        count = shape[2] if kind != "kernel" else shape[3]
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            found[f"{norm}/{part}"] = random.uniform(0.5, 1.5, count).astype(np.float32)

    layer("Conv1", (3, 3, 3, CHANNELS), "bn_Conv1")
    for index in range(10):
        name = f"block_{index}" if index else "expanded_conv"
        wide = 2 * CHANNELS if index else CHANNELS
        if index:
            layer(f"{name}_expand", (1, 1, CHANNELS, wide), f"{name}_expand_BN")
        layer(f"{name}_depthwise", (3, 3, wide, 1), f"{name}_depthwise_BN", "depthwise_kernel")
        layer(f"{name}_project", (1, 1, wide, CHANNELS), f"{name}_project_BN")
    return found


def write_keras(path: Path, values: Weights) -> Path:
    """As Keras writes them: each layer a group, of the same name twice."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, value in values.items():
            layer, kind = name.split("/")
            file[f"model_weights/{layer}/{layer}/{kind}:0"] = value
    return path
