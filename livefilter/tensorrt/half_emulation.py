"""A float32 graph that rounds like an FP16 one.

ONNX Runtime has no float16 kernels on most CPUs: it computes such nodes in float32 and removes the Casts between
them, so that a value that overflows on a GPU looks fine. Here every rounding is written out, as a pair of Casts that
it does keep.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from livefilter.generator.onnx_network import element_types

# These only move or choose values: what comes out of them has been rounded before.
_EXACT = {
    *("Relu", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Slice", "Concat", "Pad", "Gather", "Split"),
    *("DepthToSpace", "SpaceToDepth", "MaxPool", "Clip", "Min", "Max", "Abs", "Neg", "Expand", "Tile", "Flatten"),
}


def emulate_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of an FP16 graph (from `to_half`) in float32, with each of its roundings to float16."""
    emulated = onnx.ModelProto.FromString(model.SerializeToString())
    types = element_types(emulated)
    graph = emulated.graph
    nodes: list[onnx.NodeProto] = []
    for original in graph.node:
        node = onnx.NodeProto.FromString(original.SerializeToString())
        rounded = [name for name in node.output if name and types[name] == TensorProto.FLOAT16]
        if rounded and node.op_type == "Cast":
            for attribute in node.attribute:
                if attribute.name == "to":
                    attribute.i = TensorProto.FLOAT
        nodes.append(node)
        if rounded and node.op_type not in _EXACT:
            for place, name in enumerate(original.output):
                if name in rounded:
                    node.output[place] = f"{name}__wide"
                    nodes += _round(f"{name}__wide", name)
    tensors = [_widen(tensor) for tensor in graph.initializer]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors)
    onnx.checker.check_model(emulated, full_check=True)
    return emulated


def _round(source: str, result: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Cast", [source], [f"{result}__half"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", [f"{result}__half"], [result], to=TensorProto.FLOAT),
    ]


def _widen(tensor: onnx.TensorProto) -> onnx.TensorProto:
    if tensor.data_type != TensorProto.FLOAT16:
        return onnx.TensorProto.FromString(tensor.SerializeToString())
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)
