"""What a network costs: weights and multiply-accumulates, counted from its ONNX graph."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from livefilter.frame import Image
from livefilter.generator.onnx_network import FRAME, STRENGTH
from livefilter.inference.providers import CPU, create_session, quiet_options

# Their constants are sizes and amounts, not weights.
_WITHOUT_WEIGHTS = {"Resize", "Upsample", "Pad", "Reshape", "Slice", "Clip", "Gather", "Expand", "Tile"}
_CONVOLUTIONS = ("Conv", "ConvTranspose", "ConvInteger", "QLinearConv")


def parameters(model: onnx.ModelProto) -> int:
    """The number of weights: of all constants with more than one value that are calculated with."""
    used = {name for node in model.graph.node if node.op_type not in _WITHOUT_WEIGHTS for name in node.input}
    counts = [
        int(np.prod(tensor.dims)) for tensor in model.graph.initializer if tensor.name in used and len(tensor.dims) > 0
    ]
    return sum(count for count in counts if count > 1)


def macs_per_pixel(model: onnx.ModelProto, image: Image) -> int:
    """Multiply-accumulates of the convolutions for each pixel of `image`, (H, W, 3) uint8 BGR of a size that it takes.

    The network is run once, because shapes that are calculated in the graph cannot be read from it.
    """
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    weights |= {
        node.output[0]: weights[node.input[0]]
        for node in model.graph.node
        if node.op_type in ("Cast", "DequantizeLinear", "Identity") and node.input[0] in weights
    }
    asked: list[tuple[str, int]] = []
    for node in model.graph.node:
        if node.op_type in _CONVOLUTIONS:
            kernel = node.input[3] if node.op_type == "QLinearConv" else node.input[1]
            if kernel in weights:
                # A kernel's weights are all used once for each value of the map that they slide over.
                sliding = node.input[0] if node.op_type == "ConvTranspose" else node.output[0]
                asked.append((sliding, int(np.prod(weights[kernel]))))
    probe = onnx.ModelProto.FromString(model.SerializeToString())
    known = {port.name for port in probe.graph.output} | {port.name for port in probe.graph.input}
    probe.graph.output.extend(
        helper.make_empty_tensor_value_info(name)
        for name in dict.fromkeys(name for name, _ in asked)
        if name not in known
    )
    session = create_session(probe.SerializeToString(), quiet_options(), [(CPU, {})])
    names = [port.name for port in session.get_outputs()]
    given = {FRAME: image[None]}
    if any(port.name == STRENGTH for port in session.get_inputs()):
        given[STRENGTH] = np.ones((1, 1, 1, 1), np.float32)
    maps = dict(zip(names, session.run(names, given), strict=True))
    total = sum(count * int(np.prod(maps[name].shape[2:])) for name, count in asked if name in maps)
    return round(total / (image.shape[0] * image.shape[1]))
