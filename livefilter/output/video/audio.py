"""Sound of a file, carried into what is written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from typing_extensions import Self

_log = logging.getLogger(__name__)

# Sound that starts this little before the picture is kept: it is rounding, not an earlier moment.
_EARLY_S = 0.0005
_BIT_RATE = 160_000
_RATES = frozenset((8000, 12000, 16000, 24000, 48000))


class SoundTrack:
    """Copies the packets of a file's sound beside a video, encoding them anew only where the container needs it.

    Construct through `open` before the first packet is muxed, `align` it to the picture, then mux what `until` yields.
    """

    def __init__(
        self,
        source: InputContainer,
        loop: bool,
        container: OutputContainer,
        copied: frozenset[str] | None,
        encoder: str,
    ) -> None:
        self._source = source
        self._input: AudioStream = source.streams.audio[0]
        codec = self._input.codec_context.name
        self.copies = copied is None or codec in copied
        self._output: AudioStream = (
            container.add_stream_from_template(self._input)
            if self.copies
            else _add_encoder(container, encoder, self._input)
        )
        if not self.copies:
            _log.info(
                "The sound is %s, which %s cannot hold: encoding it as %s.", codec, container.format.name, encoder
            )
        # AAC of MPEG-TS has a head on every piece and none on the stream, and MP4 wants it the other way round. libav
        # sees to that itself in all muxers but this one, while it delays its index.
        heads = self.copies and codec == "aac" and not self._input.codec_context.extradata
        self._unhead = (
            BitStreamFilterContext("aac_adtstoasc", self._input)
            if heads and container.format.name in ("mp4", "mov")
            else None
        )
        # Times count from the earliest of all streams, as they do where the pictures are read.
        self._zero_s = (source.start_time or 0) / av.time_base
        self._length_s = self._measure_length() if loop else None
        self._loop = bool(self._length_s)
        self._parts: Iterator[tuple[float, Packet[AudioStream]]] | None = None
        self._waiting: tuple[float, Packet[AudioStream]] | None = None
        self._last_dts: int | None = None

    @classmethod
    def open(
        cls, media: Path, loop: bool, container: OutputContainer, copied: frozenset[str] | None, encoder: str
    ) -> Self | None:
        """Add the sound of `media` to a container that has not been started; None when the file has no sound.

        copied: names of the codecs that the container takes as they are, None for all; others become `encoder`.
        Raises: av.FFmpegError or OSError: the file cannot be read.
        """
        source = av.open(str(media))
        try:
            if source.streams.audio and source.streams.audio[0].codec_context is not None:
                return cls(source, loop, container, copied, encoder)
        except BaseException:
            source.close()
            raise
        if source.streams.audio:
            _log.warning("The sound of %s is in an unknown format: going on without sound.", media)
        source.close()
        return None

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
            yield from self._emit(packet) if self.copies else self._encode(packet)

    def finish(self) -> Iterator[Packet[AudioStream]]:
        """What the encoder still holds."""
        if not self.copies and self._output.codec_context.is_open:
            yield from self._output.encode(None)

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
            self._source.seek(round((inside_s + self._zero_s) * av.time_base), backward=True)
            for packet in self._source.demux(self._input):
                if packet.pts is None or packet.dts is None:
                    continue
                starts_s = _seconds(packet.pts, packet.time_base) - self._zero_s
                if self._loop and self._length_s and starts_s >= self._length_s:
                    break
                if starts_s < inside_s - _EARLY_S:  # also drops an encoder's priming, which lies before 0
                    continue
                shift = round(shift_s / packet.time_base)
                packet.pts += shift
                packet.dts += shift
                silent = False
                yield starts_s + self._zero_s + shift_s, packet
            if not self._loop or silent:  # a whole turn without sound: the next one has none either
                return
            turn += 1

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
                _seconds(packet.pts, packet.time_base) + (_seconds(packet.duration, packet.time_base) or step_s)
                for packet in self._source.demux(video)
                if packet.pts is not None
            ]
            if ends:
                return max(max(ends) - self._zero_s, 0.0)
        return 0.0

    def _emit(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        if packet.dts is None or (self._last_dts is not None and packet.dts <= self._last_dts):
            return  # a seam of a loop or an alignment; containers refuse time that stands still
        self._last_dts = packet.dts
        for piece in self._unhead.filter(packet) if self._unhead is not None else [packet]:
            piece.stream = self._output
            yield cast("Packet[AudioStream]", piece)

    def _encode(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        try:
            frames = self._input.decode(packet)
        except av.InvalidDataError:
            _log.warning("A damaged piece of sound at %.1f s was left out.", _seconds(packet.pts, packet.time_base))
            return
        for frame in frames:
            if self._rises(frame):
                yield from self._output.encode(frame)

    def _rises(self, frame: AudioFrame) -> bool:
        rises = frame.pts is not None and (self._last_dts is None or frame.pts > self._last_dts)
        self._last_dts = frame.pts if rises else self._last_dts
        return rises


def _add_encoder(container: OutputContainer, encoder: str, like: AudioStream) -> AudioStream:
    rate = like.codec_context.sample_rate
    if encoder == "libopus" and rate not in _RATES:
        rate = 48000
    stream = cast(AudioStream, container.add_stream(encoder, rate=min(rate, 48000), bit_rate=_BIT_RATE))
    stream.layout = "mono" if like.codec_context.layout.nb_channels == 1 else "stereo"
    return stream


def _seconds(ticks: int | None, time_base: Fraction | None) -> float:
    return float(ticks * time_base) if ticks is not None and time_base is not None else 0.0
