"""An ONNX graph in the making: bytes in, bytes out, as every style's network has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from livefilter.generator.onnx_network import FRAME, PERSON, STRENGTH, STYLED

OPSET = 17


class Graph:
    """Collects nodes and initializers; every method but `model` returns the name of the tensor it made.

    prefix: begins all names, for what is added to another graph.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add an operator."""
        output = output or f"{self._prefix}{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=f"{operator}_{output}", **attributes))
        return output

    def cast(self, tensor: str, kind: int, output: str = "") -> str:
        """Add a Cast."""
        return self.node("Cast", tensor, output=output, to=kind)

    def constant(self, value: npt.ArrayLike, name: str = "") -> str:
        """Add an initializer, of the value's own type."""
        name = name or f"{self._prefix}constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def number(self, value: float, name: str = "") -> str:
        """Add a float32."""
        return self.constant(np.float32(value), name)

    def frame(self) -> str:
        """The frame's bytes as planes, (1, 3, height, width) in [-1, 1]. Only Cast touches uint8: TensorRT parses
        nothing else there."""
        planes = self.node("Transpose", self.cast(FRAME, TensorProto.FLOAT), perm=[0, 3, 1, 2])
        return self.node(
            "Sub", self.node("Mul", planes, self.number(1 / 127.5, "inverse_scale")), self.number(1.0, "one")
        )

    def styled(self, planes: str) -> str:
        """Planes in [-1, 1] as the styled bytes. Clip comes before the Cast, which truncates, and the 128 rounds."""
        levels = self.node("Add", self.node("Mul", planes, self.number(127.5, "scale")), self.number(128.0, "middle"))
        levels = self.node("Clip", levels, self.number(0.0, "lowest"), self.number(255.0, "highest"))
        return self.cast(self.node("Transpose", levels, perm=[0, 2, 3, 1]), TensorProto.UINT8, output=STYLED)

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
