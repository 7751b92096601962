"""A style's network as people export it today: float RGB from -1 to 1 in and out, scaled outside in numpy."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from livefilter.errors import BackendUnavailable, InvalidInput, StyleCorrupt
from livefilter.inference.ports import STRENGTH

INPUT, OUTPUT = "rgb", "styled_rgb"
# What stands between a frame's bytes and the network proper.
_SCALING = {"Add", "Cast", "Clip", "Div", "Mul", "Round", "Sub", "Transpose"}
# What makes edges crisp last of all does so in each colour alone, whatever their order.
_BY_COLOUR = {"Add", "Max", "MaxPool", "Min", "Mul", "Neg"}


def missing_onnx() -> str | None:
    """Why a network cannot be cut, and how to fix that; None when it can."""
    try:
        importlib.import_module("onnx")
    except ImportError as error:
        return f"--against naive needs the package onnx to rebuild the network ({error}). Install it: pip install onnx"
    return None


def float_network(network: Path, width: int, height: int) -> bytes:
    """Cut the byte scaling off a style's network and let it take RGB.

    The weights of the first and last convolution are reordered from BGR to RGB, so no node is added for it.
    Returns: an ONNX file with input `rgb` and output `styled_rgb`, float32 (1, height, width, 3), -1..1.
    Raises: BackendUnavailable: onnx is not installed. StyleCorrupt. InvalidInput: the network has another build.
    """
    missing = missing_onnx()
    if missing:
        raise BackendUnavailable(missing)
    onnx = importlib.import_module("onnx")
    try:
        model = onnx.load(str(network))
    except Exception as error:
        raise StyleCorrupt(f"Network file {network} cannot be read: {error}. Reinstall livefilter.") from error
    _leave_one_input_and_output(onnx, model.graph)
    cut = _Cut(model, network.name)
    first, last = cut.after("frame"), cut.before("styled")
    cut.flip_inputs(first)
    cut.flip_outputs(last)
    cut.finish(first, last, width, height)
    data: bytes = model.SerializeToString()
    return data


def _leave_one_input_and_output(onnx: Any, graph: Any) -> None:
    """Fix the strength of a network that takes one at 1, and drop what only tells where people are."""
    if any(port.name == STRENGTH for port in graph.input):
        graph.initializer.append(onnx.numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), STRENGTH))
    wanted = {"styled"}
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
    kept = [node for node in graph.node if wanted & set(node.output)]
    del graph.node[:]
    graph.node.extend(kept)


class _Cut:
    """Edits one model in place."""

    def __init__(self, model: Any, name: str) -> None:
        self._onnx = importlib.import_module("onnx")
        self._graph = model.graph
        self._name = name
        self._weights = {tensor.name: tensor for tensor in self._graph.initializer}
        self._maker = {output: node for node in self._graph.node for output in node.output}
        self._dropped: list[Any] = []

    def after(self, tensor: str) -> str:
        """Follow the scaling from the input on: the tensor that the network proper takes."""
        while len(users := self._users(tensor)) == 1 and self._only_scales(users[0]):
            self._dropped.append(users[0])
            tensor = users[0].output[0]
        return tensor

    def before(self, tensor: str) -> str:
        """Follow the scaling back from the output: the tensor that the network proper gives."""
        while (node := self._maker.get(tensor)) is not None and self._only_scales(node):
            self._dropped.append(node)
            tensor = next(name for name in node.input if not self._is_constant(name))
        return tensor

    def flip_inputs(self, tensor: str) -> None:
        """Let every convolution that takes `tensor` take it in the opposite channel order."""
        users = self._users(tensor)
        if not users or any(node.op_type != "Conv" or self._attribute(node, "group", 1) != 1 for node in users):
            raise self._unknown(f"its first layer is {', '.join(node.op_type for node in users) or 'missing'}")
        for kernel in {node.input[1] for node in users}:
            self._reorder(kernel, 1, [2, 1, 0])

    def flip_outputs(self, tensor: str) -> None:
        """Let the convolution that makes `tensor` make it in the opposite channel order."""
        node = self._maker.get(self._drawn(tensor))
        order = [2, 1, 0]
        if node is not None and node.op_type == "DepthToSpace":
            block = self._attribute(node, "blocksize", 1) ** 2
            places = np.arange(3 * block)
            if self._attribute(node, "mode", b"DCR") == b"CRD":
                order = places.reshape(3, block)[::-1].reshape(-1).tolist()
            else:
                order = places.reshape(block, 3)[:, ::-1].reshape(-1).tolist()
            node = self._maker.get(node.input[0])
        if node is None or node.op_type != "Conv" or self._attribute(node, "group", 1) != 1:
            raise self._unknown(f"its last layer is {node.op_type if node is not None else 'missing'}")
        for name in node.input[1:]:
            self._reorder(name, 0, order)

    def finish(self, first: str, last: str, width: int, height: int) -> None:
        """Put NHWC float ends on, and drop what nothing uses any more."""
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        kept = [node for node in self._graph.node if not any(node is dropped for dropped in self._dropped)]
        enter = helper.make_node("Transpose", [INPUT], [first], perm=[0, 3, 1, 2])
        leave = helper.make_node("Transpose", [last], [OUTPUT], perm=[0, 2, 3, 1])
        used = {name for node in kept for name in node.input}
        weights = [tensor for tensor in self._graph.initializer if tensor.name in used]
        shape = [1, height, width, 3]
        for field, values in (
            (self._graph.node, [enter, *kept, leave]),
            (self._graph.initializer, weights),
            (self._graph.input, [helper.make_tensor_value_info(INPUT, kind, shape)]),
            (self._graph.output, [helper.make_tensor_value_info(OUTPUT, kind, shape)]),
            (self._graph.value_info, []),
        ):
            del field[:]
            field.extend(values)

    def _drawn(self, tensor: str) -> str:
        """Follow what works on each colour alone back to the one tensor that it is made of; `tensor` itself without."""
        found, waiting, seen = set(), [tensor], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            node = self._maker.get(name)
            if node is None or node.op_type not in _BY_COLOUR:
                found.add(name)
            else:
                waiting += [each for each in node.input if not self._is_constant(each)]
        return found.pop() if len(found) == 1 else tensor

    def _users(self, tensor: str) -> list[Any]:
        return [node for node in self._graph.node if tensor in node.input]

    def _is_constant(self, name: str) -> bool:
        maker = self._maker.get(name)
        return not name or name in self._weights or (maker is not None and maker.op_type == "Constant")

    def _only_scales(self, node: Any) -> bool:
        changing = [name for name in node.input if not self._is_constant(name)]
        return node.op_type in _SCALING and len(changing) == 1

    def _reorder(self, name: str, axis: int, order: list[int]) -> None:
        maker = self._maker.get(name)
        stored = maker.input[0] if maker is not None and maker.op_type == "Cast" else name
        tensor = self._weights.get(stored)
        if tensor is None:
            raise self._unknown(f"its weights {name} are computed")
        values = self._onnx.numpy_helper.to_array(tensor)
        if values.shape[axis] != len(order):
            raise self._unknown(f"its weights {name} have {values.shape[axis]} channels, not {len(order)}")
        tensor.CopyFrom(self._onnx.numpy_helper.from_array(np.take(values, order, axis), stored))

    @staticmethod
    def _attribute(node: Any, name: str, default: Any) -> Any:
        for attribute in node.attribute:
            if attribute.name == name:
                return attribute.i if attribute.type == attribute.INT else attribute.s
        return default

    def _unknown(self, why: str) -> InvalidInput:
        return InvalidInput(
            f"--against naive cannot rebuild {self._name}: {why}. Leave out --against or choose another --style."
        )
