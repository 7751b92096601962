"""Subtitles of a file, carried into what is written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer

from livefilter.continuity import Continuity

# Codecs that a container takes as they are; nothing is encoded anew.
_COPIED = {
    "mp4": frozenset(("mov_text",)),
    "mov": frozenset(("mov_text",)),
    "matroska": frozenset(("subrip", "ass", "webvtt")),
    "webm": frozenset(("webvtt",)),
}


class SubtitleTracks:
    """Copies a file's subtitles beside its video, and their fonts, as far as the container can hold them.

    media: the file. container: one that has not been started. left_out: names of the tracks that are not copied.
    Raises on construction: av.FFmpegError or OSError: the file cannot be read.
    """

    def __init__(self, media: Path, container: OutputContainer) -> None:
        # "file:" keeps FFmpeg from taking a name such as "12:30.mp4" for an address.
        self._source: Any = av.open(f"file:{media}", metadata_errors="replace")
        self._outputs: dict[int, Any] = {}
        left_out = []
        copied = _COPIED.get(container.format.name, frozenset())
        for number, stream in enumerate(self._source.streams.subtitles, 1):
            context = getattr(stream, "codec_context", None)
            codec = context.codec.canonical_name if context is not None else "unknown format"
            if codec in copied:
                self._outputs[stream.index] = _add(container, stream)
            else:
                language = stream.metadata.get("language")
                left_out.append(f"{number} ({f'{language}, ' if language else ''}{codec})")
        self.left_out = tuple(left_out)
        if self._outputs and container.format.name == "matroska":
            for attached in self._source.streams.attachments:
                if _is_font(attached):
                    container.add_attachment(attached.name or "font", attached.mimetype or "", attached.data)
        self._zero_s = (self._source.start_time or 0) / av.time_base
        self._shift_s: float | None = None
        self._packets = self._read() if self._outputs else iter(())
        self._waiting: Any = None
        if not self._outputs:
            self._source.close()

    def align(self, shift_s: float) -> None:
        """Show what the file shows at t seconds at t + shift_s; only the first call counts."""
        if self._shift_s is None:
            self._shift_s = shift_s

    def until(self, at_s: float = math.inf) -> Iterator[Any]:
        """Packets, in order, that are shown before output time `at_s`; nothing before `align`."""
        while self._shift_s is not None:
            if self._waiting is None:
                self._waiting = next(self._packets, None)
            if self._waiting is None:
                return
            packet = self._waiting
            shift_s = self._shift_s - self._zero_s
            if float(packet.pts * packet.time_base) + shift_s >= at_s:
                return
            self._waiting = None
            if packet.stream.index in self._outputs:
                packet.pts = packet.dts = max(packet.pts + round(shift_s / packet.time_base), 0)
                packet.stream = self._outputs[packet.stream.index]
                yield packet

    def close(self) -> None:
        """Close the file. Can be called twice."""
        self._source.close()

    def _read(self) -> Iterator[Any]:
        """Packets of the subtitles, and those of the rest, so that the file is not read far ahead and joins are met."""
        continuity = Continuity(self._source.format.name)
        subtitles = [stream for stream in self._source.streams.subtitles if stream.index in self._outputs]
        try:
            rest = (*self._source.streams.video[:1], *self._source.streams.audio)
            for packet in self._source.demux(*rest, *subtitles):
                continuity.settle(packet)
                if packet.pts is not None and (packet.size or packet.stream.index not in self._outputs):
                    yield packet
        except av.FFmpegError:
            return  # the reader of the pictures meets the same damage and tells it


def _is_font(attached: Any) -> bool:
    """Whether an attachment of a Matroska file is a font; both the old names of their types and RFC 8081's."""
    return any(word in (attached.mimetype or "") for word in ("font", "opentype", "truetype"))


def _add(container: OutputContainer, stream: Any) -> Any:
    output: Any = container.add_stream_from_template(stream)
    for key in ("language", "title"):
        if key in stream.metadata:
            output.metadata[key] = stream.metadata[key]
    output.disposition = stream.disposition
    return output
