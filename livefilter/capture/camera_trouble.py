"""Why a camera cannot be used, in words that help."""

from __future__ import annotations

import glob
import os
import sys

from livefilter.capture.camera_description import CameraDescription
from livefilter.device_users import programs_using


def why_unusable(camera: CameraDescription) -> str:
    """The likeliest reason and its fix, without a full stop."""
    if sys.platform == "win32":
        return (
            "it is unplugged, another program uses it, or Windows denies access: close that program, "
            "and look under Settings, Privacy, Camera"
        )
    if sys.platform == "darwin":
        return (
            "it is unplugged, another program uses it, or macOS denies access: "
            "allow this terminal under System Settings, Privacy & Security, Camera"
        )
    path = camera.path or f"/dev/video{camera.index}"
    if not os.path.exists(path):
        others = ", ".join(sorted(glob.glob("/dev/video*"))) or "none"
        return f"there is no {path} (devices present: {others}). Plug it in, or see livefilter devices"
    if not os.access(path, os.R_OK | os.W_OK):
        return (
            f"you may not use {path}. Add yourself to the group that may: "
            "sudo usermod -aG video $USER, then log out and in again"
        )
    users = programs_using(path)
    if users:
        return f"{path} is in use by {', '.join(users)}. Close that program first"
    return f"{path} is busy, or it is not a camera that gives pictures. Close other programs that use it"
