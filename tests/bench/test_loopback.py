"""`livefilter bench --loopback` where there is no virtual camera to read back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from livefilter.bench import loopback
from livefilter.bench.loopback import loopback_device
from livefilter.errors import InvalidInput, SinkUnavailable
from livefilter.output.camera.driver import Loopback, missing_driver


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux machine without virtual cameras."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(loopback, "loopbacks", list)


def test_no_virtual_camera_names_the_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says what is missing and gives the command."""
    monkeypatch.setattr(loopback, "missing_driver", lambda: missing_driver("linux", tmp_path, "6.1"))
    with pytest.raises(SinkUnavailable, match=r"--loopback needs a virtual camera.*modprobe v4l2loopback"):
        loopback_device(("null",))


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and macOS let nobody read the virtual camera of the program that feeds it."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SinkUnavailable, match="v4l2loopback on Linux"):
        loopback_device(("camera",))


@pytest.mark.parametrize("outputs", [("page",), ("camera", "camera:/dev/video9")])
def test_only_one_virtual_camera_is_measured(outputs: tuple[str, ...]) -> None:
    """Any other output, or several, is an error that says what to write."""
    with pytest.raises(InvalidInput, match="--output camera:/dev/videoN"):
        loopback_device(outputs)


def test_the_device_is_found_by_path_by_label_or_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is taken as it is, a label is looked up, and without either the first one is taken."""
    found = [Loopback("/dev/video10", "livefilter"), Loopback("/dev/video11", "Second")]
    monkeypatch.setattr(loopback, "loopbacks", lambda: found)
    assert loopback_device(("null",)) == "/dev/video10"
    assert loopback_device(("camera:second",)) == "/dev/video11"
    assert loopback_device(("camera:/dev/video7",)) == "/dev/video7"
