"""Which camera a word means."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2_enumerate_cameras
import pytest
from cv2_enumerate_cameras.camera_info import CameraInfo

from livefilter.capture.base import SourceOptions
from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.listing import camera_backends, find_camera, lasting_target, list_cameras
from livefilter.capture.open import open_source, resolve_input
from livefilter.errors import InvalidInput, SourceUnavailable, UnknownName

BACKEND = camera_backends()[0]
FRONT = CameraDescription(0, "Integrated Webcam", "/dev/video80", BACKEND)
DESK = CameraDescription(2, "Logitech BRIO", "/dev/video82", BACKEND)
TWIN = CameraDescription(4, "Logitech BRIO", "/dev/video84", BACKEND)


@pytest.mark.parametrize("target", ["2", "Logitech BRIO", "brio", "LOGI", "/dev/video82"])
def test_a_camera_is_found_by_index_name_or_path(target: str) -> None:
    """Any part of the name will do, in any case."""
    assert find_camera(target, [FRONT, DESK]) == DESK


def test_an_unlisted_index_is_tried_all_the_same() -> None:
    """Some systems hide cameras that can be opened."""
    assert find_camera("7", [FRONT]).index == 7


def test_a_whole_name_beats_a_part_of_another() -> None:
    """A camera called just "Webcam" can be named though another one's name contains it."""
    plain = CameraDescription(5, "Webcam", "/dev/video85", BACKEND)
    assert find_camera("webcam", [FRONT, plain]) == plain


def test_an_ambiguous_name_lists_the_choices() -> None:
    """Two equal cameras are told apart by index."""
    with pytest.raises(InvalidInput, match=r"index: 2 \(/dev/video82\), 4 \(/dev/video84\)"):
        find_camera("brio", [FRONT, DESK, TWIN])


def test_an_unknown_name_lists_the_cameras() -> None:
    """What there is is said, and what was probably meant."""
    with pytest.raises(UnknownName, match="Known: Integrated Webcam, Logitech BRIO"):
        find_camera("kinect", [FRONT, DESK])


def test_a_unique_name_lasts_and_a_shared_one_does_not() -> None:
    """A camera among twins is found again by its path, a single one by its name (or, off Linux, its path)."""
    assert lasting_target(TWIN, [FRONT, DESK, TWIN]) == TWIN.path
    assert lasting_target(FRONT, [FRONT, DESK]) == (FRONT.name if sys.platform.startswith("linux") else FRONT.path)


def test_a_bus_names_a_camera() -> None:
    """Of two equal cameras each is named by its socket, and found there again."""
    left = replace(DESK, bus="usb-0000:00:14.0-1")
    right = replace(TWIN, bus="usb-0000:00:14.0-2")
    assert find_camera("usb-0000:00:14.0-2", [FRONT, left, right]) == right
    assert resolve_input("usb-0000:00:14.0-1.10") == ("camera", "usb-0000:00:14.0-1.10")
    if sys.platform.startswith("linux"):
        assert lasting_target(right, [FRONT, left, right]) == right.bus


def test_cameras_are_listed_by_index_and_virtual_ones_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Software cameras are known as such, because one of them may be our own output."""
    found = [
        CameraInfo(3, "OBS Virtual Camera", "/dev/video93", None, None, BACKEND),
        CameraInfo(1, "Webcam", "/dev/video91", None, None, BACKEND),
    ]
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", lambda backend: found)
    assert [(camera.index, camera.virtual) for camera in list_cameras()] == [(1, False), (3, True)]


def test_a_system_that_cannot_be_asked_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure is no empty list."""

    def fails(backend: int) -> list[CameraInfo]:
        raise OSError("driver trouble")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", fails)
    with pytest.raises(SourceUnavailable, match="driver trouble"):
        list_cameras()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks V4L2")
def test_linux_is_asked_for_its_cameras(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What gives pictures is listed with name and bus; metadata is not; what is locked goes by its name."""
    from linuxpy.video import device as v4l2

    from livefilter.capture.v4l2_listing import v4l2_cameras

    webcam = SimpleNamespace(driver=b"uvcvideo", card=b"Webcam", bus_info=b"usb-1", device_caps=0x04200001)
    metadata = SimpleNamespace(driver=b"uvcvideo", card=b"Webcam", bus_info=b"usb-1", device_caps=0x04A00000)
    loopback = SimpleNamespace(driver=b"v4l2 loopback", card=b"Feed", bus_info=b"platform:x", device_caps=0x05200001)
    told = {"video0": webcam, "video1": metadata, "video10": loopback}
    (tmp_path / "dev").mkdir()
    for name in (*told, "video2"):
        (tmp_path / "dev" / name).touch()
    (tmp_path / "sys/class/video4linux/video2").mkdir(parents=True)
    (tmp_path / "sys/class/video4linux/video2/name").write_text("Locked Webcam\n")
    real = os.open
    opened: dict[int, str] = {}

    def opens(path: Path, flags: int) -> int:
        if path.name == "video2":
            raise PermissionError(13, "Permission denied")
        fd = real(path, flags)
        opened[fd] = path.name
        return fd

    monkeypatch.setattr(os, "open", opens)
    monkeypatch.setattr(v4l2, "read_capabilities", lambda fd: told[opened[fd]])
    found = [(camera.index, camera.name, camera.bus, camera.virtual) for camera in v4l2_cameras(BACKEND, tmp_path)]
    assert found == [
        (0, "Webcam", "usb-1", False),
        (2, "Locked Webcam", None, False),
        (10, "Feed", "platform:x", True),
    ]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="V4L2 is a part of Linux")
def test_cameras_without_linuxpy_are_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who leaves out linuxpy is told so when cameras are listed or opened, and by nothing else."""
    for name in ("v4l2", "v4l2_device", "v4l2_listing", "v4l2_camera"):
        monkeypatch.delitem(sys.modules, f"livefilter.capture.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "linuxpy.video", None)
    for used in (list_cameras, lambda: open_source("0", SourceOptions())):
        with pytest.raises(SourceUnavailable, match="pip install linuxpy"):
            used()
    with open_source("demo", SourceOptions()) as demo:
        assert demo.read().image.size


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="paths of devices are Linux's")
def test_a_virtual_camera_that_is_not_listed_is_known_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """v4l2loopback hides it while nobody sends to it; its place in /sys tells what it is."""
    places = {"/sys/class/video4linux/video9": "/sys/devices/virtual/video4linux/video9"}
    monkeypatch.setattr(os.path, "realpath", lambda path: places.get(str(path), str(path)))
    assert find_camera("9", []).virtual
    assert find_camera("/dev/video9", []).virtual
    assert not find_camera("/dev/video8", []).virtual
