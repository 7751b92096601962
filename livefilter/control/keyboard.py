"""Which way of hearing hotkeys fits this desktop."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from livefilter.errors import TriggerUnavailable


def keyboard_trigger(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """The name in TRIGGERS of what hears hotkeys here: "keys" or "portal".

    Raises: TriggerUnavailable: there is no desktop session.
    """
    if platform in ("win32", "darwin"):
        return "keys"
    # Wayland first: there, DISPLAY is XWayland's, which sees keys only while an X11 window has the focus.
    if environment.get("WAYLAND_DISPLAY") or environment.get("XDG_SESSION_TYPE") == "wayland":
        return "portal"
    if environment.get("DISPLAY"):
        return "keys"
    raise TriggerUnavailable("Global hotkeys need a desktop session, and there is no display here.")
