"""A network's file, read once: what is checked is what runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from livefilter.errors import InvalidInput, StyleCorrupt
from livefilter.whole_file import read_plain

# As many bytes as one protobuf message, which an ONNX file is, can have.
MOST_BYTES = (1 << 31) - 1

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST = 64
# The fields of ONNX's messages that lead to tensors (onnx.proto3): message -> field number -> message within.
_WAY: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
    "entry": {},
}
_DATA_LOCATION, _EXTERNAL = 14, 1
_KEY, _VALUE = 1, 2
# A model's graph; a graph's inputs and outputs; from one of them to its first axis (type, tensor, shape, dim), which is
# this where it has one place.
_GRAPH, _PORTS, _TO_AXIS, _ONE = 7, (11, 12), (2, 1, 2, 1), b"\x08\x01"

_NODE, _TENSOR, _OUTPUT = 1, 5, 12  # of a graph
_NODE_INPUT, _NODE_OUTPUT, _TENSOR_NAME = 1, 2, 8


def read_network(path: Path, sha256: str = "") -> bytes:
    """The bytes of a network's file, which reads nothing from other files.

    sha256: what they must be by their card, lower-case hexadecimal; "" for anything.
    Raises: StyleCorrupt: the file cannot be read, is not the one that is meant, or wants to read another file.
    """
    try:
        data = read_plain(path, MOST_BYTES)
    except OSError as error:
        raise StyleCorrupt(f"Network file {path} cannot be read: {error.strerror}. Reinstall the style.") from error
    require_meant(path, hashlib.sha256(data).hexdigest(), sha256)
    try:
        others = external_files(data)
    except ValueError as error:
        raise StyleCorrupt(f"Network file {path} cannot be read: {error}. Reinstall the style.") from error
    if others:
        raise StyleCorrupt(
            f"Network file {path} wants to read its weights from {others[0]!r}, and no style may read other files. "
            "Import it: livefilter import."
        )
    return data


def require_meant(path: Path, found: str, sha256: str) -> None:
    """Refuse a network whose bytes are not those that its card names.

    found: the SHA-256 of its bytes. sha256: the card's; "" for anything. Raises: StyleCorrupt: names both.
    """
    if sha256 and found != sha256:
        raise StyleCorrupt(
            f"Network file {path} is not the one its card names: its SHA-256 is {found}, but the card says {sha256}. "
            "Reinstall the style."
        )


def external_files(data: bytes) -> list[str]:
    """The names of the other files that an ONNX file takes weights from, each once; "" where a name is missing.

    It is read here and not by a runtime, because a runtime opens what it finds.
    Raises: ValueError: it is no ONNX file, or is damaged.
    """
    found: dict[str, None] = {}
    waiting = [("model", memoryview(data), 0)]
    while waiting:
        message, view, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        external, names = False, []
        for number, value in _fields(view):
            if message == "tensor" and number == _DATA_LOCATION:
                external = external or value == _EXTERNAL
            within = _WAY[message].get(number)
            if within is None or isinstance(value, int):
                continue
            if within != "entry":
                waiting.append((within, value, depth + 1))
                continue
            entry = {key: bytes(text) for key, text in _fields(value) if not isinstance(text, int)}
            external = True  # also where it does not say so: a reader that looks only here would follow it
            if entry.get(_KEY) == b"location":
                names.append(entry.get(_VALUE, b"").decode("utf-8", "replace"))
        if external:
            found |= dict.fromkeys(names or [""])
    return list(found)


def with_batch(data: bytes, batch: int) -> bytes:
    """An ONNX file that takes and gives so many frames at once, made of one whose ports have one, fixed.

    batch: 1, which changes nothing, to 127.
    Raises: ValueError: the first axis of a port is not that of one frame, or it is no ONNX file.
    """
    if batch == 1:
        return data
    changed = bytearray(data)
    for number, graph in _fields(memoryview(changed)):
        if number != _GRAPH or isinstance(graph, int):
            continue
        for port, value in _fields(graph):
            if port in _PORTS and not isinstance(value, int):
                axis = _first(value, *_TO_AXIS)
                if bytes(axis) != _ONE:
                    raise ValueError("its batch is not one frame")
                axis[1] = batch
    return bytes(changed)


def gives(data: bytes, output: str) -> bool:
    """Whether an ONNX file has an output of this name. Raises: ValueError: it is no ONNX file, or is damaged."""
    graph = _first(memoryview(data), _GRAPH)
    return any(number == _OUTPUT and _name(value) == output for number, value in _messages(graph))


def without_output(data: bytes, output: str) -> bytes:
    """An ONNX file without one of its outputs, and without what is calculated for that alone; itself if it has none.

    Raises: ValueError: it is no ONNX file, or is damaged.
    """
    if not gives(data, output):
        return data
    graph = list(_messages(_first(memoryview(data), _GRAPH)))
    needed = {_name(value) for number, value in graph if number == _OUTPUT} - {output}
    idle: set[int] = set()
    for place in reversed(range(len(graph))):  # nodes come in the order in which they are calculated
        number, value = graph[place]
        if number == _NODE:
            named = [(port, bytes(text).decode("utf-8", "replace")) for port, text in _messages(value)]
            if needed & {name for port, name in named if port == _NODE_OUTPUT}:
                needed |= {name for port, name in named if port == _NODE_INPUT}
            else:
                idle.add(place)
    kept = [
        _message(number, bytes(value))
        for place, (number, value) in enumerate(graph)
        if place not in idle
        and not (number == _OUTPUT and _name(value) == output)
        and not (number == _TENSOR and _name(value, _TENSOR_NAME) not in needed)
    ]
    return b"".join(
        _message(number, b"".join(kept)) if number == _GRAPH else _field(number, value)
        for number, value in _fields(memoryview(data))
    )


def _messages(view: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message that are no numbers."""
    return ((number, value) for number, value in _fields(view) if not isinstance(value, int))


def _name(view: memoryview, number: int = 1) -> str:
    return bytes(_first(view, number)).decode("utf-8", "replace")


def _field(number: int, value: int | memoryview) -> bytes:
    return _written(number << 3) + _written(value) if isinstance(value, int) else _message(number, bytes(value))


def _message(number: int, data: bytes) -> bytes:
    return _written(number << 3 | _BYTES) + _written(len(data)) + data


def _written(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _first(view: memoryview, *way: int) -> memoryview:
    """The first message that is found along field numbers. Raises: ValueError."""
    for step in way:
        found = next((value for number, value in _fields(view) if number == step), 0)
        if isinstance(found, int):
            raise ValueError("a port has no shape")
        view = found
    return view


def files_beside(path: Path, names: list[str]) -> list[Path]:
    """The files of weights that lie beside an ONNX file that is to be imported.

    Raises: InvalidInput: a name leads elsewhere, or is not of a plain file.
    """
    found = []
    for name in names:
        beside = path.parent / name
        plain = name not in ("", ".", "..") and not set(name) & set("/\\:\0") and name == Path(name).name
        if not plain or beside.is_symlink() or not beside.is_file():
            raise InvalidInput(
                f"{path} keeps weights in {name!r}, which is not a file in the same folder. Put the files of weights "
                "beside it, or save it as one file: onnx.save(onnx.load(FILE), NEW_FILE)."
            )
        found.append(beside)
    return found


def _fields(view: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a protobuf message: number, and a number or the bytes. Raises: ValueError."""
    at, end = 0, len(view)
    while at < end:
        tag, at = _varint(view, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(view, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(view, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("it is no ONNX file, or is damaged")
        if size > end - at:
            raise ValueError("it is no ONNX file, or its end is missing")
        if kind == _BYTES:
            yield number, view[at : at + size]
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        if at >= len(view):
            raise ValueError("it is no ONNX file, or its end is missing")
        value |= (view[at] & 0x7F) << (7 * place)
        at += 1
        if view[at - 1] < 0x80:
            return value, at
    raise ValueError("it is no ONNX file, or is damaged")
