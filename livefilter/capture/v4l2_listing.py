"""The cameras of a Linux machine."""

from __future__ import annotations

import os
from pathlib import Path

from linuxpy.video import device as v4l2

from livefilter.capture.listing import CameraDescription

_CAPTURES = v4l2.Capability.VIDEO_CAPTURE | v4l2.Capability.VIDEO_CAPTURE_MPLANE
LOOPBACK_DRIVER = "v4l2 loopback"


def v4l2_cameras(backend: int) -> list[CameraDescription]:
    """Every device that gives pictures now, by number; a camera's other devices (metadata, output) are left out.

    One that may not be opened is listed with the name that the kernel gives.
    """
    found = []
    for path in sorted(Path("/dev").glob("video[0-9]*"), key=_number):
        described = _described(path, backend)
        if described is not None:
            found.append(described)
    return found


def _described(path: Path, backend: int) -> CameraDescription | None:
    sysfs = Path("/sys/class/video4linux") / path.name
    try:
        name = (sysfs / "name").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        name = path.name
    virtual = os.path.realpath(sysfs).startswith("/sys/devices/virtual/")
    try:
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return CameraDescription(_number(path), name, str(path), backend, virtual)
    try:
        capabilities = v4l2.read_capabilities(fd)
    except OSError:
        return None
    finally:
        os.close(fd)
    if not capabilities.device_caps & _CAPTURES:
        return None
    virtual = virtual or capabilities.driver == LOOPBACK_DRIVER.encode()
    card = capabilities.card.decode(errors="replace").strip()
    bus = capabilities.bus_info.decode(errors="replace") or None
    return CameraDescription(_number(path), card or name, str(path), backend, virtual, bus)


def _number(path: Path) -> int:
    return int(path.name.removeprefix("video"))
