"""The buffers of a v4l2loopback device, kept readable for those who read them."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import suppress

from livefilter.closeable import Closeable
from livefilter.output.camera.loopback import opened, v4l2_calls

_MOST = 32  # the driver allows no more buffers


class MappedBuffers(Closeable):
    """Marks a device's buffers as mapped again, which v4l2loopback 0.12 forgets.

    Whenever a program starts or stops reading, the driver takes that mark off every buffer, also off those that others
    read at that moment. Their next frame then fails with "Invalid argument": ffmpeg ends, GStreamer cannot "allocate a
    buffer". Whoever maps a buffer sets its mark, for everybody.

    Raises on construction: SinkUnavailable: linuxpy cannot be loaded, or the device cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._v4l2 = v4l2_calls()
        self._fd = opened(path)

    def mark(self) -> None:
        """Set the marks that are missing, just before a frame is written. A driver that refuses needs none."""
        with suppress(OSError):
            for offset in self._unmarked():
                mmap.mmap(self._fd, mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset).close()

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _unmarked(self) -> Iterator[int]:
        """Where each buffer without the mark lies; all are asked each time, as a reader may change their number."""
        seen: set[int] = set()
        for index in range(_MOST):
            buffer = self._v4l2.query_buffer(
                self._fd, self._v4l2.BufferType.VIDEO_CAPTURE, self._v4l2.Memory.MMAP, index
            )
            if not buffer.length or buffer.m.offset in seen:
                return
            seen.add(buffer.m.offset)
            if not buffer.flags & self._v4l2.BufferFlag.MAPPED:
                yield buffer.m.offset
