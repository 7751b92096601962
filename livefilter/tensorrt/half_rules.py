"""Which nodes of a network must stay float32 when the rest becomes float16."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

# Operator -> inputs that are float32 by its definition.
ALWAYS_FLOAT = {"Resize": (1, 2), "Upsample": (1,)}

# Sums over many values, and functions whose results leave float16's range.
_STATISTICS = {
    *("ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"),
    *("ReduceProd", "GlobalAveragePool", "CumSum", "Softmax", "LogSoftmax", "Pow", "Sqrt", "Reciprocal", "Exp", "Log"),
    *("InstanceNormalization", "GroupNormalization", "LayerNormalization", "BatchNormalization", "LpNormalization"),
    *("MeanVarianceNormalization", "QuantizeLinear", "DequantizeLinear"),
}
_POINTWISE = {"Add", "Sub", "Mul", "Div", "Neg", "Abs", "Pow", "Sqrt", "Reciprocal", "Identity"}
_SHAPING = {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity"}
_LAST_AFFINE = _POINTWISE | _SHAPING | {"Clip", "Min", "Max", "Round", "Floor", "Gather", "Slice", "Concat"}

# Operator -> inputs that say how large something is, not what it looks like.
_SIZES = {
    "Reshape": (1,),
    "Expand": (1,),
    "Tile": (1,),
    "Pad": (1,),
    "Resize": (1, 2, 3),
    "Upsample": (1,),
    "Slice": (1, 2, 3, 4),
    "ConstantOfShape": (0,),
    "Range": (0, 1, 2),
    "Gather": (1,),
    "Squeeze": (1,),
    "Unsqueeze": (1,),
    "Split": (1,),
    "TopK": (1,),
}
_SMALLEST, _LARGEST = 6.2e-5, 65504.0


def kept_in_float32(
    graph: onnx.GraphProto, types: Mapping[str, int], constants: Mapping[str, npt.NDArray[np.generic]]
) -> set[int]:
    """Places, in `graph.node`, of the nodes that must stay float32.

    These are: statistics and what is computed with them point by point; the last affine before the bytes, where
    float16 has steps of up to an eighth of a grey level; sizes, which float16 rounds above 2048; and nodes with a
    constant that float16 cannot hold, such as the 1e-12 that keeps a division safe.
    """
    rules = _Rules(graph, types, constants)
    return rules.sizes() | rules.last_affine() | rules.constants_out_of_range() | rules.statistics()


class _Rules:
    def __init__(
        self, graph: onnx.GraphProto, types: Mapping[str, int], constants: Mapping[str, npt.NDArray[np.generic]]
    ) -> None:
        self._nodes = list(graph.node)
        self._types = types
        self._constants = constants
        self._maker = {name: index for index, node in enumerate(self._nodes) for name in node.output if name}

    def sizes(self) -> set[int]:
        """Whatever computes a size, back to where the size was read off a tensor."""
        wanted = [node.input[i] for node in self._nodes for i in _SIZES.get(node.op_type, ()) if i < len(node.input)]
        return self._back(wanted, lambda node: node.op_type not in {"Shape", "Size"})

    def last_affine(self) -> set[int]:
        """The pointwise nodes between the last layer and the Cast to bytes."""
        casts = [n for n in self._nodes if n.op_type == "Cast" and self._types[n.output[0]] == TensorProto.UINT8]
        return self._back((node.input[0] for node in casts), lambda node: node.op_type in _LAST_AFFINE)

    def constants_out_of_range(self) -> set[int]:
        """Nodes with a number that would become infinite, zero or coarse; tiny weights among many do no harm."""
        found = set()
        for index, node in enumerate(self._nodes):
            for name in node.input:
                values = self._constants.get(name)
                if values is None or values.dtype not in (np.float32, np.float16) or values.size == 0:
                    continue
                size = np.abs(values.astype(np.float64))
                tiny = values.size == 1 and 0 < size.max() < _SMALLEST
                if tiny or size.max() > _LARGEST:
                    found.add(index)
        return found

    def statistics(self) -> set[int]:
        """Sums over the picture, what goes into them point by point, and what is made of them point by point."""
        found = {index for index, node in enumerate(self._nodes) if self._is_statistic(node)}
        feeding = [name for index in found for name in self._nodes[index].input[:1]]
        found |= self._back(feeding, lambda node: node.op_type in _POINTWISE | _SHAPING)
        for index, node in enumerate(self._nodes):  # nodes are in the order of computation
            if node.op_type in _POINTWISE | _SHAPING and index not in found:
                makers = [self._maker.get(name, -1) for name in node.input if name and name not in self._constants]
                if makers and all(maker in found for maker in makers):
                    found.add(index)
        return found

    def _is_statistic(self, node: onnx.NodeProto) -> bool:
        # A division by anything that is computed is a normalisation.
        return node.op_type in _STATISTICS or (node.op_type == "Div" and node.input[1] not in self._constants)

    def _back(self, names: Iterable[str], passes: Callable[[onnx.NodeProto], bool]) -> set[int]:
        """Nodes that make `names`, directly or through others, as long as they pass the test."""
        found: set[int] = set()
        waiting = [self._maker[name] for name in names if name in self._maker]
        while waiting:
            index = waiting.pop()
            if index not in found and passes(self._nodes[index]):
                found.add(index)
                waiting += [self._maker[name] for name in self._nodes[index].input if name in self._maker]
        return found
