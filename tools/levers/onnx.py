"""Other ways to write the same network, so that TensorRT can be asked which one it runs fastest.

Each takes a network as livefilter exports it and gives a copy; None where there is nothing to write otherwise. Those in
`SAME` draw the same picture; the others do not, and tell what a form costs by leaving it out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

Lever = Callable[[onnx.ModelProto], "onnx.ModelProto | None"]


def explicit_pads(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Reflect padding as slices of the edges and Concat, in place of Pad."""
    g = _Rewriting(model)

    def rewrite(node: onnx.NodeProto) -> bool:
        if not g.is_reflection(node):
            return False
        pads, made = g.value(node.input[1]).tolist(), node.input[0]
        for axis in (2, 3):
            before, after = pads[axis], pads[axis + 4]
            parts = [g.slice(made, axis, before, 0)] if before else []
            parts += [made] + ([g.slice(made, axis, -2, -2 - after)] if after else [])
            made = g.node("Concat", *parts, axis=axis) if len(parts) > 1 else made
        g.rename(made, node.output[0])
        return True

    return g.each("Pad", rewrite)


def zero_pads(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Zero padding inside the convolutions in place of reflect padding before them: another picture at the edges."""
    g = _Rewriting(model)
    padded: dict[str, tuple[str, list[int]]] = {}

    def take(node: onnx.NodeProto) -> bool:
        if not g.is_reflection(node):
            return False
        pads = g.value(node.input[1]).tolist()
        padded[node.output[0]] = (node.input[0], [pads[2], pads[3], pads[6], pads[7]])
        return True

    changed = g.each("Pad", take)
    for node in changed.graph.node if changed else ():
        if node.op_type == "Conv" and node.input[0] in padded:
            node.input[0], pads = padded[node.input[0]]
            kept = [attribute for attribute in node.attribute if attribute.name != "pads"]
            del node.attribute[:]
            node.attribute.extend([*kept, helper.make_attribute("pads", pads)])
    return changed


def native_norms(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Layer normalisation as GroupNormalization of one group, in place of an instance norm of one long channel."""

    def normalise(g: _Rewriting, features: str, epsilon: float, scale: str, shift: str) -> str:
        flat = [g.constant(g.value(name).reshape(-1)) for name in (scale, shift)]
        return g.node("GroupNormalization", features, *flat, num_groups=1, epsilon=epsilon)

    changed = _norms(model, normalise)
    if changed is not None:
        changed.opset_import[0].version = 21  # the first in which its scale has an entry a channel
        changed.ir_version = max(changed.ir_version, 10)
    return changed


def written_norms(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Layer normalisation written out: means, a difference, a square root."""

    def normalise(g: _Rewriting, features: str, epsilon: float, scale: str, shift: str) -> str:
        centred = g.node("Sub", features, g.mean(features))
        variance = g.mean(g.node("Mul", centred, centred))
        deviation = g.node("Sqrt", g.node("Add", variance, g.constant(np.float32(epsilon))))
        return g.node("Add", g.node("Mul", g.node("Div", centred, deviation), scale), shift)

    return _norms(model, normalise)


def no_norms(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Scale and shift alone, without statistics: another picture."""

    def normalise(g: _Rewriting, features: str, epsilon: float, scale: str, shift: str) -> str:
        return g.node("Add", g.node("Mul", features, scale), shift)

    return _norms(model, normalise)


SAME: dict[str, Lever] = {
    "reflect padding as slices": explicit_pads,
    "norms as GroupNormalization": native_norms,
    "norms written out": written_norms,
}
OTHER: dict[str, Lever] = {"zero padding": zero_pads, "no norms": no_norms}

_Normalise = Callable[["_Rewriting", str, float, str, str], str]


def _norms(model: onnx.ModelProto, normalise: _Normalise) -> onnx.ModelProto | None:
    """Rewrite each layer norm as the export writes it: Reshape, InstanceNormalization, Reshape, Mul, Add."""
    g = _Rewriting(model)

    def rewrite(node: onnx.NodeProto) -> bool:
        flat = g.maker.get(node.input[0])
        if flat is None or flat.op_type != "Reshape":
            return False
        whole = g.only_user(node.output[0])
        scaled = g.only_user(whole.output[0])
        shifted = g.only_user(scaled.output[0])
        epsilon = next(attribute.f for attribute in node.attribute if attribute.name == "epsilon")
        made = normalise(g, flat.input[0], epsilon, scaled.input[1], shifted.input[1])
        g.rename(made, shifted.output[0])
        shape = g.maker.get(whole.input[1])
        g.dropped |= {id(part) for part in (flat, whole, scaled, shifted, shape) if part is not None}
        return True

    return g.each("InstanceNormalization", rewrite)


class _Rewriting:
    """A copy of a network whose nodes are replaced one by one; methods that make nodes give the tensor's name."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model: onnx.ModelProto = onnx.ModelProto.FromString(model.SerializeToString())
        self._graph = self._model.graph
        self._nodes: list[onnx.NodeProto] = list(self._graph.node)
        self._values = {tensor.name: numpy_helper.to_array(tensor) for tensor in self._graph.initializer}
        self.maker = {name: node for node in self._nodes for name in node.output}
        self.dropped: set[int] = set()
        self._made: list[onnx.NodeProto] = []
        self._count = 0

    def each(self, operator: str, rewrite: Callable[[onnx.NodeProto], bool]) -> onnx.ModelProto | None:
        """Offer every node of an operator; where `rewrite` returns True, what it made stands in the node's place."""
        kept: list[onnx.NodeProto] = []
        changed = False
        for node in self._nodes:
            if node.op_type == operator and rewrite(node):
                self.dropped.add(id(node))
                changed = True
            kept += [*self._made, node]
            self._made = []
        if not changed:
            return None
        nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in kept if id(node) not in self.dropped]
        del self._graph.node[:], self._graph.value_info[:]
        self._graph.node.extend(nodes)
        return self._model

    def value(self, name: str) -> np.ndarray[Any, Any]:
        return np.asarray(self._values[name])

    def only_user(self, name: str) -> onnx.NodeProto:
        (node,) = [node for node in self._nodes if name in node.input]
        return node

    def is_reflection(self, node: onnx.NodeProto) -> bool:
        return node.input[1] in self._values and any(attribute.s == b"reflect" for attribute in node.attribute)

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        output = self._name()
        self._made.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def constant(self, value: Any) -> str:
        name = self._name()
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def slice(self, features: str, axis: int, begin: int, end: int) -> str:
        """Backwards from `begin` to before `end`, along one axis."""
        return self.node("Slice", features, *(self.constant(np.array([value])) for value in (begin, end, axis, -1)))

    def mean(self, features: str) -> str:
        return self.node("ReduceMean", features, axes=[1, 2, 3], keepdims=1)

    def rename(self, made: str, wanted: str) -> None:
        """Give the tensor that was made last the name that the rest of the network knows."""
        last = self._made[-1]
        if last.output[0] != made:
            raise ValueError(f"{made} was not made last")
        last.output[0] = wanted

    def _name(self) -> str:
        self._count += 1
        return f"lever_{self._count}"
