"""Which light a picture file says its colours are in, where that is no colour profile (ITU-T H.273)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0}  # boxes that hold boxes, and what lies before those


def code_points(start: bytes) -> tuple[int, int] | None:
    """Transfer and primaries that a PNG (cICP), AVIF or HEIF (colr of kind nclx) names; None where it names none.

    start: the bytes of the file up to its pixels; what is cut off is not found.
    """
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return next(_in_png(start), None)
    return next(_in_boxes(start, 0, len(start)), None) if start[4:8] == b"ftyp" else None


def _in_png(data: bytes) -> Iterator[tuple[int, int]]:
    at = 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"cICP" and length == 4:
            yield data[at + 9], data[at + 8]
        if kind == b"IDAT":
            return
        at += 12 + length


def _in_boxes(data: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Those of ISO/IEC 14496-12 boxes, as ISO/IEC 23008-12 orders them."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= end:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        stop = min(at + size, end) if size else end
        if size and size < head:
            return
        if kind in _CONTAINERS:
            yield from _in_boxes(data, at + head + _CONTAINERS[kind], stop)
        elif kind == b"colr" and data[at + head : at + head + 4] == b"nclx" and at + head + 8 <= stop:
            primaries, transfer = struct.unpack_from(">HH", data, at + head + 4)
            yield transfer, primaries
        at = stop
