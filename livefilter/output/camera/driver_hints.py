"""What to type, beyond the driver itself, so that other programs find the virtual camera."""

from __future__ import annotations

import sys
from pathlib import Path

from livefilter.output.camera.driver import (
    LABEL,
    OPTIONS,
    RELOAD,
    distribution,
    loopbacks,
    missing_driver,
    windows_cameras,
)

_SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_OPTIONS = f"options v4l2loopback {OPTIONS}"
_AT_EVERY_START = (
    "# So that it is there after each start of the computer:",
    "echo v4l2loopback | sudo tee /etc/modules-load.d/v4l2loopback.conf",
    f"echo '{_OPTIONS}' | sudo tee /etc/modprobe.d/v4l2loopback.conf",
)
# Where each distribution keeps the key that it signs modules with which it built here.
_KEYS = {
    "debian": "sudo mokutil --import /var/lib/dkms/mok.pub",
    "ubuntu": "sudo mokutil --import /var/lib/shim-signed/mok/MOK.der",
    "fedora": "sudo kmodgenca -a && sudo mokutil --import /etc/pki/akmods/certs/public_key.der",
    "rhel": "sudo kmodgenca -a && sudo mokutil --import /etc/pki/akmods/certs/public_key.der",
    "arch": "sudo mokutil --import /var/lib/dkms/mok.pub",
}
_PAGE = "http://127.0.0.1:8420/?clean=1"
_INTO_OBS = {
    "win32": (
        '# OBS cannot show its own "OBS Virtual Camera" as a source. To get livefilter into OBS, add a Browser source:',
        f"# {_PAGE}, or install Unity Capture (run Install.bat as administrator) and feed that:",
        "# https://github.com/schellingb/UnityCapture",
        '# livefilter run -o "camera:Unity Video Capture"',
    ),
    "darwin": (
        '# OBS cannot show its own "OBS Virtual Camera" as a source. To get livefilter into OBS, add a Browser source:',
        f"# {_PAGE}",
    ),
}


def driver_hints(system: str = sys.platform, root: Path = Path("/")) -> tuple[str, ...]:
    """Lines for a terminal: commands, and remarks that begin with "#"; none when nothing is left to do.

    system: as sys.platform. root: where the system's files lie.
    """
    if not system.startswith("linux"):
        return _INTO_OBS.get(system, ()) if system == "darwin" or "Unity Video Capture" not in windows_cameras() else ()
    if not loopbacks(root / "sys"):
        return (*_secure_boot(root), *_AT_EVERY_START) if missing_driver(system, root) else ()
    wrong = loaded_wrongly(root)
    return (f"# {wrong} Close what uses it, then:", RELOAD) if wrong else ()


def loaded_wrongly(root: Path = Path("/")) -> str | None:
    """What other programs will miss in v4l2loopback as it is loaded on this Linux machine; None when nothing."""
    found = loopbacks(root / "sys")
    if not found:
        return None
    try:
        exclusive = (root / "sys/module/v4l2loopback/parameters/exclusive_caps").read_text()
    except OSError:
        exclusive = "Y"
    if "Y" not in exclusive:
        return f"Chromium, Chrome and Zoom do not list {found[0].path}: it was loaded without exclusive_caps=1."
    if found[0].label.lower() != LABEL:
        return f"Other programs list {found[0].path} as {found[0].label!r}: it was loaded without card_label={LABEL}."
    return None


def _secure_boot(root: Path) -> tuple[str, ...]:
    try:
        on = (root / _SECURE_BOOT).read_bytes()[-1:] == b"\x01"
    except OSError:
        return ()
    if not on:
        return ()
    return (
        "# Secure Boot is on: the module loads only after its key is enrolled. Choose a password here, restart the",
        '# computer, and answer "Enroll MOK" with it on the blue screen:',
        _KEYS.get(
            distribution(root / "etc/os-release", _KEYS) or "", "# see your distribution's words on DKMS and MOK"
        ),
    )
