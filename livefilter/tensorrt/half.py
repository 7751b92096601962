"""The FP16 form of a network.

TensorRT networks are strongly typed: what is half precision in the ONNX file is half precision in the engine, and
nothing else is. The rules for what stays float32 are in `livefilter.tensorrt.half_rules`.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from livefilter.errors import StyleCorrupt
from livefilter.generator.onnx_network import FRAME, element_types
from livefilter.tensorrt.half_rules import ALWAYS_FLOAT, kept_in_float32


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that computes in float16 wherever it may; `frame` and `styled` stay uint8.

    model: from `load_network`.
    Raises: StyleCorrupt: an operator is unknown, so that its types are, too.
    """
    source = onnx.ModelProto.FromString(model.SerializeToString())
    del source.graph.value_info[:]
    types = element_types(source)
    for node in source.graph.node:
        unknown = [name for name in node.output if name and name not in types]
        if unknown:
            raise StyleCorrupt(
                f"The network cannot be converted to FP16: the types of {node.op_type} nodes "
                "are unknown. Build it with --precision fp32."
            )
    _Conversion(source, types).run()
    onnx.checker.check_model(source, full_check=True)
    return source


class _Conversion:
    """Rewrites one graph in place; a Cast is put wherever a tensor crosses between the precisions."""

    def __init__(self, model: onnx.ModelProto, types: dict[str, int]) -> None:
        self._graph = model.graph
        self._types = types
        self._constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self._kept = kept_in_float32(model.graph, types, self._constants)
        self._now: dict[str, int] = {}  # tensor -> its float type after conversion
        self._made: dict[tuple[str, int], str] = {}  # (tensor, type) -> the name it has in that type
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []

    def run(self) -> None:
        for index, node in enumerate(self._graph.node):
            self._convert(node, TensorProto.FLOAT if index in self._kept else TensorProto.FLOAT16)
        used = {name for node in self._nodes for name in node.input}
        others = [t for t in self._graph.initializer if not self._is_float(t.name) and t.name in used]
        initializers = [onnx.TensorProto.FromString(t.SerializeToString()) for t in others] + self._initializers
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        del self._graph.initializer[:]
        self._graph.initializer.extend(initializers)

    def _convert(self, node: onnx.NodeProto, wanted: int) -> None:
        copy = onnx.NodeProto.FromString(node.SerializeToString())
        if node.op_type == "Cast":
            if node.input[0] in self._now:  # a Cast reads any type: no Cast before it
                pass
            elif node.input[0] in self._constants and self._is_float(node.input[0]):
                copy.input[0] = self._as(node.input[0], TensorProto.FLOAT)
            for attribute in copy.attribute:
                if attribute.name == "to" and self._is_float(node.output[0]):
                    attribute.i = wanted
        else:
            always = ALWAYS_FLOAT.get(node.op_type, ())
            for place, name in enumerate(node.input):
                if name and self._is_float(name):
                    copy.input[place] = self._as(name, TensorProto.FLOAT if place in always else wanted)
        self._nodes.append(copy)
        for name in node.output:
            if name and self._is_float(name):
                self._now[name] = wanted

    def _as(self, name: str, wanted: int) -> str:
        if self._now.get(name) == wanted:
            return name
        key = (name, wanted)
        if key not in self._made:
            self._made[key] = made = f"{name}__{'half' if wanted == TensorProto.FLOAT16 else 'float'}"
            if name in self._constants:
                dtype = np.float16 if wanted == TensorProto.FLOAT16 else np.float32
                self._initializers.append(numpy_helper.from_array(self._constants[name].astype(dtype), made))
            else:
                self._nodes.append(helper.make_node("Cast", [name], [made], name=f"Cast_{made}", to=wanted))
        return self._made[key]

    def _is_float(self, name: str) -> bool:
        return name != FRAME and self._types.get(name) in (TensorProto.FLOAT, TensorProto.FLOAT16)
