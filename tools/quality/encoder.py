"""A teacher's own encoder: what the teacher sees in a picture before it starts to draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.inference.providers import CPU, create_session, quiet_options

Map = npt.NDArray[np.float32]

_ACTIVATIONS = {"LeakyRelu", "PRelu", "Relu"}


class Encoder:
    """The last activation of each resolution on a teacher's way down, up to its first enlargement.

    The teacher is an ONNX generator, float32 RGB NHWC in [-1, 1]; the encoder runs in float32 on the CPU. One of a
    fixed size is shown smaller pictures with a margin of their mirror image, as `Teacher` does.

    levels: how many feature maps a picture has.

    Raises: InvalidInput: the file cannot be read, or has no encoder of that kind.
    """

    def __init__(self, path: Path) -> None:
        try:
            model = onnx.load(str(path))
        except Exception as error:
            raise InvalidInput(f"The teacher {path} cannot be read: {error}. Name an ONNX generator.") from error
        taps = _taps(model.graph)
        if not taps:
            raise InvalidInput(f"The teacher {path} has no activation before its first enlargement: it has no encoder.")
        _cut(model.graph, taps)
        self.levels = len(taps)
        self._session: Any = create_session(model.SerializeToString(), quiet_options(), [(CPU, {})])
        entry = self._session.get_inputs()[0]
        self._name = entry.name
        self._sides = [side if isinstance(side, int) else 0 for side in entry.shape[1:3]]

    def __call__(self, picture: Image) -> list[Map]:
        """Encode one (H, W, 3) uint8 BGR picture, H and W multiples of 32: float32 maps, fine levels first.

        Raises: InvalidInput: the picture is larger than the teacher's fixed size.
        """
        if all(self._sides):
            picture = self._filled(picture)
        values = np.ascontiguousarray(picture[None, :, :, ::-1]).astype(np.float32) / np.float32(127.5) - np.float32(1)
        return [np.asarray(level, np.float32) for level in self._session.run(None, {self._name: values})]

    def _filled(self, picture: Image) -> Image:
        margins = [fixed - side for fixed, side in zip(self._sides, picture.shape[:2], strict=True)]
        if min(margins) < 0:
            height, width = self._sides
            raise InvalidInput(f"The teacher sees {width}x{height} at most. Use --longest {min(height, width)}.")
        return np.pad(picture, [*((0, margin) for margin in margins), (0, 0)], "symmetric")


def _taps(graph: Any) -> list[str]:
    """Name the last activation before each halving, and before the first enlargement."""
    found: list[str] = []
    newest = ""
    for node in graph.node:
        if node.op_type in {"Resize", "Upsample", "ConvTranspose"}:
            break
        strides = [list(attribute.ints) for attribute in node.attribute if attribute.name == "strides"]
        if node.op_type == "Conv" and strides and strides[0][0] > 1 and newest:
            found.append(newest)
            newest = ""
        elif node.op_type in _ACTIVATIONS:
            newest = node.output[0]
    return [*found, newest] if newest else found


def _cut(graph: Any, outputs: list[str]) -> None:
    """Leave only what is needed for these outputs."""
    needed, kept = set(outputs), []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    for field, values in ((graph.node, kept[::-1]), (graph.initializer, weights), (graph.output, ports)):
        del field[:]
        field.extend(values)
