"""OBS Studio on a display of its own, steered through obs-websocket."""

from __future__ import annotations

import base64
import json
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from livefilter.closeable import Closeable
from livefilter.frame import Image
from tests.system.waiting import WAIT_S, until

_PORT = 4455
_SOCKET = {"alerts_enabled": False, "auth_required": False, "first_load": False, "server_enabled": True}
# Without these OBS greets a new user with its wizard.
_GLOBAL = """[General]
FirstRun=true
LastVersion=486539266
EnableAutoUpdates=false
[OBSWebSocket]
FirstLoad=false
ServerEnabled=true
ServerPort=4455
AlertsEnabled=false
AuthRequired=false
[Basic]
Profile=Untitled
ProfileDir=Untitled
SceneCollection=Untitled
SceneCollectionFile=Untitled
"""
_PROFILE = (
    "[General]\nName=Untitled\n[Video]\nBaseCX=640\nBaseCY=360\nOutputCX=640\nOutputCY=360\nFPSType=0\nFPSCommon=10\n"
)


class Obs(Closeable):
    """A running OBS Studio with one empty scene; skips the test where it or obsws-python is missing.

    home: an empty folder for its settings. display: the X display.
    """

    def __init__(self, home: Path, display: str) -> None:
        program = shutil.which("obs")
        if program is None:
            pytest.skip("no OBS Studio here: install the package obs-studio")
        library: Any = pytest.importorskip("obsws_python", reason="obsws-python is not installed")
        logging.getLogger("obsws_python").setLevel(logging.CRITICAL)  # or it tells of every try until OBS listens
        self._log = home / "obs.log"
        self.trouble = ""
        _configure(home / ".config" / "obs-studio")
        runtime = home / "run"
        runtime.mkdir(mode=0o700)
        # OpenCV points Qt to plugins of its own, which do not fit the system's Qt.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_QPA")}
        environment |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "DISPLAY": display}
        environment |= {"XDG_RUNTIME_DIR": str(runtime), "LIBGL_ALWAYS_SOFTWARE": "1", "QT_QPA_PLATFORM": "xcb"}
        with self._log.open("w") as said:
            self._process = subprocess.Popen(
                [program, "--multi", "--minimize-to-tray", "--disable-shutdown-check"],
                env=environment,
                stdout=said,
                stderr=said,
            )
        try:
            self._client = self._connected(library)
            self.version = str(self._client.get_version().obs_version)
            self._scene = str(self._client.get_scene_list().scenes[0]["sceneName"])
        except BaseException:
            self.close()
            raise

    def add(self, name: str, kind: str, settings: Mapping[str, Any]) -> None:
        """Add a source to the scene."""
        self._client.create_input(self._scene, name, kind, dict(settings), True)

    def kinds(self) -> list[str]:
        """The kinds of sources that this OBS has."""
        return list(self._client.get_input_kind_list(False).input_kinds)

    def screenshot(self, name: str) -> Image:
        """The picture of a source, as OBS shows it; 1x1 black while it has none."""
        try:
            answer = self._client.get_source_screenshot(name, "png", None, None, -1)
        except Exception as error:  # obs-websocket calls a source without a picture yet an error
            self.trouble = str(error)
            return np.zeros((1, 1, 3), np.uint8)
        data = base64.b64decode(answer.image_data.split(",", 1)[1])
        return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)

    def log(self) -> str:
        """What it wrote last, and what it last refused."""
        return f"{self.trouble}; {self._log.read_text(errors='replace')[-1500:]}"

    def close(self) -> None:
        """End it. Can be called twice."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(30)

    def _connected(self, library: Any) -> Any:
        found: list[Any] = []

        def connect() -> bool:
            try:
                client = library.ReqClient(host="localhost", port=_PORT, timeout=60)
                client.get_input_kind_list(False)  # answers once OBS is ready, not only its socket
            except Exception:  # refused, closed, not ready: each in an error of its own
                time.sleep(0.5)
                return self._process.poll() is not None
            found.append(client)
            return True

        until(connect, f"obs-websocket within {WAIT_S:.0f} s")
        assert found, f"OBS ended with {self._process.returncode}: {self._log.read_text()[-800:]}"
        return found[0]


def _configure(folder: Path) -> None:
    for path, content in (
        ("plugin_config/obs-websocket/config.json", json.dumps({**_SOCKET, "server_port": _PORT})),
        ("global.ini", _GLOBAL),
        ("basic/profiles/Untitled/basic.ini", _PROFILE),
    ):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
