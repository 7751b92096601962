"""The cameras of a Linux machine."""

from __future__ import annotations

import os
from pathlib import Path

from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.v4l2 import v4l2

_CAPTURES = v4l2.Capability.VIDEO_CAPTURE | v4l2.Capability.VIDEO_CAPTURE_MPLANE
LOOPBACK_DRIVER = "v4l2 loopback"


def v4l2_cameras(backend: int, root: Path = Path("/")) -> list[CameraDescription]:
    """Every device that gives pictures now, by number; a camera's other devices (metadata, output) are left out.

    One that may not be opened is listed with the name that the kernel gives.
    root: where the system's files lie.
    """
    found = []
    for path in sorted((root / "dev").glob("video[0-9]*"), key=_number):
        described = _described(path, root / "sys", backend)
        if described is not None:
            found.append(described)
    return found


def _described(path: Path, sysfs: Path, backend: int) -> CameraDescription | None:
    folder = sysfs / "class/video4linux" / path.name
    try:
        name = (folder / "name").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        name = path.name
    virtual = os.path.realpath(folder).startswith(os.path.realpath(sysfs / "devices/virtual") + os.sep)
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
