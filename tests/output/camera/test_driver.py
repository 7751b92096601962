"""Whether a virtual camera's driver is there, and how to get it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from livefilter.output.camera.driver import loopbacks, missing_driver


def linux(root: Path, os_release: str = "ID=debian\n") -> Path:
    """A Linux system without a driver under `root`."""
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text(os_release)
    return root


def add_device(root: Path, number: int, label: str) -> None:
    """Add a loopback device to a Linux system."""
    folder = root / f"sys/devices/virtual/video4linux/video{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{label}\n")


@pytest.mark.parametrize(
    ("os_release", "command"),
    [
        ("ID=debian\n", "sudo apt install v4l2loopback-dkms"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "sudo apt install v4l2loopback-dkms"),
        ("ID=fedora\n", "dnf install akmod-v4l2loopback"),
        ("ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S v4l2loopback-dkms"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "sudo zypper install v4l2loopback"),
        ("ID=somethingelse\n", "github.com/v4l2loopback"),
    ],
)
def test_the_command_is_that_of_the_distribution(tmp_path: Path, os_release: str, command: str) -> None:
    """One line installs the driver and loads it under our label."""
    said = missing_driver("linux", linux(tmp_path, os_release), "6.1")
    assert said is not None
    assert command in said
    assert said.endswith("sudo modprobe v4l2loopback video_nr=10 exclusive_caps=1 card_label=livefilter")


def test_an_installed_driver_only_needs_loading(tmp_path: Path) -> None:
    """Where the module is built for this kernel, nothing is to be installed."""
    root = linux(tmp_path)
    module = root / "lib/modules/6.1/updates/dkms/v4l2loopback.ko.xz"
    module.parent.mkdir(parents=True)
    module.touch()
    said = missing_driver("linux", root, "6.1") or ""
    assert "Load it with: sudo modprobe v4l2loopback" in said
    assert "apt" not in said
    assert "apt" in (missing_driver("linux", root, "6.2") or "")


def test_a_loaded_driver_with_a_device_is_complete(tmp_path: Path) -> None:
    """The device labelled for us comes first, then the others by number."""
    root = linux(tmp_path)
    (root / "sys/module/v4l2loopback").mkdir(parents=True)
    assert "loaded without a device" in (missing_driver("linux", root, "6.1") or "")
    for number, label in ((10, "Dummy"), (2, "OBS Virtual Camera"), (11, "livefilter")):
        add_device(root, number, label)
    assert missing_driver("linux", root, "6.1") is None
    assert [device.path for device in loopbacks(root / "sys")] == ["/dev/video11", "/dev/video2", "/dev/video10"]


def test_macos_needs_obs(tmp_path: Path) -> None:
    """OBS brings the camera on macOS."""
    assert "brew install --cask obs" in (missing_driver("darwin", tmp_path) or "")
    (tmp_path / "Applications/OBS.app").mkdir(parents=True)
    assert missing_driver("darwin", tmp_path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="looks into the real registry there")
def test_windows_needs_obs_or_unity_capture() -> None:
    """Without either, the command of Windows' own package manager is given."""
    assert "winget install OBSProject.OBSStudio" in (missing_driver("win32") or "")
