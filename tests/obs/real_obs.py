"""A real OBS Studio on a display of its own, with a microphone that is a PulseAudio null sink."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from livefilter.closeable import Closeable

PASSWORD = "tell-nobody"
NEEDS = ("obs", "pulseaudio", "pacat", "Xvfb")
SINK = "mic"
WIDTH, HEIGHT = 320, 180
WAIT_S = 120.0


def missing() -> list[str]:
    """The programs that are not here."""
    return [name for name in NEEDS if shutil.which(name) is None]


def free_port() -> int:
    """A port of this computer that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class RealObs(Closeable):
    """OBS with one scene, "Scene", until `close`.

    folder: an empty one, for settings and recordings. display: an X display. address, password: of its WebSocket
    server. server: of PulseAudio; what is played into SINK is heard by the microphone, once a test has created it.
    """

    def __init__(self, folder: Path, display: str) -> None:
        self.port = free_port()
        self.address, self.password = f"ws://127.0.0.1:{self.port}", PASSWORD
        self.recordings = folder / "recordings"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._display, self._home = display, folder / "home"
        self._log = folder / "obs.log"
        runtime = self._home / "run"
        for each in (self.recordings, runtime):
            each.mkdir(parents=True)
        runtime.chmod(0o700)
        self.server = f"unix:{folder / 'pulse.sock'}"
        # OpenCV points Qt to plugins of its own, which do not fit the system's Qt.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QT_QPA")}
        self._environment = kept | {
            "HOME": str(self._home), "XDG_CONFIG_HOME": str(self._home / ".config"), "XDG_RUNTIME_DIR": str(runtime),
            "DISPLAY": display, "PULSE_SERVER": self.server, "LIBGL_ALWAYS_SOFTWARE": "1", "QT_QPA_PLATFORM": "xcb",
        }  # fmt: skip
        self._configure(self._home / ".config" / "obs-studio")
        pulse = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no"]
        pulse += ["-L", f"module-null-sink sink_name={SINK} rate=48000"]
        pulse += ["-L", f"module-native-protocol-unix socket={folder / 'pulse.sock'} auth-anonymous=1"]
        try:
            self._start(pulse, folder / "pulse.log")
            self._until(lambda: (folder / "pulse.sock").exists(), "PulseAudio")
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start OBS, also again after `stop`."""
        self._obs = self._start(["obs", "--multi", "--disable-shutdown-check"], self._log)
        self._until(self._listens, "OBS's WebSocket server")

    def stop(self, *, kill: bool = False) -> None:
        """End OBS as a user would, or as a crash does."""
        self._obs.kill() if kill else self._obs.terminate()
        self._obs.wait(WAIT_S)

    def log(self) -> str:
        """What OBS wrote last."""
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""

    def close(self) -> None:
        """End it all. Can be called twice."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(30)

    def _start(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as said:
            process = subprocess.Popen(command, env=self._environment, stdout=said, stderr=said)
        self._processes.append(process)
        return process

    def _listens(self) -> bool:
        assert self._obs.poll() is None, self.log()
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _until(self, ready: object, what: str) -> None:
        assert callable(ready)
        deadline = time.monotonic() + WAIT_S
        while not ready():
            assert time.monotonic() < deadline, f"{what} did not start: {self.log()}"
            time.sleep(0.1)

    def _configure(self, folder: Path) -> None:
        """Without these OBS greets a new user with its wizard. Where the server's settings are depends on its age."""
        server: dict[str, object] = {"server_port": self.port, "server_password": PASSWORD, "server_enabled": True}
        server |= {"alerts_enabled": False, "auth_required": True, "first_load": False}
        ours = "[General]\nFirstRun=true\nLastVersion=486539266\nEnableAutoUpdates=false\n[OBSWebSocket]\n"
        ours += f"FirstLoad=false\nServerEnabled=true\nServerPort={self.port}\nAlertsEnabled=false\nAuthRequired=true\n"
        ours += f"ServerPassword={PASSWORD}\n[Basic]\nProfile=Untitled\nProfileDir=Untitled\n"
        ours += "SceneCollection=Untitled\nSceneCollectionFile=Untitled\n"
        profile = (
            f"[General]\nName=Untitled\n[Video]\nBaseCX={WIDTH}\nBaseCY={HEIGHT}\nOutputCX={WIDTH}\nOutputCY={HEIGHT}\n"
        )
        profile += f"FPSType=0\nFPSCommon=30\n[Output]\nMode=Simple\n[SimpleOutput]\nFilePath={self.recordings}\n"
        profile += "RecFormat=mkv\nRecQuality=Stream\nVBitrate=1500\nStreamEncoder=x264\nPreset=ultrafast\n"
        for path, content in (
            ("plugin_config/obs-websocket/config.json", json.dumps(server)),
            ("global.ini", ours),
            ("basic/profiles/Untitled/basic.ini", profile),
        ):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
