"""Changes to a network's file before a runtime opens it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence

from livefilter.styles.onnx_wire import field, fields, first, message, messages, name

# A model's graph; a graph's inputs and outputs; from one of them to its first axis (type, tensor, shape, dim), which is
# this where it has one place.
_GRAPH, _PORTS, _TO_AXIS, _ONE = 7, (11, 12), (2, 1, 2, 1), b"\x08\x01"

_NODE, _TENSOR, _OUTPUT = 1, 5, 12  # of a graph
_NODE_INPUT, _NODE_OUTPUT, _NODE_KIND = 1, 2, 4
_TENSOR_TYPE, _TENSOR_NAME, _TENSOR_BYTES, _FLOAT = 2, 8, 9, 1
# The layer that makes edges crisp (livefilter.generator.export): its contrast, what comes next, and its nodes.
_CRISP, _SCALE = "crisp", "scale"
_CRISP_NODES = ["Add", "Add", "Max", "MaxPool", "MaxPool", "Min", "Mul", "Mul", "Neg", "Neg"]


def with_batch(data: bytes, batch: int) -> bytes:
    """An ONNX file that takes and gives so many frames at once, made of one whose ports have one, fixed.

    batch: 1, which changes nothing, to 127.
    Raises: ValueError: the first axis of a port is not that of one frame, or it is no ONNX file.
    """
    if batch == 1:
        return data
    changed = bytearray(data)
    for number, graph in fields(memoryview(changed)):
        if number != _GRAPH or isinstance(graph, int):
            continue
        for port, value in fields(graph):
            if port in _PORTS and not isinstance(value, int):
                axis = first(value, *_TO_AXIS)
                if bytes(axis) != _ONE:
                    raise ValueError("its batch is not one frame")
                axis[1] = batch
    return bytes(changed)


def gives(data: bytes, output: str) -> bool:
    """Whether an ONNX file has an output of this name. Raises: ValueError: it is no ONNX file, or is damaged."""
    graph = first(memoryview(data), _GRAPH)
    return any(number == _OUTPUT and name(value) == output for number, value in messages(graph))


def without_output(data: bytes, output: str) -> bytes:
    """An ONNX file without one of its outputs, and without what is calculated for that alone; itself if it has none.

    Raises: ValueError: it is no ONNX file, or is damaged.
    """
    if not gives(data, output):
        return data
    graph = [each for each in _graph(data) if each[0] != _OUTPUT or name(each[1]) != output]
    return _with_graph(data, _parted(graph)[0])


def without_crisp(data: bytes) -> tuple[bytes, float]:
    """A network of livefilter's own without its last layer, which makes edges crisp, and that layer's contrast.

    Any other network as it is, and 0. Raises: ValueError: it is no ONNX file, or is damaged.
    """
    graph = list(_graph(data))
    contrast = [value for number, value in graph if number == _TENSOR and name(value, _TENSOR_NAME) == _CRISP]
    drawn = [value for number, value in graph if number == _NODE and _CRISP in _names(value, _NODE_INPUT)]
    after = [value for number, value in graph if number == _NODE and _SCALE in _names(value, _NODE_INPUT)]
    if not len(contrast) == len(drawn) == len(after) == 1:
        return data, 0.0
    times = _number(contrast[0])
    if times is None:
        return data, 0.0
    soft, crisp = (_names(each, _NODE_INPUT)[0] for each in (drawn[0], after[0]))
    joined = b"".join(
        message(number, soft.encode() if number == _NODE_INPUT and value == crisp.encode() else bytes(value))
        for number, value in messages(after[0])
    )
    kept, idle = _parted([(number, memoryview(joined) if value is after[0] else value) for number, value in graph])
    if sorted(name(node, _NODE_KIND) for node in idle) != _CRISP_NODES:
        return data, 0.0
    return _with_graph(data, kept), times


def _number(tensor: memoryview) -> float | None:
    """The one float32 of a tensor, stored as livefilter does; None for any other, and for what is no contrast."""
    found = dict(fields(tensor))
    stored = found.get(_TENSOR_BYTES, 0)
    if found.get(_TENSOR_TYPE) != _FLOAT or isinstance(stored, int) or len(stored) != 4:
        return None
    value = float(struct.unpack("<f", stored)[0])
    return value if 1.0 < value < math.inf else None


def _graph(data: bytes) -> Iterator[tuple[int, memoryview]]:
    """The parts of a model's graph: which field each is of, and itself."""
    return messages(first(memoryview(data), _GRAPH))


def _parted(graph: Sequence[tuple[int, memoryview]]) -> tuple[list[tuple[int, memoryview]], list[memoryview]]:
    """A graph without what none of its outputs needs, and the nodes that are left out."""
    needed = {name(value) for number, value in graph if number == _OUTPUT}
    idle = []
    for number, value in reversed(graph):  # nodes come in the order in which they are calculated
        if number == _NODE and needed.isdisjoint(_names(value, _NODE_OUTPUT)):
            idle.append(value)
        elif number == _NODE:
            needed.update(_names(value, _NODE_INPUT))
    left_out = {id(each) for each in idle}
    kept = [
        (number, value)
        for number, value in graph
        if id(value) not in left_out and not (number == _TENSOR and name(value, _TENSOR_NAME) not in needed)
    ]
    return kept, idle


def _with_graph(data: bytes, graph: Sequence[tuple[int, memoryview]]) -> bytes:
    parts = b"".join(message(number, bytes(value)) for number, value in graph)
    return b"".join(
        message(number, parts) if number == _GRAPH else field(number, value)
        for number, value in fields(memoryview(data))
    )


def _names(node: memoryview, side: int) -> list[str]:
    """The names of a node's inputs or outputs."""
    return [bytes(value).decode("utf-8", "replace") for number, value in messages(node) if number == side]
