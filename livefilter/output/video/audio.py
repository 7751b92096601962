"""Sound of a file, carried into what is written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from typing_extensions import Self

from livefilter.continuity import Continuity
from livefilter.output.video.sound_stream import SoundStream, seconds

_log = logging.getLogger(__name__)

# Which tracks of a file are taken.
Tracks: TypeAlias = Literal["default", "all", "none"]

# Sound that starts this little before the picture is kept: it is rounding, not an earlier moment.
_EARLY_S = 0.0005


class SoundTrack:
    """Copies the packets of a file's sound beside a video, encoding them anew only where the container needs it.

    Construct through `open` before the first packet is muxed, `align` it to the picture, then mux what `until` yields.
    """

    def __init__(
        self,
        media: Path,
        source: InputContainer,
        chosen: list[AudioStream],
        loop: bool,
        container: OutputContainer,
        copied: frozenset[str] | None,
        encoder: str,
    ) -> None:
        self._media = media
        self._source = source
        self._tracks = {stream.index: SoundStream(stream, container, copied, encoder) for stream in chosen}
        # Times count from the earliest of all streams, as they do where the pictures are read.
        self._zero_s = (source.start_time or 0) / av.time_base
        self._length_s = self._measure_length() if loop else None
        self._loop = bool(self._length_s)
        self._fresh = not loop
        self._parts: Iterator[tuple[float, Packet[AudioStream]]] | None = None
        self._waiting: tuple[float, Packet[AudioStream]] | None = None

    @classmethod
    def open(
        cls,
        media: Path,
        loop: bool,
        container: OutputContainer,
        copied: frozenset[str] | None,
        encoder: str,
        tracks: Tracks = "default",
    ) -> Self | None:
        """Add the sound of `media` to a container that has not been started; None when the file has no sound.

        copied: names of the codecs that the container takes as they are, None for all; others become `encoder`.
        Raises: av.FFmpegError or OSError: the file cannot be read.
        """
        if tracks == "none":
            return None
        source = _open(media)
        try:
            known = [stream for stream in source.streams.audio if getattr(stream, "codec_context", None)]
            if known:
                return cls(
                    media, source, known if tracks == "all" else [_default(known)], loop, container, copied, encoder
                )
        except BaseException:
            source.close()
            raise
        if source.streams.audio:
            _log.warning("The sound of %s is in an unknown format: going on without sound.", media)
        source.close()
        return None

    @property
    def copies(self) -> bool:
        """Whether nothing of the sound is encoded anew."""
        return all(track.copies for track in self._tracks.values())

    @property
    def damaged(self) -> int:
        """Pieces of sound that could not be decoded and were left out."""
        return sum(track.damaged for track in self._tracks.values())

    def align(self, media_s: float, at_s: float) -> None:
        """Make the file's moment `media_s` sound at output time `at_s`, from the next packet on.

        media_s: seconds since the start of the file or of its first loop.
        """
        self._waiting = None
        self._parts = self._play(media_s, at_s)

    def until(self, at_s: float) -> Iterator[Packet[AudioStream]]:
        """Packets, in order, whose sound starts before output time `at_s`; nothing before the first `align`."""
        while self._parts is not None:
            if self._waiting is None:
                self._waiting = next(self._parts, None)
            if self._waiting is None or self._waiting[0] >= at_s:
                return
            packet = self._waiting[1]
            self._waiting = None
            yield from self._tracks[packet.stream.index].take(packet)

    def finish(self) -> Iterator[Packet[AudioStream]]:
        """What the encoders still hold."""
        for track in self._tracks.values():
            yield from track.finish()

    def close(self) -> None:
        """Close the file. Can be called twice."""
        self._source.close()

    def _play(self, media_s: float, at_s: float) -> Iterator[tuple[float, Packet[AudioStream]]]:
        """Packets from a moment on, moved to output time, each with the output time at which it starts."""
        turn = int(media_s // self._length_s) if self._loop and self._length_s else 0
        while True:
            turn_start_s = turn * (self._length_s or 0.0)
            inside_s = max(media_s - turn_start_s, 0.0)
            shift_s = at_s - media_s + turn_start_s - self._zero_s
            silent = inside_s == 0.0
            for packet in self._from(inside_s):
                starts_s = seconds(packet.pts, packet.time_base) - self._zero_s
                if self._loop and self._length_s and starts_s >= self._length_s:
                    break
                if starts_s < inside_s - _EARLY_S:  # also drops an encoder's priming, which lies before 0
                    continue
                shift = round(shift_s / packet.time_base)
                packet.pts = cast(int, packet.pts) + shift
                packet.dts = cast(int, packet.dts) + shift
                silent = False
                yield starts_s + self._zero_s + shift_s, packet
            if not self._loop or silent:  # a whole turn without sound: the next one has none either
                return
            turn += 1

    def _from(self, inside_s: float) -> Iterator[Packet[AudioStream]]:
        """Packets of the tracks from about a moment on: sought for, or read from the start.

        The start is never sought for: some containers cannot seek, others forget the sound before the first picture.
        """
        if inside_s > 0.0:
            try:
                self._source.seek(round((inside_s + self._zero_s) * av.time_base), backward=True)
                self._fresh = False
            except (av.FFmpegError, OSError):
                self._reopen()
        else:
            self._reopen()
        self._fresh = False
        continuity = Continuity(self._source.format.name)
        for packet in self._source.demux(*self._source.streams.video[:1], *self._source.streams.audio):
            continuity.settle(packet)
            if packet.stream.index in self._tracks and packet.pts is not None and packet.dts is not None:
                yield cast("Packet[AudioStream]", packet)

    def _reopen(self) -> None:
        if self._fresh:
            return
        self._source.close()
        self._source = _open(self._media)
        self._fresh = True
        for index, track in self._tracks.items():
            track.input = cast(AudioStream, self._source.streams[index])

    def _measure_length(self) -> float:
        """Seconds that one turn of the pictures takes, at whose end the sound starts again too; 0 if unknown."""
        if not self._source.streams.video or not self._source.duration:
            return 0.0
        video = self._source.streams.video[0]
        # Where a picture does not say how long it lasts, the source of the pictures counts one of its rate too.
        step_s = 1.0 / float(video.average_rate or video.guessed_rate or 30)
        start = self._source.start_time or 0
        # Where there are no key frames to go back to, the very end can hold less than the last picture, or nothing.
        for moment in (max(self._source.duration + start - 2 * av.time_base, start), start):
            self._source.seek(moment, backward=True)
            ends = [
                seconds(packet.pts, packet.time_base) + (seconds(packet.duration, packet.time_base) or step_s)
                for packet in self._source.demux(video)
                if packet.pts is not None
            ]
            if ends:
                return max(max(ends) - self._zero_s, 0.0)
        return 0.0


def _open(media: Path) -> InputContainer:
    # "file:" keeps FFmpeg from taking a name such as "12:30.mp4" for an address; old files have titles in any code.
    return av.open(f"file:{media}", metadata_errors="replace")


def _default(streams: list[AudioStream]) -> AudioStream:
    flags = getattr(av.stream, "Disposition", None)  # since PyAV 14
    marked = [stream for stream in streams if flags is not None and stream.disposition & flags.default]
    return (marked or streams)[0]
