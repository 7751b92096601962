"""A camera's Linux device: its formats, and its pictures one by one."""

from __future__ import annotations

import errno
import mmap
import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livefilter.capture.colour import BT601, BT709, BT2020, SMPTE240M, DamagedPicture, Layout, decode
from livefilter.capture.mode import Mode
from livefilter.capture.v4l2 import v4l2
from livefilter.closeable import Closeable
from livefilter.errors import SourceLost
from livefilter.frame import Image

_CAPTURE = v4l2.BufferType.VIDEO_CAPTURE
# A frame lies in the driver for no longer than this; an older time stamp is of another clock.
_OLDEST_S = 2.0
_LUMA = {
    v4l2.raw.YcbcrEncoding._709: BT709,
    v4l2.raw.YcbcrEncoding.XV709: BT709,
    v4l2.raw.YcbcrEncoding.BT2020: BT2020,
    v4l2.raw.YcbcrEncoding.BT2020_CONST_LUM: BT2020,
    v4l2.raw.YcbcrEncoding.SMPTE240M: SMPTE240M,
}

# The extended gamut of xvYCC (IEC 61966-2-4) is what limited range leaves over, whatever the driver says of the range.
_ALWAYS_LIMITED = (v4l2.raw.YcbcrEncoding.XV601, v4l2.raw.YcbcrEncoding.XV709)


@dataclass(frozen=True, slots=True)
class CameraPicture:
    """One picture of a camera.

    image: (H, W, 3) uint8 BGR. captured_at: `time.perf_counter()` seconds. sequence: the driver's number of it; what is
    missing between two pictures was lost.
    """

    image: Image
    captured_at: float
    sequence: int


class V4l2Device(Closeable):
    """A streaming V4L2 device; used by one thread at a time.

    path: such as /dev/video0. mode: what to ask for. fps: the rate to ask for. queue: pictures that it may hold.
    mode: the size, format and rate that it really gives. damaged: pictures left out so far because they were.
    missing: pictures that the driver lost so far, for want of a free place in its queue.
    Raises on construction: OSError: it cannot be opened, or refuses to stream.
    """

    def __init__(self, path: str, mode: Mode, fps: float, queue: int = 2) -> None:
        self.damaged = 0
        self.missing = 0
        self._last: int | None = None
        self._path = path
        self._maps: list[mmap.mmap] = []
        self._views: list[NDArray[np.uint8]] = []
        self._asleep_s = _asleep_s()
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            v4l2.set_format(self._fd, _CAPTURE, mode.width, mode.height, mode.pixel_format)
            with suppress(OSError):  # some drivers have one rate and refuse to be asked
                v4l2.set_fps(self._fd, _CAPTURE, fps)
            self._layout = _layout(self._fd)
            self.mode = Mode(self._layout.pixel_format, self._layout.width, self._layout.height, _stated_fps(self._fd))
            count = v4l2.request_buffers(self._fd, _CAPTURE, v4l2.Memory.MMAP, queue).count
            for index in range(count):
                buffer = v4l2.query_buffer(self._fd, _CAPTURE, v4l2.Memory.MMAP, index)
                self._maps.append(v4l2.mmap_from_buffer(self._fd, buffer))
                self._views.append(np.frombuffer(self._maps[-1], np.uint8))
                self._give_back(index)
            v4l2.stream_on(self._fd, _CAPTURE)
        except BaseException:
            self.close()
            raise

    def read(self, timeout_s: float) -> CameraPicture:
        """Wait for the next whole picture; of several that wait already, the newest.

        Raises: SourceLost: none came in time, or the device failed; says why, after the camera's name.
        """
        deadline = time.monotonic() + timeout_s
        try:
            while (left_s := deadline - time.monotonic()) > 0:
                if not select.select([self._fd], [], [], left_s)[0]:
                    break
                buffer = self._newest()
                if buffer is not None and (picture := self._taken(buffer)) is not None:
                    return picture
        except OSError as error:
            raise SourceLost(self._why(error)) from error
        if self.damaged:
            raise SourceLost("gives damaged pictures only: check its cable, or try another socket")
        raise SourceLost(
            self._why(None, f"gave no picture for {timeout_s:g} s: it hangs, unplug it and plug it in again")
        )

    def close(self) -> None:
        """Stop it and free it. Can be called twice."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        self._views.clear()
        with suppress(OSError):  # an unplugged one cannot be stopped
            v4l2.stream_off(fd, _CAPTURE)
        for mapped in self._maps:
            mapped.close()
        self._maps.clear()
        os.close(fd)

    def _newest(self) -> Any | None:
        newest = None
        while True:
            try:
                buffer = v4l2.dequeue_buffer(self._fd, _CAPTURE, v4l2.Memory.MMAP)
            except BlockingIOError:
                return newest
            if self._last is not None:
                self.missing += max(0, buffer.sequence - self._last - 1)
            self._last = buffer.sequence
            if newest is not None:
                self._give_back(newest.index)
            newest = buffer

    def _taken(self, buffer: Any) -> CameraPicture | None:
        """What a buffer holds, which goes back to the driver; None when it is damaged."""
        now = time.perf_counter()
        try:
            if buffer.flags & v4l2.BufferFlag.ERROR or not buffer.bytesused:
                raise DamagedPicture("the driver says so")
            image = decode(self._views[buffer.index][: buffer.bytesused], self._layout)
        except DamagedPicture:
            self.damaged += 1
            return None
        finally:
            self._give_back(buffer.index)
        # Linux counts both from the same moment, so a picture's age starts in the camera.
        taken_at = buffer.timestamp.secs + buffer.timestamp.usecs / 1e6
        monotonic = buffer.flags & v4l2.BufferFlag.TIMESTAMP_MASK == v4l2.BufferFlag.TIMESTAMP_MONOTONIC
        trusted = monotonic and now - _OLDEST_S < taken_at <= now
        return CameraPicture(image, taken_at if trusted else now, buffer.sequence)

    def _give_back(self, index: int) -> None:
        v4l2.enqueue_buffer(self._fd, _CAPTURE, v4l2.Memory.MMAP, 0, index)

    def _why(self, error: OSError | None, otherwise: str = "") -> str:
        if _asleep_s() - self._asleep_s > 1.0:
            return "stopped while the computer was suspended"
        if error is None:
            return otherwise
        if error.errno in (errno.ENODEV, errno.ENXIO) or not os.path.exists(self._path):
            return "was unplugged"
        return f"stopped delivering pictures ({os.strerror(error.errno or 0)})"


def modes_of(path: str, width: int = 0, height: int = 0) -> list[Mode]:
    """Every mode that a camera states, with its highest rate, in its own order.

    width, height: the size that is taken where it states a range of sizes; 0 takes the largest.
    Raises: OSError: it cannot be opened.
    """
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return list(_modes(fd, width, height))
    finally:
        os.close(fd)


def _modes(fd: int, width: int, height: int) -> Iterator[Mode]:
    for offered in v4l2.iter_read_formats(fd, _CAPTURE):
        name = offered.pixel_format.human_str().strip()
        for size in v4l2.iter_read_frame_sizes(fd, offered.pixel_format):
            if size.type == v4l2.FrameSizeType.DISCRETE:
                wide, high = size.info.width, size.info.height
            else:
                wide = min(size.info.max_width, max(size.info.min_width, width or size.info.max_width))
                high = min(size.info.max_height, max(size.info.min_height, height or size.info.max_height))
            try:
                rates = [
                    float(kind.max_fps) for kind in v4l2.iter_read_frame_intervals(fd, offered.pixel_format, wide, high)
                ]
            except ZeroDivisionError:  # a driver that states an interval of nothing
                rates = []
            yield Mode(name, wide, high, round(max(rates, default=0.0), 3))


def _layout(fd: int) -> Layout:
    """How the pictures that will come are coded; what the driver leaves open is as V4L2's documentation says."""
    pix = v4l2.get_raw_format(fd, _CAPTURE).fmt.pix
    spaces, ranges = v4l2.raw.Colorspace, v4l2.raw.Quantization
    luma = _LUMA.get(pix.ycbcr_enc, BT601)
    if not pix.ycbcr_enc:
        by_space = {spaces.REC709: BT709, spaces.DCI_P3: BT709, spaces.BT2020: BT2020, spaces.SMPTE240M: SMPTE240M}
        luma = by_space.get(pix.colorspace, BT601)
    full = pix.quantization == ranges.FULL_RANGE or (not pix.quantization and pix.colorspace == spaces.JPEG)
    full = full and pix.ycbcr_enc not in _ALWAYS_LIMITED
    name = v4l2.human_pixel_format(pix.pixelformat).strip()
    return Layout(name, pix.width, pix.height, pix.bytesperline or pix.width, luma, full)


def _stated_fps(fd: int) -> float:
    try:
        return float(v4l2.get_fps(fd, _CAPTURE))
    except (OSError, ZeroDivisionError):
        return 0.0


def _asleep_s() -> float:
    """Seconds that the computer has been suspended since it was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
