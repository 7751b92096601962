"""Packets and pictures out of anything that PyAV opens."""

from __future__ import annotations

import heapq
import logging
import math
import time
from collections.abc import Mapping
from typing import Any

import av
import cv2
import numpy as np
from av.error import EOFError as AvEOFError
from av.error import FFmpegError
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import VideoReformatter

from livefilter.capture.frame_light import light_of
from livefilter.capture.hdr import ToneMapper
from livefilter.capture.pixels import to_bgr
from livefilter.continuity import Continuity
from livefilter.errors import InvalidInput
from livefilter.frame import Image

_log = logging.getLogger(__name__)
_BT709, _BT601 = 1, 5
_RGB, _UNSPECIFIED = 0, 2  # of FFmpeg's AVColorSpace: not YUV at all, and not said
_MATRICES = {1: _BT709, 4: 4, 5: _BT601, 6: _BT601, 7: 7, 9: 9, 10: 9}  # AVColorSpace -> swscale's number
_MAX_FPS = 240.0


class VideoReader:
    """The first real video stream of a container, as packets and decoded frames; not thread-safe.

    url: a path or address for FFmpeg; name: what messages call it.
    continuous: time stamps that start again inside a file (joined recordings) go on rising.
    turn: the display matrix, read from the first picture unless it is set before.
    Raises on construction: FFmpegError (to be translated by the caller), InvalidInput (there is no video in it).
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        options: Mapping[str, str] | None = None,
        timeout: tuple[float, float] | None = None,
        low_delay: bool = False,
        continuous: bool = False,
    ) -> None:
        self._name = name
        self.skipped = 0
        self.packet_wait_s = 0.0
        self.container: Any = av.open(url, options=dict(options or {}), timeout=timeout, metadata_errors="replace")
        try:
            self.stream = self._video_stream()
            # Frame threads decode faster but hold a frame back for each thread.
            self.stream.thread_type = "SLICE" if low_delay else "AUTO"
            self._continuous = continuous
            self._start_reading()
        except BaseException:
            self.container.close()
            raise
        self._reformatter = VideoReformatter()
        self.turn: list[int] | None = None
        self.encrypted = False
        # Kept apart from the container, so that a frame can be looked at while another thread reads or closes it.
        self._aspect = self._pixel_aspect()
        self._transparent: dict[str, bool] = {}
        self._tone_mappers: dict[tuple[int, int], ToneMapper | None] = {}
        # AVI says when packets are decoded and not when pictures are shown; those follow each other evenly.
        self._due: list[int] | None = [] if self.container.format.name == "avi" else None
        self._packed = self.stream.codec_context.name == "mpeg4"

    @property
    def fps(self) -> float:
        """Nominal frames per second; 30 where the container does not know."""
        for rate in (self.stream.average_rate, self.stream.guessed_rate):
            if rate and 0 < float(rate) <= _MAX_FPS:
                return float(rate)
        return 30.0

    @property
    def duration_s(self) -> float | None:
        """Seconds that the container claims to last."""
        return self.container.duration / av.time_base if self.container.duration else None

    @property
    def pictures_last_s(self) -> float | None:
        """Seconds that the container claims for the pictures alone, as far as it tells them from the sound."""
        if self.stream.duration and self.stream.time_base:
            start = self.stream.start_time or 0
            return float((self.stream.duration + start) * self.stream.time_base) - (self.start_s or 0.0)
        return None if self.has_audio else self.duration_s

    @property
    def start_s(self) -> float | None:
        """The earliest time stamp of any stream in seconds, from which times are counted."""
        return None if self.container.start_time is None else self.container.start_time / av.time_base

    @property
    def has_audio(self) -> bool:
        return bool(self.container.streams.audio)

    @property
    def has_subtitles(self) -> bool:
        return bool(self.container.streams.subtitles)

    def next_packet(self) -> Any | None:
        """The next packet, None at the end; `packet_wait_s` is the seconds that it took to come.

        Raises: FFmpegError: the medium failed, or timed out.
        """
        asked = time.perf_counter()
        packet = next(self._packets, None)
        while packet is not None and self._continuity is not None:
            self._continuity.settle(packet)
            if packet.stream.index == self.stream.index:
                break
            packet = next(self._packets, None)
        self.packet_wait_s = time.perf_counter() - asked
        return packet

    def decode(self, packet: Any | None) -> list[Any]:
        """The frames that a packet completes (None: those still inside); damaged ones are counted in `skipped`."""
        if packet is not None and packet.pts is not None and not packet.size:
            return []  # Theora's way to say that the last picture stays
        if packet is not None and packet.has_sidedata("encryption_info"):
            self.encrypted = True
            return []
        if self._due is not None and packet is not None and packet.dts is not None:
            heapq.heappush(self._due, packet.dts)
        try:
            frames = self.stream.codec_context.decode(packet)
        except AvEOFError:
            return []
        except FFmpegError as error:
            if self._due and packet is not None and packet.dts in self._due:
                self._due.remove(packet.dts)
                heapq.heapify(self._due)
            self._skip(str(error))
            return []
        if self._due and frames and self._packed and frames[0].pts is not None:
            # Xvid packs two pictures into a packet: the first slots belong to none.
            self._due = [due for due in self._due if due >= frames[0].pts]
            heapq.heapify(self._due)
            self._packed = False
        for frame in frames if self._due is not None else ():
            frame.pts = heapq.heappop(self._due) if self._due else None
            frame.time_base = self.stream.time_base
        sound = [frame for frame in frames if not frame.is_corrupt]
        for _ in range(len(frames) - len(sound)):
            self._skip("the picture is incomplete")
        if sound:
            self._aspect = self._pixel_aspect()
        return sound

    def image(self, frame: Any) -> Image:
        """The picture as a viewer should see it: square pixels, upright, (H, W, 3) uint8 BGR, C-contiguous.

        HDR and wide gamut are shown as on an ordinary screen.

        One other thread may read packets and decode meanwhile, or close this.
        """
        # Both are asked for once: PyAV ties a frame and its side data into a cycle, and a thousand pictures would wait
        # for the garbage collector.
        if self.turn is None:
            self.turn = _display_matrix(frame)
        pixel_format = frame.format.name
        if pixel_format not in self._transparent:
            self._transparent[pixel_format] = any(component.is_alpha for component in frame.format.components)
        transparent = self._transparent[pixel_format]
        mapper = self._tone_mapper(frame)
        deep, flat = ("rgba64le", "bgra") if transparent else ("rgb48le", "bgr24")
        converted = self._reformatter.reformat(
            frame,
            width=max(1, round(frame.width * self._aspect)),
            height=frame.height,
            format=deep if mapper else flat,
            src_colorspace=_matrix(frame),
            dst_colorspace=_BT601,  # nothing to RGB, but some PyAV versions look at the source's only if this differs
            src_color_range=frame.color_range,
            # What is not converted in one step (10 bit, other sizes) comes out too dark by PyAV's own bilinear filter.
            interpolation="BICUBIC",
        )
        pixels: Any = converted.to_ndarray()
        if mapper is not None:
            alpha = (pixels[:, :, 3:] >> 8).astype(np.uint8)
            pixels = mapper(pixels[:, :, :3])
            pixels = np.dstack([pixels, alpha]) if transparent else pixels
        return _upright(to_bgr(pixels, background=0), self.turn)

    def seek(self, pts: int) -> None:
        """Go on at the key frame with that time stamp, in ticks of the stream, or one before it.

        Raises: FFmpegError.
        """
        self.container.seek(pts, stream=self.stream, backward=True)
        self._start_reading()

    def close(self) -> None:
        self.container.close()

    def _start_reading(self) -> None:
        sound = self.container.streams.audio if self._continuous else ()
        self._continuity = Continuity(self.container.format.name) if self._continuous else None
        self._packets = self.container.demux(self.stream, *sound)

    def _tone_mapper(self, frame: Any) -> ToneMapper | None:
        """What brings a frame's colours to an ordinary screen; None where they are meant for one."""
        codes = int(frame.color_trc), int(frame.color_primaries)
        if codes not in self._tone_mappers:  # asked once, as for the turn
            light = light_of(frame)
            self._tone_mappers[codes] = None if light is None else ToneMapper(light)
        return self._tone_mappers[codes]

    def _video_stream(self) -> Any:
        flags = getattr(av.stream, "Disposition", None)  # since PyAV 14
        for stream in self.container.streams.video:
            # The cover of a music file calls itself a video stream.
            if flags is not None and stream.disposition & flags.attached_pic:
                continue
            if stream.codec_context is None:
                raise InvalidInput(
                    f"The video in {self._name} is in a format that is not known here. Convert it to H.264 first."
                )
            return stream
        raise InvalidInput(f"{self._name} has no video in it{', only sound' if self.has_audio else ''}.")

    def _pixel_aspect(self) -> float:
        ratio = self.stream.sample_aspect_ratio or self.stream.codec_context.sample_aspect_ratio
        return float(ratio) if ratio and 0.25 <= ratio <= 4 else 1.0

    def _skip(self, reason: str) -> None:
        self.skipped += 1
        _log.log(
            logging.WARNING if self.skipped == 1 else logging.DEBUG,
            "Skipped a damaged frame of %s (%d so far): %s",
            self._name,
            self.skipped,
            reason,
        )


def _matrix(frame: Any) -> int | None:
    """How the colours of a frame are coded, as swscale counts matrices; None for RGB."""
    if frame.colorspace == _RGB:
        return None
    if frame.colorspace == _UNSPECIFIED and (frame.width >= 1280 or frame.height > 576):
        return _BT709  # as players do; FFmpeg alone would take BT.601
    return _MATRICES.get(frame.colorspace, _BT601)


def _display_matrix(frame: Any) -> list[int]:
    """The first five numbers of a frame's display matrix (ISO/IEC 14496-12, 8.3.2); empty when it has none."""
    try:
        matrix = frame.side_data.get(SideDataType.DISPLAYMATRIX)
    except ValueError:
        # Beside it lies a kind of data that this PyAV has no name for, such as the EXIF of a JPEG picture.
        turn = math.radians(-frame.rotation)
        return [round(math.cos(turn)), round(math.sin(turn)), 0, -round(math.sin(turn)), round(math.cos(turn))]
    numbers: list[int] = [] if matrix is None else np.frombuffer(matrix, np.int32)[:5].tolist()
    return numbers


def _upright(image: Image, matrix: list[int]) -> Image:
    """Turn and mirror an image as its display matrix says."""
    if not matrix:
        return image
    a, b, _, c, d = matrix
    turned = abs(b) > abs(a)
    if turned:
        image = _array(cv2.transpose(image))
        a, d = c, b
    if a < 0 or d < 0:
        image = _array(cv2.flip(image, -1 if a < 0 and d < 0 else 1 if a < 0 else 0))
    return image


def _array(image: Any) -> Image:
    return np.ascontiguousarray(image, dtype=np.uint8)
