"""An ONNX graph in the making: bytes in, bytes out, as every style's network has it."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import TensorProto, helper

from livefilter.generator.onnx_network import FRAME, PERSON, STRENGTH, STYLED

OPSET = 17


class Graph:
    """Collects nodes and initializers; `node` returns the name of the tensor it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add an operator."""
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=f"{operator}_{output}", **attributes))
        return output

    def model(self, name: str, *, strength: bool = False, person: bool = False) -> onnx.ModelProto:
        """The checked network from `frame` to `styled`, both uint8 [1, height, width, 3], height and width dynamic.

        strength, person: whether it has the second input and the second output of livefilter.generator.export.
        """
        port = helper.make_tensor_value_info
        size: list[int | str] = [1, "height", "width", 3]
        given = [port(FRAME, TensorProto.UINT8, size)]
        if strength:
            given.append(port(STRENGTH, TensorProto.FLOAT, [1, "strength_height", "strength_width", 1]))
        made = [port(STYLED, TensorProto.UINT8, size)]
        if person:
            made.append(port(PERSON, TensorProto.UINT8, [1, "half_height", "half_width", 1]))
        graph = helper.make_graph(self.nodes, name, given, made, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="livefilter")
        model.ir_version = 8  # the oldest that allows opset 17, so that older runtimes read the file
        onnx.checker.check_model(model, full_check=True)
        return model
