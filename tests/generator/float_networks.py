"""Small ONNX generators as others publish them: RGB float in [-1, 1]."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Red and green change places and blue is turned round, so that no mix-up of channels goes unseen.
KERNEL = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]], np.float32)[:, :, None, None]


def write_generator(
    path: Path,
    *,
    channels_last: bool = True,
    size: tuple[int, int] | None = None,
    half: bool = False,
    pool: int = 1,
    opset: int = 13,
    gain: float = 1.0,
    bias: float = 0.0,
    channels: int = 3,
    batch: int | str = 1,
    outputs: int = 1,
) -> Path:
    """Write a 1x1 convolution with KERNEL between optional layers.

    size: (width, height) to fix. pool: average over squares of that side, so that it must divide both sides.
    gain, bias: of what comes out, to leave [-1, 1].
    """
    kind, dtype = (TensorProto.FLOAT16, np.float16) if half else (TensorProto.FLOAT, np.float32)
    width, height = size or ("w", "h")
    kernel = KERNEL if channels == 3 else np.ones((channels, channels, 1, 1), np.float32)
    nodes = []
    planes = "in:0"
    if channels_last:
        nodes.append(helper.make_node("Transpose", [planes], ["t"], perm=[0, 3, 1, 2]))
        planes = "t"
    if pool > 1:
        nodes.append(helper.make_node("AveragePool", [planes], ["p"], kernel_shape=[pool] * 2, strides=[pool] * 2))
        nodes.append(helper.make_node("Resize", ["p", "roi", "scales"], ["r"], mode="nearest"))
        planes = "r"
    drawn = "d" if channels_last else "out"
    nodes.append(helper.make_node("Conv", [planes, "kernel", "bias"], [drawn]))
    if channels_last:
        nodes.append(helper.make_node("Transpose", [drawn], ["out"], perm=[0, 2, 3, 1]))
    extra = [f"out{number}" for number in range(1, outputs)]
    nodes += [helper.make_node("Identity", ["out"], [name]) for name in extra]
    constants = {"kernel": kernel * gain, "bias": np.full(channels, bias)}
    tensors = [numpy_helper.from_array(value.astype(dtype), name) for name, value in constants.items()]
    if pool > 1:
        tensors.append(numpy_helper.from_array(np.array([1, 1, pool, pool], np.float32), "scales"))
        tensors.append(numpy_helper.from_array(np.zeros(0, np.float32), "roi"))
    shape: list[Any] = [batch, height, width, channels] if channels_last else [batch, channels, height, width]
    graph = helper.make_graph(
        nodes,
        "published",
        [helper.make_tensor_value_info("in:0", kind, shape)],
        [helper.make_tensor_value_info(name, kind, shape) for name in ("out", *extra)],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="hand")
    model.ir_version = 8
    onnx.save(model, str(path))
    return path
