"""What the preview window must know about the screen before OpenCV may touch it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2

_log = logging.getLogger(__name__)

_PROBE = "import cv2; cv2.namedWindow('livefilter'); cv2.destroyAllWindows()"
_PROBE_TIMEOUT_S = 30.0


def no_windows() -> str | None:
    """Why OpenCV cannot open a window here, and what to do, ready for "or ..." behind it; None when it can."""
    framework: Any = getattr(cv2, "currentUIFramework", None)
    if framework is None or framework() in ("", "NONE"):
        return (
            "this OpenCV was built without windows (opencv-python-headless). Install the one that has them "
            "(pip uninstall -y opencv-python-headless && pip install --force-reinstall opencv-python)"
        )
    if sys.platform in ("win32", "darwin"):
        return None
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not display:
        return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set). Run it on a desktop or over ssh -X"
    cause = _probe()
    if cause is None:
        return None
    return f"display {display} cannot be used ({cause}). Check that it runs and that this user may use it"


def screen_size() -> tuple[int, int] | None:
    """Pixels of the main screen; None where the system does not say."""
    try:
        import mss

        # Named MSS from version 10 on, where the old name warns.
        grabber: Any = getattr(mss, "MSS", None) or mss.mss
        with grabber() as screens:
            main = screens.monitors[1]
            return int(main["width"]), int(main["height"])
    except Exception as error:  # whatever its library raises, the window only opens at a guessed size
        _log.debug("The size of the screen is unknown: %s", error)
        return None


def _probe() -> str | None:
    """Try a window in a process of its own: where Qt cannot reach the display, it ends the whole process."""
    quieten_qt()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, errors="replace", timeout=_PROBE_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        cause = f"it did not answer within {_PROBE_TIMEOUT_S:g} s"
    except OSError as error:
        _log.debug("The display could not be tried out: %s", error)
        return None
    else:
        if done.returncode == 0:
            return None
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        cause = (said[0] if said else f"a trial ended with code {done.returncode}")[:200]
    return cause


def quieten_qt() -> None:
    """Name an existing folder of fonts: opencv-python names one it does not bring, and Qt complains line by line."""
    folder = os.environ.get("QT_QPA_FONTDIR")
    if folder and not Path(folder).is_dir():
        os.environ["QT_QPA_FONTDIR"] = str(Path(cv2.__file__).parent)
