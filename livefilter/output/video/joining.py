"""Recordings that follow each other, put together without encoding them again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av

from livefilter.errors import LivefilterError, SinkLost, SinkUnavailable
from livefilter.output.base import SinkOptions
from livefilter.output.video.audio import SoundTrack
from livefilter.output.video.encoders import FILES, Container
from livefilter.output.video.recording import reason
from livefilter.output.video.subtitles import SubtitleTracks

_INTERLEAVE_US = 1_000_000


class JoinRefused(LivefilterError):
    """The parts were not encoded alike, so that no player could play them as one film."""


def join_recordings(
    parts: Sequence[Path],
    target: Path,
    options: SinkOptions,
    last_lasts_s: float,
    seen: Callable[[int], None] = lambda _pictures: None,
) -> str | None:
    """Write the pictures of all parts into a new file, with the sound and subtitles of `options.media` copied once.

    parts: recordings of one encoder without sound, in order, whose time stamps are those of the whole. target: a name
    that no file has. last_lasts_s: seconds for which the last picture is shown. seen: told how many pictures are in.
    Returns: what the file cannot hold and was left out, in a line.
    Raises: JoinRefused; SinkUnavailable, SinkLost: it cannot be written.
    """
    kind = FILES[target.suffix.lower()]
    try:
        file = target.open("xb", buffering=0)
    except OSError as error:
        raise SinkUnavailable(f"Cannot write {target}: {reason(error)}. Choose another folder.") from error
    try:
        with file:
            return _Join(file, kind, parts, options).run(last_lasts_s, seen)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SinkLost(f"Joining the parts of {target} stopped: {reason(error)}. Make room and try again.") from error


class _Join:
    def __init__(self, file: BinaryIO, kind: Container, parts: Sequence[Path], options: SinkOptions) -> None:
        self._parts, self._options = parts, options
        self._container: Any = av.open(
            file,
            "w",
            format=kind.name,
            container_options={**kind.container_options, "max_interleave_delta": str(_INTERLEAVE_US)},
        )
        first: Any
        with av.open(f"file:{parts[0]}") as first:
            like = first.streams.video[0]
            self._head = bytes(like.codec_context.extradata or b"")
            self._video = self._container.add_stream_from_template(like, opaque=True)
            rate = Fraction(options.fps).limit_denominator(1001)
            self._video.codec_context.framerate = rate
            self._video.time_base = like.time_base
        self._sound = self._subtitles = None
        if options.media is not None:
            self._sound = SoundTrack.open(
                options.media, False, self._container, kind.sound_copied, kind.sound_encoder, options.tracks
            )
            self._subtitles = SubtitleTracks(options.media, self._container)

    def run(self, last_lasts_s: float, seen: Callable[[int], None]) -> str | None:
        aligned = False
        last: Any = None
        count = 0
        try:
            for packet in self._packets():
                at_s = float(packet.pts * packet.time_base)
                if not aligned:
                    self._align()
                    aligned = True
                self._beside(at_s)
                if last is not None:
                    self._container.mux(last)
                last = packet
                last.stream = self._video
                count += 1
                seen(count)
            self._beside(math.inf)
            if self._sound is not None:
                self._container.mux(list(self._sound.finish()))
            if last is not None:
                lasts_s = last_lasts_s or 1 / self._options.fps
                last.duration = round(lasts_s / last.time_base)
                self._container.mux(last)
            self._container.close()
        finally:
            for track in (self._sound, self._subtitles):
                if track is not None:
                    track.close()
        left_out = self._subtitles.left_out if self._subtitles is not None else ()
        return f"Subtitle tracks left out: {', '.join(left_out)}." if left_out else None

    def _align(self) -> None:
        if self._sound is not None:
            self._sound.align(0.0, 0.0)
        if self._subtitles is not None:
            self._subtitles.align(0.0)

    def _beside(self, at_s: float) -> None:
        if self._sound is not None:
            self._container.mux(list(self._sound.until(at_s)))
        if self._subtitles is not None:
            self._container.mux(list(self._subtitles.until(at_s)))

    def _packets(self) -> Iterator[Any]:
        for part in self._parts:
            container: Any
            with av.open(f"file:{part}") as container:
                stream = container.streams.video[0]
                if bytes(stream.codec_context.extradata or b"") != self._head:
                    raise JoinRefused(f"{part.name} was encoded with other settings than the parts before it.")
                for packet in container.demux(stream):
                    if packet.dts is not None and packet.size:
                        yield packet
