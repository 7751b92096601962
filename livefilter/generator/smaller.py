"""Lets a network draw smaller than its frames, so that a GPU shows few, bold lines with edges crisp at full size.

A frame is averaged over blocks, drawn and enlarged, and its edges are made crisp at its own size, as
livefilter.inference.crisp does it for processors. What goes in and comes out stays as it is: the map of people is
enlarged as well, and of the map of the strength every so many places are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from livefilter.errors import InvalidInput
from livefilter.generator.graph import Graph
from livefilter.generator.onnx_network import FRAME, PERSON, STRENGTH, load_network, network_ports
from livefilter.inference.crisp import reach
from livefilter.styles.network_edit import without_crisp

_SCALE = "scale"  # what the planes that are drawn are multiplied by, on their way to bytes (livefilter.generator.graph)


def drawn_smaller(model: onnx.ModelProto, times: int) -> onnx.ModelProto:
    """A copy that draws so many times smaller than its frames, whose sides are multiples of 8 times as much.

    model: from `load_network`; itself where `times` is 1.
    Raises: InvalidInput: it is none of livefilter's own that end in crisp edges.
    """
    if times == 1:
        return model
    data, contrast = without_crisp(model.SerializeToString())
    if not contrast:
        raise InvalidInput(
            f"The network cannot draw {times} times smaller than its frames: it does not end in crisp edges, as "
            "livefilter's own do. Use --smaller 1."
        )
    smaller = onnx.load_model_from_string(data)
    graph = smaller.graph
    g = _Nodes(times)
    given = {FRAME: g.averaged()}
    if network_ports(graph).strength:
        given[STRENGTH] = g.strength()
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = given.get(name, name)
        if _SCALE in node.input:
            node.input[0] = g.crisped(g.enlarged(node.input[0], "cubic"), contrast, given.get(STRENGTH))
        elif PERSON in node.output:
            planes = g.node("Transpose", node.input[0], perm=[0, 3, 1, 2])
            node.input[0] = g.node("Transpose", g.enlarged(planes, "linear"), perm=[0, 2, 3, 1])
        g.nodes.append(onnx.NodeProto.FromString(node.SerializeToString()))
    del graph.node[:], graph.value_info[:]
    graph.node.extend(g.nodes)
    graph.initializer.extend(g.initializers)
    onnx.checker.check_model(smaller, full_check=True)
    return smaller


def save_smaller(network: Path, times: int, path: Path) -> Path:
    """Write a network that draws so many times smaller than its frames, for engines that take it as it is.

    Raises: StyleCorrupt, InvalidInput.
    """
    path.write_bytes(drawn_smaller(load_network(network), times).SerializeToString())
    return path


class _Nodes(Graph):
    """Writes what is put before and behind a network."""

    def __init__(self, times: int) -> None:
        super().__init__("smaller_")
        self._times = times
        self._scales = self.constant(np.array([1, 1, times, times], np.float32))

    def averaged(self) -> str:
        """The frame, in levels that are no whole numbers: [N, H, W, 3] float32."""
        planes = self.node("Transpose", self.cast(FRAME, TensorProto.FLOAT), perm=[0, 3, 1, 2])
        small = self.node("AveragePool", planes, kernel_shape=[self._times] * 2, strides=[self._times] * 2)
        return self.node("Transpose", small, perm=[0, 2, 3, 1])

    def strength(self) -> str:
        """Of the map of the strength every so many places."""
        begin, end, axes, steps = [0, 0], [np.iinfo(np.int32).max] * 2, [1, 2], [self._times] * 2
        return self.node("Slice", STRENGTH, *(self.constant(np.array(each)) for each in (begin, end, axes, steps)))

    def enlarged(self, planes: str, mode: str) -> str:
        """To the frame's size, as OpenCV does it."""
        more: dict[str, Any] = {"cubic_coeff_a": -0.75} if mode == "cubic" else {}
        return self.node("Resize", planes, "", self._scales, mode=mode, **more)

    def crisped(self, planes: str, contrast: float, strength: str | None) -> str:
        """As `crisped_larger` of livefilter.generator.network.

        strength: the map, of which one place tells for the whole frame; None where the network takes none.
        """
        planes = self.node("Clip", planes, self.number(-1.0), self.number(1.0))
        least, most = self._lowest(planes, 3), self._largest(planes, 3)
        further = 2 * (reach(self._times) - 1) + 1
        lowest, highest = self._lowest(least, further), self._largest(most, further)
        if strength is None:
            times: str = self.number(contrast * self._times)
            least, most = lowest, highest
        else:
            begin, end, axes = (self.constant(np.array(each)) for each in ([0, 0], [1, 1], [1, 2]))
            share = self.node("Min", self.node("Slice", strength, begin, end, axes), self.number(1.0))
            least, most = self._between(least, lowest, share), self._between(most, highest, share)
            grown = self.node("Mul", share, self.number(contrast * (self._times - 1)))
            times = self.node("Add", grown, self.number(contrast))
        middle = self.node("Mul", self.node("Add", least, most), self.number(0.5))
        moved = self.node("Mul", self.node("Sub", planes, middle), times)
        moved = self.node("Add", middle, moved)
        return self.node("Min", self.node("Max", moved, least), most)

    def _lowest(self, planes: str, side: int) -> str:
        return self.node("Neg", self._largest(self.node("Neg", planes), side))

    def _largest(self, planes: str, side: int) -> str:
        """The greatest of a window, over rows and then over columns, which is as good and reads less."""
        for shape in ([1, side], [side, 1]):
            pads = [(length - 1) // 2 for length in shape]
            planes = self.node("MaxPool", planes, kernel_shape=shape, pads=pads * 2, strides=[1, 1])
        return planes

    def _between(self, one: str, other: str, share: str) -> str:
        return self.node("Add", one, self.node("Mul", self.node("Sub", other, one), share))
