"""Adds to a network what is done to a styled frame anyway, so that a GPU does it in the same pass.

`look` is float32 [4, width, 1], one entry a column: the share of the styled picture in the room and on a person, the
least grey level, and the column of the picture that is shown there (livefilter.inference.look makes it). Strength,
split screen and mirror are then pictures of columns, person and room a map that the engine makes of two of them by what
the network says of the same frame, and no size, branch or second engine is needed for any. The network's own input
`strength` is a map, and its own output `person` is given out as well. Of several frames at once all get the one look.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from livefilter.errors import StyleCorrupt
from livefilter.generator.graph import Graph
from livefilter.generator.onnx_network import FRAME, PERSON, STYLED
from livefilter.nv12 import CHROMA, CHROMA_OFFSET, LUMA, LUMA_OFFSET

LOOK = "look"
_FAR = np.iinfo(np.int32).max


def add_frame_extras(model: onnx.ModelProto, nv12: bool = False) -> onnx.ModelProto:
    """A copy with the input `look`, and with NV12 as its output where `nv12` is set.

    model: from `load_network` or `to_half`. Width and height must be even for NV12: uint8 [N, height * 3 / 2, width].
    Raises: StyleCorrupt: it does not end in a Cast to bytes.
    """
    extended = onnx.ModelProto.FromString(model.SerializeToString())
    graph = extended.graph
    last = next((node for node in graph.node if STYLED in node.output), None)
    if last is None or last.op_type != "Cast":
        raise StyleCorrupt(
            f"The network does not end in a Cast to {STYLED}, so nothing can be added to it. Export it again."
        )
    graph.node.remove(last)
    nodes = _Nodes("extras_")
    person = next((node.input[0] for node in graph.node if PERSON in node.output), None)
    nodes.finish(nodes.compose(last.input[0], person), nv12)
    graph.node.extend(nodes.nodes)
    graph.initializer.extend(nodes.initializers)
    del graph.value_info[:]
    frame = graph.input[0].type.tensor_type.shape.dim
    width = frame[2].dim_param or frame[2].dim_value
    graph.input.append(helper.make_tensor_value_info(LOOK, TensorProto.FLOAT, [4, width, 1]))
    if nv12:
        height = frame[1].dim_value * 3 // 2 or "rows"
        shape = [frame[0].dim_value, height, width]
        graph.output[0].CopyFrom(helper.make_tensor_value_info(STYLED, TensorProto.UINT8, shape))
    onnx.checker.check_model(extended, full_check=True)
    return extended


class _Nodes(Graph):
    """Writes what is done to a styled frame. Pictures are [N, H, W, C]."""

    def compose(self, levels: str, person: str | None) -> str:
        """Blend, draw the line, mirror: whole grey levels as float16, which holds them exactly.

        levels: what is cut off to the styled bytes, so that these are blended and not what lies between them.
        person: what is cut off to the bytes of the network's output of that name, if it has one.
        """
        original = self.cast(FRAME, TensorProto.FLOAT)
        styled = self.node("Floor", self.cast(levels, TensorProto.FLOAT))
        rows = (self.node("Gather", LOOK, self.constant(np.int64(row)), axis=0) for row in range(4))
        share, on_person, least, shown = rows
        if person is not None:
            mask = self._mask(person)
            share = self.node("Add", share, self.node("Mul", self.node("Sub", on_person, share), mask))
        added = self.node("Mul", self.node("Sub", styled, original), share)
        mixed = self.node("Floor", self.node("Add", self.node("Add", original, added), self.number(0.5)))
        lined = self.cast(self.node("Max", mixed, least), TensorProto.FLOAT16)
        columns = self.cast(self.node("Reshape", shown, self.constant(np.array([-1]))), TensorProto.INT32)
        return self.node("Gather", lined, columns, axis=2)

    def _mask(self, person: str) -> str:
        """Where a person is, 0 to 1, at the frame's full size: [N, H, W, 1]."""
        levels = self.node("Floor", self.cast(person, TensorProto.FLOAT))
        likely = self.node("Mul", levels, self.number(1 / 255))
        planes = self.node("Transpose", likely, perm=[0, 3, 1, 2])
        twice = self.constant(np.array([1, 1, 2, 2], np.float32))
        large = self.node("Resize", planes, "", twice, mode="linear")
        return self.node("Transpose", large, perm=[0, 2, 3, 1])

    def finish(self, levels: str, nv12: bool) -> None:
        """Cast to the output's bytes."""
        if nv12:
            levels = self.cast(levels, TensorProto.FLOAT)
            # The upper left one of four pixels gives the colour, as in OpenCV.
            begin, end, axes, steps = (self.constant(np.array(pair)) for pair in ((0, 0), (_FAR, _FAR), (1, 2), (2, 2)))
            corners = self.node("Slice", levels, begin, end, axes, steps)
            luma, chroma = self._mixed(levels, LUMA, LUMA_OFFSET), self._mixed(corners, CHROMA, CHROMA_OFFSET)
            rows = self.constant(np.array([0, 0, -1]))
            planes = [self.node("Reshape", plane, rows) for plane in (luma, chroma)]
            levels = self.node("Concat", *planes, axis=1)
        self.cast(levels, TensorProto.UINT8, output=STYLED)

    def _mixed(self, levels: str, weights: npt.NDArray[np.float64], added: float) -> str:
        product = self.node("MatMul", levels, self.constant(weights.astype(np.float32)))
        return self.node("Add", product, self.number(added))
