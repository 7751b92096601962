"""The boxes that MP4 and MOV files are made of (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

from pathlib import Path

_LARGE, _TO_THE_END = 1, 0


def cut_torn_end(path: Path) -> None:
    """Cut a file back to its last whole piece, because some players refuse one whose end is torn.

    A file without a whole piece of media is left as it is.
    Raises: OSError.
    """
    size = path.stat().st_size
    whole = at = 0
    with path.open("r+b") as file:
        while at + 8 <= size:
            file.seek(at)
            header = file.read(16)
            length, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if length == _LARGE:
                length = int.from_bytes(header[8:16], "big")
            if length in (_LARGE, _TO_THE_END) or at + length > size:
                break
            at += length
            if kind == b"mdat":
                whole = at  # a fragment is a moof and the mdat after it
        if whole and whole < size:
            file.truncate(whole)
