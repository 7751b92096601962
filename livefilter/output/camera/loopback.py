"""A v4l2loopback device, made ready for one who writes to it (seen with 0.12.7; 0.13 and later need less of it)."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from livefilter.device_users import programs_using
from livefilter.errors import SinkUnavailable

# A writer that sends less often than this is not noticed.
_WRITES_WITHIN_S = 0.4
_RECENT_S = 1.0
_MAX_BUFFERS = 8
_DRIVER = b"v4l2 loopback"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a device takes now: the wanted size and format, or those that a program which still reads is bound to.

    pixel_format: four letters as V4L2 writes them.
    """

    width: int
    height: int
    pixel_format: str


def prepare(path: str, width: int, height: int, fps: float, pixel_format: str) -> Accepted:
    """Make a device ready to be written to, tell it the rate, and ask whether it takes these frames.

    pixel_format: four letters as V4L2 writes them.

    Raises: SinkUnavailable: it is missing, not permitted, none of v4l2loopback's, or another program writes to it.
    """
    v4l2 = v4l2_calls()
    what = v4l2.BufferType.VIDEO_OUTPUT
    fd = opened(path)
    try:
        capabilities = v4l2.read_capabilities(fd)
        if capabilities.driver != _DRIVER:
            name = capabilities.card.decode(errors="replace")
            raise SinkUnavailable(
                f"Cannot send to {path}: it is {name!r}, not a virtual camera. See all with: v4l2-ctl --list-devices"
            )
        _refuse_second_writer(fd, path)
        if not capabilities.device_caps & v4l2.Capability.VIDEO_OUTPUT:
            # After a writer that used plain write(), 0.12 forgets that it can be written to, until somebody who started
            # a stream closes it. Without buffers starting fails, and that is enough.
            with suppress(OSError):
                v4l2.stream_on(fd, what)
    except OSError as error:
        raise SinkUnavailable(f"Cannot use {path}: {error.strerror}. Load v4l2loopback anew.") from error
    finally:
        os.close(fd)
    fd = opened(path)
    try:
        with suppress(OSError):
            v4l2.set_fps(fd, what, fps)  # pyvirtualcam does not, and clients would be told 30
        wanted = v4l2.raw.v4l2_format()
        wanted.type = what
        wanted.fmt.pix.width, wanted.fmt.pix.height = width, height
        wanted.fmt.pix.pixelformat = int.from_bytes(pixel_format.encode(), "little")
        with suppress(OSError):
            v4l2.try_raw_format(fd, wanted)
        pix = wanted.fmt.pix
        return Accepted(pix.width, pix.height, v4l2.human_pixel_format(pix.pixelformat))
    finally:
        os.close(fd)


def refuse_fed(path: str) -> None:
    """Refuse a device that another program writes to; takes a moment where somebody has it open.

    Raises: SinkUnavailable: it is fed, missing, not permitted or busy.
    """
    fd = opened(path)
    try:
        _refuse_second_writer(fd, path)
    finally:
        os.close(fd)


def v4l2_calls() -> Any:
    """The module of V4L2's calls.

    Raises: SinkUnavailable: linuxpy cannot be loaded.
    """
    try:
        from linuxpy.video import device
    except ImportError as error:
        raise SinkUnavailable(
            f"No virtual camera: linuxpy cannot be loaded ({error}). Install it with: pip install linuxpy"
        ) from error
    return device


def opened(path: str) -> int:
    """Open a device without waiting; the file descriptor is the caller's.

    Raises: SinkUnavailable: it is missing, not permitted or busy.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise SinkUnavailable(f"There is no {path}: see the devices with: v4l2-ctl --list-devices") from error
    except PermissionError as error:
        raise SinkUnavailable(
            f"You may not use the virtual camera {path}. Add yourself to the group that may: "
            'sudo usermod -aG video "$USER", then log out and in again'
        ) from error
    except OSError as error:
        raise SinkUnavailable(f"Cannot open {path}: {error.strerror}{_held_by(path)}. Close what uses it.") from error


def _refuse_second_writer(fd: int, path: str) -> None:
    """v4l2loopback lets several programs write at once, and their frames would alternate.

    Raises: SinkUnavailable.
    """
    before = _written_at(fd)
    if not programs_using(path) and time.monotonic() - before > _RECENT_S:
        return
    time.sleep(_WRITES_WITHIN_S)
    if _written_at(fd) != before:
        raise SinkUnavailable(
            f"Another program already sends to {path}{_held_by(path)}. "
            "End it, name another device (--output camera:/dev/videoN), or use the live page alone: --output page"
        )


def _written_at(fd: int) -> float:
    """The newest time stamp of a device's buffers, in seconds; 0.0 when it does not tell."""
    v4l2 = v4l2_calls()
    newest = 0.0
    for index in range(_MAX_BUFFERS):
        try:
            stamp = v4l2.query_buffer(fd, v4l2.BufferType.VIDEO_OUTPUT, v4l2.Memory.MMAP, index).timestamp
        except OSError:
            break
        newest = max(newest, stamp.secs + stamp.usecs / 1e6)
    return newest


def _held_by(path: str) -> str:
    users = programs_using(path)
    return f" (open in {', '.join(users)})" if users else ""
