"""Which cameras there are, and which one a word means."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.mode import Mode
from livefilter.errors import InvalidInput, SourceUnavailable, UnknownName

_log = logging.getLogger(__name__)
_VIRTUAL_NAMES = ("virtual", "dummy video device", "unity video capture", "livefilter", "v4l2loopback", "splitcam")


def camera_backends() -> tuple[int, ...]:
    """OpenCV's camera backends of this system, the preferred one first."""
    import cv2

    if sys.platform == "win32":
        # DirectShow opens in a moment and sees virtual cameras; Media Foundation knows some newer cameras.
        return cv2.CAP_DSHOW, cv2.CAP_MSMF
    return (cv2.CAP_AVFOUNDATION,) if sys.platform == "darwin" else (cv2.CAP_V4L2,)


def list_cameras(backend: int | None = None) -> list[CameraDescription]:
    """Every camera of this machine by index, as `backend` (the preferred one) counts them; opens none.

    Raises: SourceUnavailable: the system cannot be asked.
    """
    chosen = camera_backends()[0] if backend is None else backend
    if sys.platform.startswith("linux"):
        from livefilter.capture.v4l2_listing import v4l2_cameras

        return v4l2_cameras(chosen)
    try:
        from cv2_enumerate_cameras import enumerate_cameras

        found = enumerate_cameras(chosen)
    except (ImportError, OSError, NotImplementedError) as error:
        raise SourceUnavailable(
            f"Cannot list the cameras of this system: {error}. Name one by index, such as --input 0."
        ) from error
    return sorted((_described(camera, chosen) for camera in found), key=lambda camera: camera.index)


def camera_modes(camera: CameraDescription) -> list[Mode]:
    """Every size, format and rate that a camera states; none where the system or the camera does not tell."""
    if not sys.platform.startswith("linux") or camera.path is None:
        return []
    from livefilter.capture.v4l2_device import modes_of

    try:
        return modes_of(camera.path)
    except OSError as error:
        _log.debug("%s: %s", camera, error)
        return []


def find_camera(target: str, cameras: list[CameraDescription] | None = None) -> CameraDescription:
    """The camera that an index, a device path, a bus, or a name (any unique part of it, in any case) means.

    An index or path that is not listed is passed on as it is: the system may hide a camera that can be opened.
    Raises: UnknownName: no camera has that name. InvalidInput: several have.
    """
    known = list_cameras() if cameras is None else cameras
    backend = known[0].backend if known else camera_backends()[0]
    if target.isdecimal():
        for camera in known:
            if camera.index == int(target):
                return camera
        path = f"/dev/video{int(target)}" if sys.platform.startswith("linux") else None
        return CameraDescription(int(target), f"camera {int(target)}", path, backend, _is_virtual("", path))
    for camera in known:
        if camera.path is not None and _same_device(camera.path, target):
            return camera
    if target.startswith("/dev/"):
        real = os.path.realpath(target)
        number = real.removeprefix("/dev/video")
        index = int(number) if number.isdecimal() else -1
        return CameraDescription(index, target, real, backend, _is_virtual("", real))
    exact = [camera for camera in known if target.casefold() in (camera.name.casefold(), camera.bus)]
    matching = exact or [camera for camera in known if target.casefold() in camera.name.casefold()]
    if len(matching) > 1:
        choices = ", ".join(f"{camera.index} ({camera.path or camera.name})" for camera in matching)
        raise InvalidInput(f"Several cameras are called {target!r}: name one by index: {choices}.")
    if not matching:
        raise UnknownName("camera", target, [camera.name for camera in known if not camera.virtual])
    return matching[0]


def lasting_target(camera: CameraDescription, cameras: list[CameraDescription]) -> str:
    """The target under which `find_camera` finds the same device though its index changed."""
    namesakes = [other for other in cameras if camera.name.casefold() == other.name.casefold()]
    if not sys.platform.startswith("linux"):
        if camera.path:
            return camera.path
        return camera.name if len(namesakes) == 1 else str(camera.index)
    links = {os.path.realpath(link): str(link) for link in sorted(Path("/dev/v4l/by-id").glob("*"))}
    # Twins without serial numbers share one link, which leads to either of them.
    if camera.path and all(os.path.realpath(twin.path or "") in links for twin in (camera, *namesakes)):
        return links[os.path.realpath(camera.path)]
    if len(namesakes) == 1:
        return camera.name
    if camera.bus and sum(camera.bus == other.bus for other in cameras) == 1:
        return camera.bus
    return camera.path or str(camera.index)


def _described(camera: Any, backend: int) -> CameraDescription:
    name = str(camera.name or f"camera {camera.index}").strip()
    path = str(camera.path) if camera.path else None
    return CameraDescription(int(camera.index), name, path, backend, _is_virtual(name, path))


def _is_virtual(name: str, path: str | None) -> bool:
    if any(word in name.casefold() for word in _VIRTUAL_NAMES):
        return True
    if path is None or not path.startswith("/dev/video"):
        return False
    driver = os.path.realpath(f"/sys/class/video4linux/{os.path.basename(path)}")
    return driver.startswith("/sys/devices/virtual/")


def _same_device(path: str, target: str) -> bool:
    if path == target:
        return True
    return target.startswith("/dev/") and os.path.realpath(path) == os.path.realpath(target)
