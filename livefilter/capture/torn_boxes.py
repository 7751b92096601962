"""Whether an MP4 or MOV file ends before its last box does."""

from __future__ import annotations

import struct
from pathlib import Path

_BOXES = {b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"free", b"skip", b"wide", b"uuid", b"styp", b"sidx", b"udta"}


def is_torn(path: Path) -> bool:
    """Whether the file is cut off within a box (ISO/IEC 14496-12, 4.2); False for files of other kinds.

    Bytes behind the last box that look like none, as some recorders leave them, are no damage.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            at = 0
            while at + 8 <= size:
                file.seek(at)
                head = file.read(16)
                length, kind = struct.unpack_from(">I4s", head)
                if kind not in _BOXES:
                    return False
                if length == 1:
                    length = struct.unpack_from(">Q", head, 8)[0] if len(head) == 16 else size
                if length == 0:
                    return False  # up to the end of the file
                if length < 8:
                    return False
                at += length
            return at > size
    except OSError:
        return False
