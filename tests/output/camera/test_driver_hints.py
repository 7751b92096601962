"""What to type beyond the driver itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefilter.output.camera import driver_hints as hints
from livefilter.output.camera.driver_hints import driver_hints, loaded_wrongly
from tests.output.camera.test_driver import add_device, linux


def secure_boot(root: Path, on: bool) -> None:
    """What the firmware of a computer tells."""
    variable = root / "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    variable.parent.mkdir(parents=True)
    variable.write_bytes(b"\x06\0\0\0" + bytes([on]))


@pytest.mark.parametrize(
    ("os_release", "key"),
    [("ID=debian\n", "/var/lib/dkms/mok.pub"), ("ID=ubuntu\n", "/MOK.der"), ("ID=fedora\n", "kmodgenca"), ("", "DKMS")],
)
def test_secure_boot_needs_a_key(tmp_path: Path, os_release: str, key: str) -> None:
    """Where modules must be signed, the distribution's own command enrols the key."""
    secure_boot(linux(tmp_path, os_release), True)
    assert any(key in line for line in driver_hints("linux", tmp_path))


def test_without_secure_boot_nothing_is_said_of_it(tmp_path: Path) -> None:
    """Only loading at each start is left to do, in commands that can be pasted as they are."""
    secure_boot(linux(tmp_path), False)
    said = driver_hints("linux", tmp_path)
    assert "mokutil" not in " ".join(said)
    assert any("exclusive_caps=1 card_label=livefilter" in line and "/etc/modprobe.d" in line for line in said)


def test_a_device_that_browsers_do_not_list_is_told(tmp_path: Path) -> None:
    """Without exclusive_caps Chromium leaves it out; with it nothing is left to say."""
    add_device(linux(tmp_path), 10, "livefilter")
    parameter = tmp_path / "sys/module/v4l2loopback/parameters/exclusive_caps"
    parameter.parent.mkdir(parents=True)
    parameter.write_text("N,N,N\n")
    assert any("exclusive_caps=1" in line for line in driver_hints("linux", tmp_path))
    parameter.write_text("Y,N,N\n")
    assert driver_hints("linux", tmp_path) == ()
    assert loaded_wrongly(tmp_path) is None


def test_a_device_of_another_name_is_told(tmp_path: Path) -> None:
    """Whoever looks for "livefilter" in a list of cameras does not find "Dummy video device"."""
    add_device(linux(tmp_path), 3, "Dummy video device (0x0000)")
    wrong = loaded_wrongly(tmp_path)
    assert wrong is not None
    assert "/dev/video3" in wrong
    assert "'Dummy video device (0x0000)'" in wrong
    assert driver_hints("linux", tmp_path)[-1].startswith("sudo modprobe -r v4l2loopback && ")


def test_the_way_into_obs_is_told_where_obs_cannot_read_its_own_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows the page or Unity Capture, on macOS the page; whoever has Unity Capture knows."""
    assert any("UnityCapture" in line for line in driver_hints("win32"))
    assert any("?clean=1" in line for line in driver_hints("darwin"))
    monkeypatch.setattr(hints, "windows_cameras", lambda: ["Unity Video Capture"])
    assert driver_hints("win32") == ()
