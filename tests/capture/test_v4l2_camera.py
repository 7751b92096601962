"""Cameras on Linux, with a stand-in for the device."""

from __future__ import annotations

import logging
import sys

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("V4L2 is a part of Linux", allow_module_level=True)

from livefilter.capture.base import SourceOptions
from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.mode import Mode
from livefilter.capture.v4l2_camera import V4l2CameraSource
from livefilter.errors import SourceError, SourceLost, SourceUnavailable
from tests.capture.fake_v4l2 import FakeCamera
from tests.capture.fakes import CAMERA


def test_frames_carry_the_time_of_the_camera() -> None:
    """A frame's age starts in the camera, not when it was read."""
    camera = FakeCamera()
    source = camera.source()
    first, second = source.read(), source.read()
    assert second.captured_at == camera.clock.now
    assert second.captured_at - first.captured_at == pytest.approx(1 / 30)
    assert (first.number, second.number) == (0, 1)


def test_a_mode_that_keeps_its_rate_is_kept() -> None:
    """The first one is taken at once, with the shortest queue."""
    camera = FakeCamera()
    source = camera.source()
    assert camera.opened == [("YUYV", 2)]
    assert (source.info.fps, source.info.mode) == (30.0, Mode("YUYV", 64, 48, 30.0))


def test_a_mode_that_states_more_than_it_gives_gives_way_to_the_next() -> None:
    """Raw pictures at 10 fps where 30 were stated: MJPG is measured, and taken."""
    camera = FakeCamera({"YUYV": 10.0})
    source = camera.source()
    assert [mode for mode, _ in camera.opened] == ["YUYV", "MJPG"]
    assert (source.info.fps, camera.closed) == (30.0, 1)


def test_when_no_mode_keeps_the_rate_it_is_the_fastest() -> None:
    """In low light every mode is slow; what it really gives is what is told."""
    camera = FakeCamera({"YUYV": 12.0, "MJPG": 9.0})
    source = camera.source()
    assert [mode for mode, _ in camera.opened] == ["YUYV", "MJPG", "YUYV"]
    assert source.info.fps == pytest.approx(12.0, rel=0.01)
    source.close()
    assert camera.closed == 3


def test_the_queue_grows_until_nothing_is_lost() -> None:
    """Some drivers cannot keep the rate with two places."""
    camera = FakeCamera(needs=4)
    camera.source()
    assert camera.opened == [("YUYV", 2), ("YUYV", 3), ("YUYV", 4)]


def test_reopening_measures_nothing() -> None:
    """A camera that comes back is opened in the mode that was best before, and gives its first frame at once."""
    mode = FakeCamera({"YUYV": 10.0}).source().info.mode
    assert mode is not None
    camera = FakeCamera(modes=())
    source = camera.source(SourceOptions(64, 48, mode=mode))
    assert [mode for mode, _ in camera.opened] == ["MJPG"]
    assert camera.given == 1
    assert source.info.mode == mode


def test_black_pictures_at_the_start_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """Many cameras begin so; a covered lens is told after a second, and is no failure."""
    camera = FakeCamera(black=10)
    assert camera.source().read().image.max() > 200
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        covered = FakeCamera(black=1000)
        covered.source()
    assert "is its lens covered" in caplog.text
    assert 30 < covered.given < 60


@pytest.mark.parametrize(
    "why", ["was unplugged", "stopped while the computer was suspended", "gave no picture for 1 s"]
)
def test_a_loss_is_named_and_is_for_good(why: str) -> None:
    """The camera's name and the reason; every later read says the same."""
    camera = FakeCamera(frames=100, why=why)
    source = camera.source()
    camera.frames = camera.given + 1
    source.read()
    with pytest.raises(SourceLost, match=why):
        source.read()
    camera.frames = None
    with pytest.raises(SourceLost, match=rf"camera 0 \(Fake Webcam\) {why}\."):
        source.read()
    source.close()
    source.close()
    assert camera.closed >= 1
    with pytest.raises(SourceError, match="closed"):
        source.read()


def test_a_camera_without_a_picture_is_named_and_freed() -> None:
    """What opens but never delivers is told with the reason."""
    camera = FakeCamera(frames=0, why="gives damaged pictures only")
    with pytest.raises(SourceUnavailable, match=r"camera 0 \(Fake Webcam\) opens, but it gives damaged pictures only"):
        camera.source()
    assert camera.closed >= 1


def test_a_camera_that_is_lost_while_it_is_measured_is_freed() -> None:
    """It may be unplugged at any moment."""
    camera = FakeCamera(frames=5)
    with pytest.raises(SourceUnavailable, match="was unplugged"):
        camera.source()
    assert camera.closed >= 1


def test_a_camera_that_refuses_is_named_with_the_reason() -> None:
    """The device is missing here, which is what is told."""
    with pytest.raises(SourceUnavailable, match=rf"Cannot open camera 0 \(Fake Webcam\): there is no {CAMERA.path}"):
        FakeCamera(refuses=OSError(16, "Device or resource busy")).source()


def test_a_camera_of_unknown_formats_is_told() -> None:
    """It is not the camera's fault, and no other program's."""
    with pytest.raises(SourceUnavailable, match="offers no pictures in a format that is understood here"):
        FakeCamera(modes=(Mode("H264", 64, 48, 30.0),)).source()


def test_a_virtual_camera_that_nobody_feeds_is_told_from_a_webcam() -> None:
    """It may have taken the number that the webcam had; the webcams are named."""
    ours = CameraDescription(2, "livefilter", "/dev/video2", 200, virtual=True)
    with pytest.raises(SourceUnavailable, match=r"camera 2 \(livefilter\) is a virtual .* camera 0 \(Fake Webcam\)\."):
        V4l2CameraSource("2", SourceOptions(), cameras=lambda: [CAMERA, ours], offered=lambda path, wide, high: [])


def test_a_camera_that_is_gone_can_come_back() -> None:
    """Its name means nothing now, which is a reason to wait, not to give up."""
    with pytest.raises(SourceUnavailable, match="'Kinect'"):
        FakeCamera().source(target="camera:Kinect")
