"""Whether a virtual camera's driver is present, and the command that installs one on this system."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LABEL = "livefilter"
# A number of its own, so that a webcam stays /dev/video0 when this is loaded first.
OPTIONS = f"video_nr=10 exclusive_caps=1 card_label={LABEL}"
_MODPROBE = f"sudo modprobe v4l2loopback {OPTIONS}"
RELOAD = f"sudo modprobe -r v4l2loopback && {_MODPROBE}"

# Arch and Fedora build the module on this machine, so they also need what it is built with.
_LINUX_INSTALL = {
    "debian": "sudo apt install v4l2loopback-dkms linux-headers-$(uname -r)",
    "ubuntu": "sudo apt install v4l2loopback-dkms linux-headers-$(uname -r)",
    "fedora": "sudo dnf install https://mirrors.rpmfusion.org/free/fedora/rpmfusion-free-release-$(rpm -E %fedora)"
    ".noarch.rpm && sudo dnf install akmod-v4l2loopback",
    "rhel": "sudo dnf install https://mirrors.rpmfusion.org/free/el/rpmfusion-free-release-$(rpm -E %rhel)"
    ".noarch.rpm && sudo dnf install akmod-v4l2loopback",
    "arch": "sudo pacman -S v4l2loopback-dkms linux-headers",
    "suse": "sudo zypper install v4l2loopback-kmp-default",
    "opensuse": "sudo zypper install v4l2loopback-kmp-default",
}
_BY_HAND = "install v4l2loopback from https://github.com/v4l2loopback/v4l2loopback"

# COM classes that OBS Studio and Unity Capture register.
_WINDOWS_CAMERAS = {
    "OBS Virtual Camera": "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}",
    "Unity Video Capture": "{5C2CD55C-92AD-4999-8666-912BD3E70010}",
}


@dataclass(frozen=True, slots=True)
class Loopback:
    """One v4l2loopback device: path such as /dev/video10, and the label that other programs show."""

    path: str
    label: str


def loopbacks(sysfs: Path = Path("/sys")) -> list[Loopback]:
    """The v4l2loopback devices of this Linux machine, the one labelled for us first, then by number.

    A loopback has no hardware behind it, so the kernel lists it among the virtual devices.
    """
    found: list[tuple[bool, int, Loopback]] = []
    for folder in (sysfs / "devices/virtual/video4linux").glob("video*"):
        try:
            label = (folder / "name").read_text().strip()
        except OSError:
            continue
        number = int(folder.name.removeprefix("video"))
        found.append((label.lower() != LABEL, number, Loopback(f"/dev/{folder.name}", label)))
    return [loopback for _, _, loopback in sorted(found, key=lambda entry: entry[:2])]


def missing_driver(
    system: str = sys.platform,
    root: Path = Path("/"),
    kernel: str | None = None,
) -> str | None:
    """What keeps a virtual camera from working here and the command that fixes it, as one line; None when all is there.

    system: as sys.platform. root: where the system's files lie. kernel: release of the running Linux kernel.
    """
    if system.startswith("linux"):
        return _missing_on_linux(root, kernel or platform.release())
    if system == "win32":
        return _missing_on_windows()
    if system == "darwin":
        if (root / "Applications/OBS.app").exists():
            return None
        return (
            "No virtual camera: OBS is not installed. Install it with: brew install --cask obs, then open it once, "
            "press Start Virtual Camera, and allow its system extension."
        )
    return f"No virtual camera: none is known for {system}. Use the live page instead: --output page"


def _missing_on_linux(root: Path, kernel: str) -> str | None:
    if loopbacks(root / "sys"):
        return None
    built = root / "lib/modules" / kernel
    if (root / "sys/module/v4l2loopback").exists():
        return f"No virtual camera: v4l2loopback is loaded without a device. Load it anew with: {RELOAD}"
    if next(built.glob("**/v4l2loopback.ko*"), None) is not None:
        return f"No virtual camera: v4l2loopback is not loaded. Load it with: {_MODPROBE}"
    install = _LINUX_INSTALL.get(distribution(root / "etc/os-release", _LINUX_INSTALL) or "", _BY_HAND)
    return f"No virtual camera: the v4l2loopback driver is not installed. Install it with: {install} && {_MODPROBE}"


def distribution(os_release: Path, known: Iterable[str]) -> str | None:
    """Which of the known distributions this Linux is, or is made from; None when it is none of them."""
    values: dict[str, str] = {}
    try:
        for line in os_release.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            values[key] = value.strip("\"'")
    except OSError:
        pass
    for name in [values.get("ID", ""), *values.get("ID_LIKE", "").split()]:
        for candidate in known:
            if name == candidate or name.startswith(f"{candidate}-"):
                return candidate
    return None


def _missing_on_windows() -> str | None:
    if windows_cameras():
        return None
    return (
        "No virtual camera: neither OBS Studio nor Unity Capture is installed. Install OBS with: "
        "winget install OBSProject.OBSStudio"
    )


def windows_cameras() -> list[str]:
    """Names of the virtual cameras that are registered on this Windows machine."""
    if os.name != "nt":
        return []
    import winreg

    found: list[str] = []
    for name, class_id in _WINDOWS_CAMERAS.items():
        try:
            winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, rf"CLSID\{class_id}"))  # type: ignore[attr-defined]
        except OSError:
            continue
        found.append(name)
    return found
