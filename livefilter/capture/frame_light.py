"""In which light a film's pictures are."""

from __future__ import annotations

import struct
from typing import Any

from av.sidedata.sidedata import Type as SideDataType

from livefilter.capture.hdr import DEFAULT_PEAK, PQ, Light, light_of_codes


def light_of(frame: Any) -> Light | None:
    """The light of a decoded frame of PyAV; None where it is that of an ordinary screen already."""
    transfer, primaries = int(frame.color_trc), int(frame.color_primaries)
    # Side data is looked at only where it matters: PyAV ties it and its frame into a cycle.
    return light_of_codes(transfer, primaries, _peak(frame) if transfer == PQ else DEFAULT_PEAK)


def _peak(frame: Any) -> float:
    """Nits of the brightest: what a film says of its pixels, else of the screen it was graded on, else 1000."""
    nits = 0.0
    said = _side_data(frame, SideDataType.CONTENT_LIGHT_LEVEL)
    if len(said) >= 4:
        nits = float(struct.unpack_from("=I", said)[0])
    said = _side_data(frame, SideDataType.MASTERING_DISPLAY_METADATA)
    if not nits and len(said) >= 88:  # FFmpeg's AVMasteringDisplayMetadata
        over, under, _, known = struct.unpack_from("=iiii", said, 72)
        nits = over / under if known and under > 0 else 0.0
    return nits if nits > 0 else DEFAULT_PEAK


def _side_data(frame: Any, kind: Any) -> bytes:
    try:
        found = frame.side_data.get(kind)
    except ValueError:  # beside it lies a kind of data that this PyAV has no name for
        return b""
    return b"" if found is None else bytes(found)
