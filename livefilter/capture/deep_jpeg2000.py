"""JPEG 2000 of more than 8 bits in colour, of which Pillow's reader turns white into black."""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
from PIL import Image

_SIZE_MARKER = b"\xff\x4f\xff\x51"  # SOC and SIZ, which begin every codestream (ISO/IEC 15444-1, A.4 and A.5.1)


def bits_per_sample(data: bytes) -> int:
    """Bits of the first component; 8 where the codestream's head is not found."""
    at = data.find(_SIZE_MARKER)
    if at < 0 or len(data) < at + 43:
        return 8
    return (int(struct.unpack_from(">B", data, at + 42)[0]) & 0x7F) + 1


def read_deep(data: bytes, bits: int, info: dict[Any, Any]) -> Image.Image:
    """The picture in 8 bits, mode RGB or RGBA.

    info: what Pillow knows of it, such as its colour profile.
    Raises: ValueError: it cannot be decoded.
    """
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError(f"OpenJPEG: {error.err}") from error
    if found is None or found.ndim != 3:
        raise ValueError("OpenJPEG gives no picture in colour")
    eight = np.clip(found.astype(np.uint32) * 255 // (2**bits - 1), 0, 255).astype(np.uint8)
    code = cv2.COLOR_BGRA2RGBA if eight.shape[2] == 4 else cv2.COLOR_BGR2RGB
    made = Image.fromarray(np.asarray(cv2.cvtColor(eight, code)))
    made.info = dict(info)
    return made
