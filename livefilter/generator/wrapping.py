"""Wraps a published generator into the form of a style's network: uint8 BGR in and out."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, version_converter

from livefilter.errors import InvalidInput
from livefilter.generator.float_generator import FloatGenerator
from livefilter.generator.graph import Graph
from livefilter.generator.onnx_network import FRAME, STYLED
from livefilter.inference.checks import one_line

_PREFIX = "generator/"
_OLDEST_OPSET = 11  # Clip takes its bounds as inputs since then
_SWAP = np.eye(3, dtype=np.float32)[::-1, :, None, None]


def wrap(found: FloatGenerator) -> onnx.ModelProto:
    """The generator between two 1x1 convolutions that scale bytes to [-1, 1] and back, and turn BGR to RGB and back.

    Input `frame` and output `styled` are uint8 [1, height, width, 3] BGR. Only Cast touches uint8, because TensorRT
    parses nothing else there; Clip comes before the last Cast, which truncates, and the 128 does the rounding.
    Raises: InvalidInput: a clause for after the file's name.
    """
    inner = compose.add_prefix(_recent(found.model), _PREFIX)
    width, height = found.size or ("width", "height")
    graph = _Nodes()
    planes = graph.node("Transpose", graph.cast(FRAME, TensorProto.FLOAT), perm=[0, 3, 1, 2])
    given = graph.conv(planes, _SWAP / 127.5, -1.0)
    if found.channels_last:
        given = graph.node("Transpose", given, perm=[0, 2, 3, 1])
    graph.cast(given, _kind(found), output=_PREFIX + found.input_name)
    entering = len(graph.nodes)

    drawn = graph.cast(_PREFIX + found.output_name, TensorProto.FLOAT)
    if found.channels_last:
        drawn = graph.node("Transpose", drawn, perm=[0, 3, 1, 2])
    levels = graph.conv(drawn, _SWAP * 127.5, 128.0)
    clipped = graph.node("Clip", levels, graph.number(0.0), graph.number(255.0))
    graph.cast(graph.node("Transpose", clipped, perm=[0, 2, 3, 1]), TensorProto.UINT8, output=STYLED)

    model = onnx.ModelProto(ir_version=inner.ir_version, producer_name="livefilter import")
    model.opset_import.extend(inner.opset_import)
    model.functions.extend(inner.functions)
    shape: list[int | str] = [1, height, width, 3]
    model.graph.CopyFrom(
        helper.make_graph(
            [*graph.nodes[:entering], *inner.graph.node, *graph.nodes[entering:]],
            "imported",
            [helper.make_tensor_value_info(FRAME, TensorProto.UINT8, shape)],
            [helper.make_tensor_value_info(STYLED, TensorProto.UINT8, shape)],
            [*graph.initializers, *inner.graph.initializer],
            sparse_initializer=inner.graph.sparse_initializer,
        )
    )
    return model


def _kind(found: FloatGenerator) -> int:
    return int(TensorProto.FLOAT16 if found.half else TensorProto.FLOAT)


def _recent(model: onnx.ModelProto) -> onnx.ModelProto:
    version = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if version >= _OLDEST_OPSET:
        return model
    try:
        return version_converter.convert_version(model, _OLDEST_OPSET)
    except Exception as error:  # the converter raises plain RuntimeErrors
        raise InvalidInput(
            f"is of ONNX opset {version} and cannot be brought to {_OLDEST_OPSET} ({one_line(error)}). "
            "Export it again with a newer one."
        ) from error


class _Nodes(Graph):
    """Names the operator that scales bytes and turns colours."""

    def conv(self, features: str, kernel: np.ndarray[Any, Any], bias: float) -> str:
        weights = self.constant(kernel.astype(np.float32)), self.constant(np.full(3, bias, np.float32))
        return self.node("Conv", features, *weights, kernel_shape=[1, 1])
