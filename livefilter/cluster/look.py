"""What a file is, and where a video may be cut."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from livefilter.capture.kinds import Kind, kind_of
from livefilter.cluster.tasks import Facts, Span
from livefilter.continuity import Continuity

# Containers whose index finds a key frame again by its time stamp.
_SEEKABLE = {"mov", "mp4", "matroska", "webm"}
# Closer pictures than this are moved apart when they are written, which a part alone could not know of.
_TICK_S = 0.001
_PIECE = 1 << 20


def file_facts(path: Path, cut_s: float) -> Facts:
    """Read a file once: its SHA-256, and of a video the number of pictures and where to cut it.

    cut_s: seconds that a part lasts at least; 0 leaves every video whole.
    Raises: OSError: it cannot be read; InvalidInput, SourceUnavailable.
    """
    status = path.stat()
    facts = Facts(file_sha256(path), status.st_size, status.st_mtime_ns)
    if kind_of(path) is not Kind.OTHER:
        return facts
    try:
        pictures = _read_packets(path)
    except (av.FFmpegError, ValueError, IndexError):
        return facts  # whoever styles it says what is wrong with it
    spans = _spans(pictures, cut_s) if cut_s else ()
    return Facts(
        facts.sha256, facts.size, facts.modified_ns, len(pictures.stamps), pictures.lasts_s, spans if spans else ()
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises: OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Time stamps of all pictures, risen, those of key frames, seconds a tick; whether all of it is in order."""

    stamps: list[int]
    keys: list[int]
    tick_s: float
    orderly: bool

    @property
    def lasts_s(self) -> float:
        return (self.stamps[-1] - self.stamps[0]) * self.tick_s if self.stamps else 0.0


def _read_packets(path: Path) -> _Pictures:
    container: Any
    with av.open(f"file:{path}", metadata_errors="replace") as container:
        stream = next(one for one in container.streams.video if not _is_cover(one))
        continuity = Continuity(container.format.name)
        orderly = bool(_SEEKABLE & set(container.format.name.split(","))) and container.start_time is not None
        stamps: list[int] = []
        keys: list[int] = []
        for packet in container.demux(stream, *container.streams.audio):
            continuity.settle(packet)
            if packet.stream.index != stream.index or (packet.dts is None and not packet.size):
                continue  # sound, and the empty packet at the end
            if packet.pts is None or packet.is_corrupt or not packet.size:
                orderly = False
                continue
            if packet.is_discard:
                orderly = False  # an edit list hides it: a part alone would have to know of that
                continue
            stamps.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
        tick_s = float(stream.time_base)
        stamps.sort()
        gaps_ok = all((after - before) * tick_s >= _TICK_S for before, after in itertools.pairwise(stamps))
        return _Pictures(stamps, sorted(keys), tick_s, orderly and gaps_ok and not continuity.joins)


def _spans(pictures: _Pictures, cut_s: float) -> tuple[Span, ...]:
    """Parts that each start at a key frame and last `cut_s` at least; none for a video that is better left whole."""
    if not pictures.orderly or pictures.lasts_s < 2 * cut_s or not pictures.keys:
        return ()
    starts: list[tuple[int, int]] = []  # key frame to seek, key frame to start at
    last = pictures.stamps[0]
    for before, key in zip(pictures.keys, pictures.keys[1:], strict=False):
        far_enough = (key - last) * pictures.tick_s >= cut_s
        room_left = (pictures.stamps[-1] - key) * pictures.tick_s >= cut_s / 2
        if far_enough and room_left:
            starts.append((before, key))
            last = key
    if not starts:
        return ()
    edges = [None, *(key for _, key in starts), None]
    seeks = [None, *(before for before, _ in starts)]
    spans = []
    for seek, start, end in zip(seeks, edges, edges[1:], strict=False):
        inside = sum((start is None or start <= at) and (end is None or at < end) for at in pictures.stamps)
        spans.append(Span(seek, start, end, inside))
    return tuple(spans)


def _is_cover(stream: Any) -> bool:
    flags = getattr(av.stream, "Disposition", None)
    return bool(flags is not None and stream.disposition & flags.attached_pic)
