"""Small networks for the tests of engine building: uint8 NHWC BGR in and out, made without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = list[int | str]
FREE: Shape = [1, "height", "width", 3]


def make_network(
    path: Path, middle: list[onnx.NodeProto], constants: Mapping[str, Any], shape: Shape | None = None, opset: int = 17
) -> Path:
    """Write a network whose nodes `middle` make `drawn` from `planes`, float32 (1, 3, H, W) in 0..255."""
    values = {"lowest": np.float32(0), "highest": np.float32(255), **constants}
    nodes = [
        helper.make_node("Cast", ["frame"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["wide"], ["planes"], perm=[0, 3, 1, 2]),
        *middle,
        helper.make_node("Clip", ["drawn", "lowest", "highest"], ["levels"]),
        helper.make_node("Transpose", ["levels"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["last"], ["styled"], to=TensorProto.UINT8),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("frame", TensorProto.UINT8, shape or FREE)],
        [helper.make_tensor_value_info("styled", TensorProto.UINT8, shape or FREE)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8 if opset < 21 else 10
    onnx.save(model, str(path))
    return path


def gains(path: Path, first: float) -> Path:
    """Two 1x1 convolutions that multiply by `first` and divide by it again: nothing changes, but for roundings."""
    identity = np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)
    middle = [
        helper.make_node("Conv", ["planes", "up"], ["large"]),
        helper.make_node("Conv", ["large", "down"], ["drawn"]),
    ]
    return make_network(path, middle, {"up": identity * np.float32(first), "down": identity / np.float32(first)})


def normalising(path: Path) -> Path:
    """What a published generator holds: reflect padding, a norm written out, a native norm, resizing to a read size."""
    rng = np.random.default_rng(0)
    constants = {
        "scale": np.float32(1 / 127.5),
        "one": np.float32(1),
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        "kernel": rng.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32),
        "epsilon": np.float32(1e-6),
        "gain": np.ones(8, np.float32),
        "shift": np.zeros(8, np.float32),
        "back": rng.normal(0, 0.3, (3, 8, 1, 1)).astype(np.float32),
        "half": np.array([1, 1, 0.5, 0.5], np.float32),
        "range": np.float32(60),
        "centre": np.float32(128),
    }
    node = helper.make_node
    middle = [
        node("Mul", ["planes", "scale"], ["unit"]),
        node("Sub", ["unit", "one"], ["signed"]),
        node("Pad", ["signed", "pads"], ["padded"], mode="reflect"),
        node("Conv", ["padded", "kernel"], ["features"]),
        node("ReduceMean", ["features"], ["mean"], axes=[1, 2, 3], keepdims=1),
        node("Sub", ["features", "mean"], ["centred"]),
        node("Mul", ["centred", "centred"], ["squared"]),
        node("ReduceMean", ["squared"], ["variance"], axes=[1, 2, 3], keepdims=1),
        node("Add", ["variance", "epsilon"], ["safe"]),
        node("Sqrt", ["safe"], ["deviation"]),
        node("Div", ["centred", "deviation"], ["normal"]),
        node("LeakyRelu", ["normal"], ["active"], alpha=0.2),
        node("Shape", ["active"], ["size"]),
        node("Resize", ["active", "", "half"], ["small"], mode="linear"),
        node("Resize", ["small", "", "", "size"], ["large"], mode="linear"),
        node("InstanceNormalization", ["large", "gain", "shift"], ["instance"]),
        node("Conv", ["instance", "back"], ["colours"]),
        node("Tanh", ["colours"], ["bounded"]),
        node("Mul", ["bounded", "range"], ["spread"]),
        node("Add", ["spread", "centre"], ["drawn"]),
    ]
    return make_network(path, middle, constants)


def normalised_by(path: Path, kind: str) -> Path:
    """Convolution, `normal` by one native operator, activation, convolution: opset 21, statistics from large values.

    kind: "group" (two groups), "whole" (all channels as one group), "layer" (over the channels of each pixel),
    "whole layer" (over the channels and the whole picture), "instance" (each channel), "whole instance" (all channels
    as one long one).
    """
    node = helper.make_node
    rng = np.random.default_rng(0)
    constants = {
        "kernel": rng.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32),
        "gain": rng.normal(1, 0.2, 8).astype(np.float32),
        "shift": rng.normal(0, 0.2, 8).astype(np.float32),
        "wide_gain": rng.normal(1, 0.2, (8, 1, 1)).astype(np.float32),
        "wide_shift": rng.normal(0, 0.2, (8, 1, 1)).astype(np.float32),
        "one": np.ones(1, np.float32),
        "none": np.zeros(1, np.float32),
        "flat": np.array([0, 1, -1]),
        "back": rng.normal(0, 0.3, (3, 8, 1, 1)).astype(np.float32),
        "range": np.float32(60),
        "centre": np.float32(128),
    }
    norms = {
        "group": [node("GroupNormalization", ["features", "gain", "shift"], ["normal"], num_groups=2)],
        "whole": [node("GroupNormalization", ["features", "gain", "shift"], ["normal"], num_groups=1)],
        "layer": [
            node("Transpose", ["features"], ["pixels"], perm=[0, 2, 3, 1]),
            node("LayerNormalization", ["pixels", "gain", "shift"], ["levelled"], axis=-1),
            node("Transpose", ["levelled"], ["normal"], perm=[0, 3, 1, 2]),
        ],
        "whole layer": [
            node("LayerNormalization", ["features", "wide_gain", "wide_shift"], ["normal"], axis=1),
        ],
        "instance": [node("InstanceNormalization", ["features", "gain", "shift"], ["normal"])],
        "whole instance": [
            node("Reshape", ["features", "flat"], ["long"]),
            node("InstanceNormalization", ["long", "one", "none"], ["long_normal"]),
            node("Shape", ["features"], ["size"]),
            node("Reshape", ["long_normal", "size"], ["plain"]),
            node("Mul", ["plain", "wide_gain"], ["scaled"]),
            node("Add", ["scaled", "wide_shift"], ["normal"]),
        ],
    }
    middle = [
        node("Conv", ["planes", "kernel"], ["features"], pads=[1, 1, 1, 1]),
        *norms[kind],
        node("LeakyRelu", ["normal"], ["active"], alpha=0.2),
        node("Conv", ["active", "back"], ["colours"]),
        node("Tanh", ["colours"], ["bounded"]),
        node("Mul", ["bounded", "range"], ["spread"]),
        node("Add", ["spread", "centre"], ["drawn"]),
    ]
    return make_network(path, middle, constants, opset=21)


NORMS = ("group", "whole", "layer", "whole layer", "instance", "whole instance")
