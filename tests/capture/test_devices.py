"""livefilter devices."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.listing import camera_backends
from livefilter.capture.mode import Mode
from livefilter.capture.screens import ScreenDescription
from livefilter.cli import devices as command
from livefilter.errors import SourceUnavailable


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = camera_backends()[0]
    cameras = [
        CameraDescription(0, "Integrated [HD] Webcam", "/dev/video0", backend, bus="usb-0000:00:14.0-6"),
        CameraDescription(4, "OBS Virtual Camera", "/dev/video4", backend, virtual=True),
    ]
    modes = [Mode("MJPG", 1280, 720, 60.0), Mode("YUYV", 640, 480, 30.0), Mode("H264", 1920, 1080, 30.0)]
    monkeypatch.setattr(command, "list_cameras", lambda: cameras)
    monkeypatch.setattr(command, "camera_modes", lambda camera: [] if camera.virtual else modes)
    monkeypatch.setattr(command, "list_screens", lambda: [ScreenDescription(1, 0, 0, 1366, 768)])


def test_cameras_and_screens_are_shown() -> None:
    """The table says what to write after --input, and which cameras are virtual."""
    result = CliRunner().invoke(command.devices)
    assert result.exit_code == 0
    for text in ("[HD]", "Webcam", "/dev/video0", "virtual", "screen:1", "1366x768", "MJPG", "640x480"):
        assert text in result.output
    assert "H264" not in result.output, "it is not understood here"


def test_json_holds_the_same() -> None:
    """Scripts read plain data."""
    data = json.loads(CliRunner().invoke(command.devices, ["--json"]).output)
    assert data["cameras"][0] == {
        "index": 0,
        "name": "Integrated [HD] Webcam",
        "path": "/dev/video0",
        "bus": "usb-0000:00:14.0-6",
        "virtual": False,
        "modes": [
            {"pixel_format": "MJPG", "width": 1280, "height": 720, "fps": 60.0},
            {"pixel_format": "YUYV", "width": 640, "height": 480, "fps": 30.0},
            {"pixel_format": "H264", "width": 1920, "height": 1080, "fps": 30.0},
        ],
    }
    assert data["screens"] == [{"number": 1, "left": 0, "top": 0, "width": 1366, "height": 768}]
    assert data["problems"] == []


def test_a_bare_machine_gets_friendly_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """No camera and no display is no failure: what can be done is said."""

    def no_display() -> list[ScreenDescription]:
        raise SourceUnavailable("Cannot capture the screen: there is no display.")

    monkeypatch.setattr(command, "list_cameras", list)
    monkeypatch.setattr(command, "list_screens", no_display)
    result = CliRunner().invoke(command.devices)
    assert result.exit_code == 0
    assert "No camera found" in result.output
    assert "--input demo" in result.output
    assert "no display" in result.output
