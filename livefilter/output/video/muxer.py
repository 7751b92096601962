"""Frames and sound, encoded into one container."""

from __future__ import annotations

import contextlib
import math
from fractions import Fraction
from typing import BinaryIO, cast

import av
import cv2
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from livefilter.errors import InvalidInput
from livefilter.frame import Frame, Image
from livefilter.output.base import SinkOptions
from livefilter.output.video.audio import SoundTrack
from livefilter.output.video.encoders import Container
from livefilter.output.video.subtitles import SubtitleTracks
from livefilter.output.video.timeline import Timeline

_TIME_BASE = Fraction(1, 90_000)
_BT709 = 1
_LIMITED_RANGE = 1
_KEYFRAME_EVERY_S = 2.0
_KEYFRAME = 1

# The muxer may hold packets back this long while it waits for the other stream (µs); its own default is ten seconds.
_INTERLEAVE_US = 1_000_000

_MIN_BIT_RATE, _MAX_BIT_RATE = 400_000, 20_000_000


class Muxer:
    """Writes a playable file or stream out of frames of one size and the sound and subtitles of a file.

    file: takes the bytes; the caller closes it. If it is closed before `finish`, nothing more is written.
    Raises on construction: InvalidInput: the size cannot be encoded; av.FFmpegError, OSError: the sound cannot be read.
    """

    def __init__(self, file: BinaryIO, kind: Container, options: SinkOptions) -> None:
        self._options = options
        self._fps = options.fps if options.fps > 0 else 30.0
        self._timeline = Timeline(hold_s=kind.hold_s, live=options.live, own_zero=options.ended is not None)
        self._image: Image | None = None
        self._keyframe_at_s: float | None = None
        self._finished = False
        self._last_picture: Packet[VideoStream] | None = None
        self._sound: SoundTrack | None = None
        self._subtitles: SubtitleTracks | None = None
        # H.264 in 4:2:0, the only kind that every player takes, has even sides.
        self._alpha = kind.alpha if options.alpha else None
        self._padded = _even_canvas(options.width, options.height, 4 if self._alpha else 3)
        self._container = av.open(
            file,
            "w",
            format=kind.name,
            container_options={**kind.container_options, "max_interleave_delta": str(_INTERLEAVE_US)},
        )
        self._video = self._add_video(kind)
        if options.media is not None:
            self._sound = SoundTrack.open(
                options.media, options.loop, self._container, kind.sound_copied, kind.sound_encoder, options.tracks
            )
            if options.ended is not None:
                self._subtitles = SubtitleTracks(options.media, self._container)

    @property
    def subtitles_left_out(self) -> tuple[str, ...]:
        """The subtitle tracks of a whole file that the container cannot hold as they are."""
        return self._subtitles.left_out if self._subtitles is not None else ()

    @property
    def width(self) -> int:
        """Pixels as written, even."""
        return int(self._video.width)

    @property
    def height(self) -> int:
        """Pixels as written, even."""
        return int(self._video.height)

    def write(self, frame: Frame) -> None:
        """Encode one frame, unless it only repeats the last one, and the sound that goes with it.

        Raises: InvalidInput: a frame of another size; av.FFmpegError, OSError: the file or stream takes no more.
        """
        if (frame.width, frame.height) != (self._options.width, self._options.height):
            raise InvalidInput(
                f"A frame of {frame.width}x{frame.height} cannot go into a video of {self._options.width}x"
                f"{self._options.height}: every frame must have the size the output was opened with."
            )
        self._image = self._picture(frame)
        placement = self._timeline.place(frame)
        if placement is None:
            return
        if self._sound is not None:
            if placement.media_s is not None:
                # From the file's very start where the output has the file's own times: sound may come first.
                start_s = 0.0 if self._options.ended is not None else placement.media_s
                self._sound.align(start_s, placement.at_s - placement.media_s + start_s)
            self._container.mux(list(self._sound.until(placement.at_s)))
        if self._subtitles is not None:
            if placement.media_s is not None:
                self._subtitles.align(placement.at_s - placement.media_s)
            self._container.mux(list(self._subtitles.until(placement.at_s)))
        self._encode(self._image, placement.at_s)

    def finish(self) -> None:
        """Write what is still held back and the end of the container. Can be called twice.

        Raises: av.FFmpegError, OSError: the file or stream takes no more.
        """
        if self._finished:
            return
        self._finished = True
        try:
            if self._image is not None:
                if self._timeline.held_s > 1 / self._fps:
                    self._encode(self._image, self._timeline.end_s)
                if self._sound is not None:
                    bounded = self._options.ended is None or not self._options.ended.is_set()
                    end_s = self._timeline.end_s + 1 / self._fps if bounded else math.inf
                    for packet in self._sound.until(end_s):
                        self._container.mux(packet)
                    self._container.mux(list(self._sound.finish()))
                if self._subtitles is not None and self._options.ended is not None and self._options.ended.is_set():
                    self._container.mux(list(self._subtitles.until()))
                self._mux_pictures(self._video.encode(None))
                self._end_pictures()
                self._container.close()
        finally:
            self._close_media()

    def abandon(self) -> None:
        """Let go of everything after a failure; close the file first."""
        self._finished = True
        self._close_media()
        # The file refuses the end mark, as it must: it already failed.
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):
            self._container.close()

    def _add_video(self, kind: Container) -> VideoStream:
        height, width = self._padded.shape[:2]
        codec = self._alpha.codec if self._alpha else kind.codec
        settings = dict(self._alpha.codec_options if self._alpha else kind.codec_options)
        if kind.bits_per_pixel:
            wanted = round(width * height * self._fps * kind.bits_per_pixel)
            bit_rate = str(min(max(wanted, _MIN_BIT_RATE), _MAX_BIT_RATE))
            settings |= {"b": bit_rate, "maxrate": bit_rate, "bufsize": bit_rate}
        rate = Fraction(self._fps).limit_denominator(1001)
        stream = cast(VideoStream, self._container.add_stream(codec, rate=rate, options=settings))
        stream.width, stream.height = width, height
        stream.pix_fmt = self._alpha.pixels if self._alpha else "yuv420p"
        context = stream.codec_context
        context.time_base = _TIME_BASE
        context.thread_count = self._options.encoder_threads
        context.gop_size = max(1, round(self._fps * _KEYFRAME_EVERY_S))
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        return stream

    def _picture(self, frame: Frame) -> Image:
        """What is encoded of a frame: BGR, or BGRA where transparency is kept."""
        if not self._alpha:
            return frame.image
        if frame.cutout is not None:
            return frame.cutout.image
        return np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2BGRA), np.uint8)

    def _encode(self, image: Image, at_s: float) -> None:
        given, kept = ("bgra", self._alpha.pixels) if self._alpha else ("bgr24", "yuv420p")
        picture = VideoFrame.from_numpy_buffer(self._pad(image), format=given).reformat(
            format=kept, dst_colorspace="ITU709", dst_color_range="MPEG", threads=1
        )
        picture.pts, picture.time_base = round(at_s / _TIME_BASE), _TIME_BASE
        if self._keyframe_at_s is None or at_s - self._keyframe_at_s >= _KEYFRAME_EVERY_S:
            # By time, not by count: a camera that slows down must not make viewers wait longer for a picture.
            picture.pict_type = _KEYFRAME
            self._keyframe_at_s = at_s
        self._mux_pictures(self._video.encode(picture))

    def _mux_pictures(self, packets: list[Packet[VideoStream]]) -> None:
        """Mux pictures; of a file the newest one is kept back, as only its end says how long it lasts."""
        if self._options.ended is None:
            self._container.mux(packets)
            return
        for packet in packets:
            if self._last_picture is not None:
                self._container.mux(self._last_picture)
            self._last_picture = packet

    def _end_pictures(self) -> None:
        if self._last_picture is None:
            return
        lasts_s = self._timeline.last_lasts_s or 1 / self._fps
        self._last_picture.duration = round(lasts_s / (self._last_picture.time_base or _TIME_BASE))
        self._container.mux(self._last_picture)
        self._last_picture = None

    def _pad(self, image: Image) -> Image:
        """The image with even sides, its last column and row repeated where needed."""
        height, width = image.shape[:2]
        if self._padded.shape == image.shape and image.flags.c_contiguous:
            return image
        self._padded[:height, :width] = image
        self._padded[:height, width:] = image[:, -1:]
        self._padded[height:] = self._padded[height - 1 : height]
        return self._padded

    def _close_media(self) -> None:
        for track in (self._sound, self._subtitles):
            if track is not None:
                track.close()


def _even_canvas(width: int, height: int, channels: int) -> Image:
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise InvalidInput(f"A video cannot be {width}x{height}: each side must be from 1 to 16384 pixels.")
    return np.zeros((height + height % 2, width + width % 2, channels), np.uint8)
