"""Making a v4l2loopback device ready, against a stand-in for its driver; a plain file does as the device."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from livefilter.errors import SinkUnavailable
from livefilter.output.camera import loopback
from livefilter.output.camera.loopback import Accepted, prepare, refuse_fed

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="v4l2loopback is a part of Linux")


class FakeDriver:
    """Answers as v4l2loopback 0.12.7 does.

    writable: whether it says that it can be written to. bound_to: the format that a reader holds it to.
    written_every_s: how often another program writes; 0 for never.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        from linuxpy.video import device

        path.touch()
        self.v4l2 = device
        self.driver = b"v4l2 loopback"
        self.writable = True
        self.bound_to: tuple[int, int, str] | None = None
        self.written_every_s = 0.0
        self.healed = 0
        self.told_fps: list[float] = []
        for name in ("read_capabilities", "stream_on", "set_fps", "try_raw_format", "query_buffer"):
            monkeypatch.setattr(device, name, getattr(self, name))
        monkeypatch.setattr(
            loopback, "programs_using", lambda path: ["obs (process 7)"] if self.written_every_s else []
        )

    def read_capabilities(self, fd: int) -> Any:
        capture, output = self.v4l2.Capability.VIDEO_CAPTURE, self.v4l2.Capability.VIDEO_OUTPUT
        return SimpleNamespace(
            driver=self.driver, card=b"Some Webcam", device_caps=output if self.writable else capture
        )

    def stream_on(self, fd: int, what: Any) -> None:
        self.healed += 1
        raise OSError(22, "Invalid argument")  # it has no buffers; it helps all the same

    def set_fps(self, fd: int, what: Any, fps: float) -> None:
        self.told_fps.append(fps)

    def try_raw_format(self, fd: int, wanted: Any) -> None:
        if self.bound_to is not None:
            wanted.fmt.pix.width, wanted.fmt.pix.height, name = self.bound_to
            wanted.fmt.pix.pixelformat = self.v4l2.PixelFormat[name]

    def query_buffer(self, fd: int, what: Any, memory: Any, index: int) -> Any:
        if index > 1:
            raise OSError(22, "Invalid argument")
        newest = time.monotonic() if self.written_every_s else 5.0
        return SimpleNamespace(timestamp=SimpleNamespace(secs=int(newest), usecs=int(newest % 1 * 1e6)))


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """The path of a device."""
    return tmp_path / "video9"


def test_a_fresh_device_takes_what_is_wanted(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    """The wanted size and format; it is told the rate, and not healed."""
    driver = FakeDriver(monkeypatch, device)
    assert prepare(str(device), 640, 360, 24.0, "YU12") == Accepted(640, 360, "YU12")
    assert (driver.told_fps, driver.healed) == ([24.0], 0)


def test_a_device_that_forgot_that_it_can_be_written_to_is_healed(
    monkeypatch: pytest.MonkeyPatch, device: Path
) -> None:
    """0.12.7 says so after each writer; the start of a stream reminds it, though that fails."""
    driver = FakeDriver(monkeypatch, device)
    driver.writable = False
    assert prepare(str(device), 640, 360, 30.0, "YU12") == Accepted(640, 360, "YU12")
    assert driver.healed == 1


def test_a_device_with_a_reader_says_what_that_reads(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    """A client that survived the last writer is bound to that one's format."""
    FakeDriver(monkeypatch, device).bound_to = (320, 180, "YUYV")
    assert prepare(str(device), 640, 360, 30.0, "YU12") == Accepted(320, 180, "YUYV")


def test_a_device_that_another_program_writes_to_is_refused(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    """Both frames would alternate; the program is named, and the device is left alone."""
    driver = FakeDriver(monkeypatch, device)
    driver.writable = False
    driver.written_every_s = 1 / 30
    with pytest.raises(SinkUnavailable, match=r"already sends to .*video9 \(open in obs \(process 7\)\)") as caught:
        prepare(str(device), 640, 360, 30.0, "YU12")
    assert "\n" not in str(caught.value)
    assert driver.healed == 0
    with pytest.raises(SinkUnavailable, match="already sends to"):
        refuse_fed(str(device))
    driver.written_every_s = 0
    refuse_fed(str(device))


def test_what_is_no_virtual_camera_is_refused(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    """A webcam, a missing device and one without permission are told apart."""
    FakeDriver(monkeypatch, device).driver = b"uvcvideo"
    with pytest.raises(SinkUnavailable, match="it is 'Some Webcam', not a virtual camera"):
        prepare(str(device), 640, 360, 30.0, "YU12")
    with pytest.raises(SinkUnavailable, match=r"There is no .*video8"):
        prepare(str(device.with_name("video8")), 640, 360, 30.0, "YU12")

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SinkUnavailable, match="usermod -aG video"):
        prepare(str(device), 640, 360, 30.0, "YU12")
