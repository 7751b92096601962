"""Makes livefilter known to the Linux desktop, which gives global shortcuts only to programs it knows."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from livefilter.errors import TriggerUnavailable
from livefilter.user_folders import home_folder

# Also the name that the portal is told; reverse DNS with a dot, or GNOME refuses it.
APP_ID = "io.github.livefilter"
_TEXT = """\
[Desktop Entry]
Type=Application
Name=livefilter
Comment=Anime style for your webcam, live
Exec="{python}" -m livefilter run
Terminal=true
NoDisplay=true
"""


def install_desktop_file() -> Path:
    """Write the .desktop file into the user's own folder of applications; hidden from menus.

    https://specifications.freedesktop.org/desktop-entry-spec/latest/
    Raises: TriggerUnavailable: it cannot be written.
    """
    home = home_folder()
    data = os.environ.get("XDG_DATA_HOME") or (home and home / ".local" / "share")
    if not data:
        raise TriggerUnavailable(
            "Global hotkeys need a folder for a .desktop file, and this user has no home. Set HOME."
        )
    path = Path(data) / "applications" / f"{APP_ID}.desktop"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_TEXT.format(python=sys.executable), encoding="utf-8")
    except OSError as error:
        raise TriggerUnavailable(
            f"{path} cannot be written: {error.strerror}. Check the folder's permissions."
        ) from error
    return path
