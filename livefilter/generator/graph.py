"""An ONNX graph in the making: bytes in, bytes out, as every style's network has it."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import TensorProto, helper

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

    def model(self, name: str) -> onnx.ModelProto:
        """The checked network from `frame` to `styled`, both uint8 [1, height, width, 3], height and width dynamic."""
        ports = [
            helper.make_tensor_value_info(port, TensorProto.UINT8, [1, "height", "width", 3])
            for port in ("frame", "styled")
        ]
        graph = helper.make_graph(self.nodes, name, ports[:1], ports[1:], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="livefilter")
        model.ir_version = 8  # the oldest that allows opset 17, so that older runtimes read the file
        onnx.checker.check_model(model, full_check=True)
        return model
