"""One stream of sound on its way from a file into an output: copied, or decoded and encoded anew without a gap."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.packet import Packet

_log = logging.getLogger(__name__)

# Shorter gaps and overlaps of decoded sound are rounding.
_GAP_S = 0.02
_BIT_RATE = 160_000
_RATES = frozenset((8000, 12000, 16000, 24000, 48000))
_FROM_COARSE = ("avi",)  # its MP3 counts in whole packets, which MP4 cannot write


class SoundStream:
    """A stream of a file's sound and the one that it becomes.

    input: may be replaced when the file is opened again. copies: nothing is encoded anew. damaged: pieces of sound that
    could not be decoded and were left out.
    """

    def __init__(
        self, stream: AudioStream, container: OutputContainer, copied: frozenset[str] | None, encoder: str
    ) -> None:
        self.input = stream
        self.damaged = 0
        codec = stream.codec_context.codec.canonical_name
        into = container.format.name
        coarse = into in ("mp4", "mov") and any(
            name in _FROM_COARSE for name in stream.container.format.name.split(",")
        )
        self.copies = (copied is None or codec in copied) and not coarse
        self._output: AudioStream = (
            container.add_stream_from_template(stream) if self.copies else _add_encoder(container, encoder, stream)
        )
        language = stream.metadata.get("language")
        if language:
            self._output.metadata["language"] = language
        if not self.copies:
            _log.info("The sound is %s, which %s cannot hold: encoding it as %s.", codec, into, encoder)
            self._grid = _Grid(self._output)
        # AAC of MPEG-TS has a head on every piece and none on the stream, and MP4 wants it the other way round. libav
        # sees to that itself in all muxers but this one, while it delays its index.
        heads = self.copies and codec == "aac" and not stream.codec_context.extradata
        self._unhead = BitStreamFilterContext("aac_adtstoasc", stream) if heads and into in ("mp4", "mov") else None
        self._last_dts: int | None = None
        # Matroska counts milliseconds, and packets of TrueHD are shorter.
        self._least_step = 0 if into == "matroska" else 1

    def take(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        """What one packet of the file becomes."""
        return self._emit(packet) if self.copies else self._encode(packet)

    def finish(self) -> Iterator[Packet[AudioStream]]:
        """What the decoder and the encoder still hold."""
        if self.copies:
            return
        for piece in self._grid.rest():
            yield from self._output.encode(piece)
        if self._output.codec_context.is_open:
            yield from self._output.encode(None)

    def _emit(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        if packet.dts is None or (self._last_dts is not None and packet.dts < self._last_dts + self._least_step):
            return  # a seam of a loop or an alignment; most containers refuse time that stands still
        self._last_dts = packet.dts
        for piece in self._unhead.filter(packet) if self._unhead is not None else [packet]:
            piece.stream = self._output
            yield cast("Packet[AudioStream]", piece)

    def _encode(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        try:
            frames = self.input.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            if self.damaged == 1:
                _log.warning("A damaged piece of sound at %.1f s was left out.", seconds(packet.pts, packet.time_base))
            return
        for frame in frames:
            for piece in self._grid.place(frame):
                yield from self._output.encode(piece)


class _Grid:
    """Puts decoded sound where its time stamps say, with silence in gaps and without what overlaps."""

    def __init__(self, output: AudioStream) -> None:
        context = output.codec_context
        self._rate = context.sample_rate
        self._layout = context.layout.name
        self._format = context.format.name
        self._resampler = AudioResampler(self._format, self._layout, self._rate)
        self._next: int | None = None

    def place(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """Frames without a gap between them for what was decoded next."""
        if frame.pts is None and self._next is None:
            return
        wanted = self._next if frame.pts is None else round(seconds(frame.pts, frame.time_base) * self._rate)
        for piece in self._resampler.resample(frame):
            yield from self._settle(piece, wanted)
            wanted = None

    def rest(self) -> Iterator[AudioFrame]:
        """What the resampler still holds."""
        if self._next is not None:
            for piece in self._resampler.resample(None):
                yield from self._settle(piece, None)

    def _settle(self, piece: AudioFrame, wanted: int | None) -> Iterator[AudioFrame]:
        if self._next is None:
            self._next = wanted or 0
        elif wanted is not None:
            gap = wanted - self._next
            if gap > _GAP_S * self._rate:
                while gap > 0:  # a minute at a time at most
                    count = min(gap, self._rate * 60)
                    yield self._stamped(self._silence(count))
                    gap -= count
            elif gap < -max(_GAP_S * self._rate, piece.samples / 2):
                return
        yield self._stamped(piece)

    def _silence(self, count: int) -> AudioFrame:
        silence = AudioFrame(format=self._format, layout=self._layout, samples=count)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate = self._rate
        return silence

    def _stamped(self, piece: AudioFrame) -> AudioFrame:
        piece.pts, piece.time_base = self._next, Fraction(1, self._rate)
        self._next = cast(int, self._next) + piece.samples
        return piece


def _add_encoder(container: OutputContainer, encoder: str, like: AudioStream) -> AudioStream:
    rate = like.codec_context.sample_rate
    if encoder == "libopus" and rate not in _RATES:
        rate = 48000
    stream = cast(AudioStream, container.add_stream(encoder, rate=max(8000, min(rate, 48000)), bit_rate=_BIT_RATE))
    stream.layout = "mono" if like.codec_context.layout.nb_channels == 1 else "stereo"
    return stream


def seconds(ticks: int | None, time_base: Fraction | None) -> float:
    """Ticks of a stream's clock in seconds; 0 where they are not known."""
    return float(ticks * time_base) if ticks is not None and time_base is not None else 0.0
