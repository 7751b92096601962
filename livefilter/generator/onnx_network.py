"""A style's ONNX file as a graph that can be worked on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from livefilter.errors import StyleCorrupt
from livefilter.inference.ports import FRAME as FRAME
from livefilter.inference.ports import PERSON as PERSON
from livefilter.inference.ports import STRENGTH as STRENGTH
from livefilter.inference.ports import STYLED as STYLED
from livefilter.inference.ports import NetworkPorts, read_ports
from livefilter.styles.network_file import read_network

# onnx infers no types for these; what comes out has the type of the picture and of the scale, their first inputs.
_UNTYPED = {"GroupNormalization"}


def load_network(path: Path) -> onnx.ModelProto:
    """Read a style's network and bring it to one form: constants are initializers, and their Casts are folded.

    Raises: StyleCorrupt: not an ONNX file, or not one with uint8 NHWC `frame` in and `styled` out.
    """
    try:
        model = onnx.load_model_from_string(read_network(path))
        onnx.checker.check_model(model)
    except StyleCorrupt:
        raise
    except Exception as error:  # onnx raises protobuf's and its own errors, and OSError
        raise StyleCorrupt(
            f"Network file {path} cannot be read as ONNX: {_first_line(error)}. Reinstall the style or export it again."
        ) from error
    _require_ports(path, model.graph)
    _require_plain(path, model.graph)
    fold_constants(model.graph)
    return model


def fold_constants(graph: onnx.GraphProto) -> None:
    """Turn Constant nodes, and Casts of constants, into initializers."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type == "Constant":
            value = _constant(node)
        elif node.op_type == "Cast" and node.input[0] in constants and _target(node) is not None:
            value = numpy_helper.to_array(constants[node.input[0]]).astype(_target(node))
        else:
            nodes.append(node)
            continue
        constants[node.output[0]] = numpy_helper.from_array(np.asarray(value), node.output[0])
    _replace(graph, nodes, constants)


def _replace(graph: onnx.GraphProto, nodes: list[onnx.NodeProto], constants: dict[str, onnx.TensorProto]) -> None:
    used = {name for node in nodes for name in node.input} | {port.name for port in graph.output}
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    tensors = [onnx.TensorProto.FromString(value.SerializeToString()) for name, value in constants.items()]
    del graph.initializer[:]
    graph.initializer.extend(tensor for tensor in tensors if tensor.name in used)


def element_types(model: onnx.ModelProto) -> dict[str, int]:
    """The element type of every tensor, as onnx.TensorProto numbers; unknown ones are left out."""
    known = _inferred_types(model)
    untyped = [node for node in model.graph.node if node.op_type in _UNTYPED and node.output[0] not in known]
    if untyped:
        model = onnx.ModelProto.FromString(model.SerializeToString())
    while untyped:
        found = {node.output[0]: known[name] for node in untyped for name in node.input[:2] if name in known}
        if not found:
            break
        model.graph.value_info.extend(helper.make_tensor_value_info(*entry, None) for entry in found.items())
        known = _inferred_types(model)
        untyped = [node for node in untyped if node.output[0] not in known]
    return known


def _inferred_types(model: onnx.ModelProto) -> dict[str, int]:
    graph = onnx.shape_inference.infer_shapes(model).graph
    ports = [*graph.input, *graph.output, *graph.value_info]
    found = {port.name: port.type.tensor_type.elem_type for port in ports if port.type.tensor_type.elem_type}
    return found | {tensor.name: tensor.data_type for tensor in graph.initializer}


def fix_size(model: onnx.ModelProto, width: int, height: int, batch: int = 1) -> onnx.ModelProto:
    """A copy whose ports are of one size, `frame` uint8 [batch, height, width, 3]: TensorRT then needs no profile."""
    fixed = onnx.ModelProto.FromString(model.SerializeToString())
    del fixed.graph.value_info[:]
    shapes = network_ports(fixed.graph).shapes(width, height, batch)
    for port in (*fixed.graph.input, *fixed.graph.output):
        kind = port.type.tensor_type.elem_type
        port.CopyFrom(helper.make_tensor_value_info(port.name, kind, shapes[port.name]))
    return fixed


def network_ports(graph: onnx.GraphProto) -> NetworkPorts:
    """What a style's graph takes and gives.

    Raises: StyleCorrupt: it is no style's.
    """
    ports = _ports(graph)
    if ports is None:
        raise StyleCorrupt("The network takes or gives something else than a style's. Export it again.")
    return ports


def _ports(graph: onnx.GraphProto) -> NetworkPorts | None:
    constants = {tensor.name for tensor in graph.initializer}
    sides = [[port for port in graph.input if port.name not in constants], graph.output]
    named = [
        [(port.name, TensorProto.DataType.Name(port.type.tensor_type.elem_type)) for port in side] for side in sides
    ]
    return read_ports(named[0], named[1], "UINT8", "FLOAT")


def _require_ports(path: Path, graph: onnx.GraphProto) -> None:
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [port for port in graph.input if port.name not in constants]
    found = [(port.name, _shape(port), port.type.tensor_type.elem_type) for port in (*inputs, *graph.output)]
    depths = {FRAME: 3, STYLED: 3, STRENGTH: 1, PERSON: 1}
    fits = _ports(graph) is not None
    fits = fits and all(len(shape) == 4 and shape[3] == depths[name] for name, shape, _ in found)
    if not fits:
        shown = ", ".join(f"{name} {TensorProto.DataType.Name(kind).lower()} {shape}" for name, shape, kind in found)
        raise StyleCorrupt(
            f"Network file {path} is no style: it must take `frame` and give `styled`, both uint8 "
            f"[1, height, width, 3], but it has {shown or 'nothing'}. Export it with its pre- and post-processing."
        )
    del graph.input[:]
    graph.input.extend(inputs)


def _require_plain(path: Path, graph: onnx.GraphProto) -> None:
    for node in graph.node:
        if any(
            attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for attribute in node.attribute
        ):
            raise StyleCorrupt(
                f"Network file {path} has a {node.op_type} node, and engines cannot be built from graphs with control "
                "flow. Export it without."
            )


def _shape(port: onnx.ValueInfoProto) -> list[int | str]:
    return [axis.dim_param or axis.dim_value for axis in port.type.tensor_type.shape.dim]


def _constant(node: onnx.NodeProto) -> object:
    attribute = node.attribute[0]
    value = helper.get_attribute_value(attribute)
    if attribute.name == "value":
        return numpy_helper.to_array(value)
    return np.array(value, np.float32 if attribute.name.startswith("value_float") else np.int64)


def _target(node: onnx.NodeProto) -> np.dtype | None:
    to = next(attribute.i for attribute in node.attribute if attribute.name == "to")
    types = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT32, TensorProto.INT64}
    return helper.tensor_dtype_to_np_dtype(to) if to in types else None


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__).rstrip(".")[:200]
