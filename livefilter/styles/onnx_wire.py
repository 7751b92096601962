"""The wire format of protobuf, which ONNX files are in, without what reads or writes whole models."""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(view: memoryview) -> Iterator[tuple[int, int | memoryview]]:
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


def messages(view: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message that are no numbers."""
    return ((number, value) for number, value in fields(view) if not isinstance(value, int))


def name(view: memoryview, number: int = 1) -> str:
    """The text of a message's first field of that number. Raises: ValueError."""
    return bytes(first(view, number)).decode("utf-8", "replace")


def field(number: int, value: int | memoryview) -> bytes:
    """One field as it is written."""
    return _written(number << 3) + _written(value) if isinstance(value, int) else message(number, bytes(value))


def message(number: int, data: bytes) -> bytes:
    """A field that holds a message, or other bytes, as it is written."""
    return _written(number << 3 | _BYTES) + _written(len(data)) + data


def _written(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def first(view: memoryview, *way: int) -> memoryview:
    """The first message that is found along field numbers. Raises: ValueError."""
    for step in way:
        found = next((value for number, value in fields(view) if number == step), 0)
        if isinstance(found, int):
            raise ValueError("it is no ONNX file, or a part of it is missing")
        view = found
    return view
