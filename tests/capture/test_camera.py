"""Cameras, with hand-written devices in OpenCV's place."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from livefilter.capture.base import SourceOptions
from livefilter.capture.camera import CameraSource
from livefilter.capture.camera_description import CameraDescription
from livefilter.errors import SourceLost, SourceUnavailable
from livefilter.frame import Image
from tests.capture.fakes import CAMERA, FakeCapture, fake_camera
from tests.conftest import picture
from tests.fakes import FakeClock

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names /dev/video*")


def test_asks_for_mjpg_before_size_rate_and_a_short_buffer() -> None:
    """Many cameras reach high sizes and rates only as MJPG, so it must be chosen before them."""
    capture = FakeCapture()
    fake_camera(capture, options=SourceOptions(width=1280, height=720, fps=30))
    asked = [prop for prop, _ in capture.asked]
    assert asked == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
        cv2.CAP_PROP_BUFFERSIZE,
    ]
    assert dict(capture.asked)[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert dict(capture.asked)[cv2.CAP_PROP_FRAME_WIDTH] == 1280


def test_asks_for_nothing_that_was_not_wanted() -> None:
    """Without a wish the camera keeps its own size and rate."""
    capture = FakeCapture()
    fake_camera(capture)
    assert {prop for prop, _ in capture.asked} == {cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_BUFFERSIZE}


def test_size_is_what_the_camera_gives() -> None:
    """A camera that was asked for 1280x720 and gives 64x48 says 64x48."""
    source = fake_camera(options=SourceOptions(width=1280, height=720))
    assert (source.info.width, source.info.height) == (64, 48)


@pytest.mark.parametrize("real_fps", [7.5, 15.0, 29.97, 60.0])
def test_the_rate_is_measured(real_fps: float) -> None:
    """A camera that claims 30 fps and gives another rate is not believed."""
    clock = FakeClock()
    source = fake_camera(FakeCapture(clock, every_s=1 / real_fps, claims=30), clock=clock)
    assert source.info.fps == pytest.approx(real_fps, rel=0.01)


@pytest.mark.parametrize("real_fps", [2.0, 15.0, 120.0])
def test_measuring_delays_the_picture_only_a_moment(real_fps: float) -> None:
    """After the first frame, opening takes half a second and at most one frame more."""
    clock = FakeClock()
    fake_camera(FakeCapture(clock, every_s=1 / real_fps), clock=clock)
    assert clock.now - 100.0 <= 1 / real_fps + 0.5 + 1 / real_fps + 0.01


def test_buffered_frames_do_not_spoil_the_measured_rate() -> None:
    """Frames that were waiting in the driver's buffer come at once and are left out."""

    class Buffered(FakeCapture):
        def read(self) -> tuple[bool, object]:
            before = clock.now
            ok, image = super().read()
            if self.reads <= 4:
                clock.now = before + 0.0001
            return ok, image

    clock = FakeClock()
    source = fake_camera(Buffered(clock, every_s=1 / 25), clock=clock)
    assert source.info.fps == pytest.approx(25, rel=0.01)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.full((48, 64), 200, np.uint8), (200, 200, 200)),
        (np.full((48, 64, 1), 200, np.uint8), (200, 200, 200)),
        (np.full((48, 64, 2), 128, np.uint8), (130, 130, 130)),
        (np.full((48, 64, 4), (10, 20, 30, 255), np.uint8), (10, 20, 30)),
        (np.full((48, 64), 200 << 8, np.uint16), (200, 200, 200)),
    ],
    ids=["grey", "grey with a channel", "YUYV", "BGRA", "16-bit infrared"],
)
def test_every_kind_of_pixels_becomes_bgr(image: Image, expected: tuple[int, int, int]) -> None:
    """Infrared, YUYV and BGRA cameras deliver BGR frames like any other."""
    frame = fake_camera(FakeCapture(image=image)).read()
    assert frame.image.shape == (48, 64, 3)
    assert frame.image[20, 20].tolist() == pytest.approx(expected, abs=2)


def test_a_camera_that_stops_is_lost_for_good() -> None:
    """After the first failed read every later one fails too, though OpenCV may repeat its last frame."""

    class Flickering(FakeCapture):
        def read(self) -> tuple[bool, object]:
            ok, image = super().read()
            return (False, None) if self.reads == 17 else (ok, image)

    source = fake_camera(Flickering())
    with pytest.raises(SourceLost, match=r"camera 0 \(Fake Webcam\) stopped delivering"):
        source.read()
    with pytest.raises(SourceLost):
        source.read()


def test_an_empty_frame_is_a_lost_camera() -> None:
    """Some drivers report success and deliver nothing."""

    class Hollow(FakeCapture):
        def read(self) -> tuple[bool, object]:
            ok, image = super().read()
            return ok, np.zeros((0, 0, 3), np.uint8) if self.reads > 16 else image

    source = fake_camera(Hollow())
    with pytest.raises(SourceLost):
        source.read()


def test_a_changed_size_is_a_lost_camera() -> None:
    """Another program changed the camera's mode: it is opened again at the new size."""

    class Switching(FakeCapture):
        def read(self) -> tuple[bool, object]:
            ok, image = super().read()
            return ok, picture(32, 24) if self.reads > 16 else image

    with pytest.raises(SourceLost, match="32x24"):
        fake_camera(Switching()).read()


def test_a_slow_starter_is_given_time() -> None:
    """A camera whose first reads fail while it wakes up is still opened."""

    class Sleepy(FakeCapture):
        def read(self) -> tuple[bool, object]:
            ok, image = super().read()
            return (False, None) if self.reads <= 2 else (ok, image)

    assert fake_camera(Sleepy()).read().number == 0


def test_a_camera_without_a_picture_is_released() -> None:
    """What opens but never delivers is named, and freed for others."""
    capture = FakeCapture(frames=0)
    with pytest.raises(SourceUnavailable, match=r"camera 0 \(Fake Webcam\) opens but gives no picture"):
        fake_camera(capture)
    assert capture.released == 1


def test_closing_releases_the_device_once() -> None:
    """However often it is closed."""
    capture = FakeCapture()
    source = fake_camera(capture)
    source.close()
    source.close()
    assert capture.released == 1


@linux_only
def test_a_missing_device_is_named() -> None:
    """The message names the device, what is there instead, and where to look."""
    with pytest.raises(SourceUnavailable, match=r"there is no /dev/video70 .*devices present.*livefilter devices"):
        fake_camera(FakeCapture(opens=False))


@linux_only
def test_a_missing_permission_is_named_with_its_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user outside of the group video is told the command."""
    device = tmp_path / "video0"
    device.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    camera = CameraDescription(0, "Locked", str(device), CAMERA.backend)
    with pytest.raises(SourceUnavailable, match=r"sudo usermod -aG video \$USER"):
        fake_camera(FakeCapture(opens=False), cameras=[camera])


@linux_only
def test_a_busy_device_names_its_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program that holds the camera is named, so that it can be closed."""
    device = tmp_path / "video0"
    camera = CameraDescription(0, "Busy", str(device), CAMERA.backend)
    monkeypatch.setattr(os, "getpid", lambda: -1)  # so that this process counts as another one
    with device.open("w"), pytest.raises(SourceUnavailable, match=r"in use by .+ \(process \d+\)"):
        fake_camera(FakeCapture(opens=False), cameras=[camera])


def test_the_same_device_is_found_at_another_index() -> None:
    """What `info.reopen_target` names is the same camera after its index changed."""
    other = CameraDescription(0, "Other Webcam", "/dev/video60", CAMERA.backend)
    source = fake_camera()
    assert source.info.reopen_target is not None
    moved = CameraDescription(3, CAMERA.name, "/dev/video73", CAMERA.backend)
    if not sys.platform.startswith("linux"):  # there the path is the device's lasting name
        moved = CameraDescription(3, CAMERA.name, CAMERA.path, CAMERA.backend)
    opened: list[int] = []

    def open_capture(place: int, backend: int) -> FakeCapture:
        opened.append(place)
        return FakeCapture(clock)

    clock = FakeClock()
    again = CameraSource(
        source.info.reopen_target,
        SourceOptions(),
        open_capture=open_capture,
        cameras=lambda backend: [other, moved],
        clock=clock,
    )
    assert again.info.name == "camera 3 (Fake Webcam)"
    assert opened == [3]


def test_a_camera_that_is_gone_may_come_back() -> None:
    """Looking for an unplugged camera by name fails as unavailable, which whoever waits for it tries again."""
    with pytest.raises(SourceUnavailable, match="Fake Webcam"):
        fake_camera(target="camera:Fake Webcam", cameras=[])
