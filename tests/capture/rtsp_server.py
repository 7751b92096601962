"""An RTSP server: GStreamer's own, in a process of the system's Python, which has the bindings."""

from __future__ import annotations

import functools
import socket
import subprocess
import sys
from pathlib import Path

_PYTHON = "/usr/bin/python3"
_WAIT_S = 60.0

# What the server runs. It ends when its standard input does, so that none is left behind.
_SERVER = """
import sys, threading
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
if len(sys.argv) > 4:
    auth = GstRtspServer.RTSPAuth.new()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(sys.argv[3], sys.argv[4]), token)
    server.set_auth(auth)
factory = GstRtspServer.RTSPMediaFactory.new()
if len(sys.argv) > 4:
    role = GstRtspServer.RTSPPermissions.new()
    role.add_permission_for_role("user", "media.factory.access", True)
    role.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(role)
factory.set_launch("( " + sys.argv[2] + " )")
factory.set_shared(True)
server.get_mount_points().add_factory("/cam", factory)
if not server.attach(None):
    sys.exit("cannot listen")
loop = GLib.MainLoop()
threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
print(server.get_bound_port(), flush=True)
loop.run()
"""

_PICTURES = "videotestsrc is-live=true pattern=red ! video/x-raw,format=I420,width=64,height=48,framerate=25/1"
JPEG = f"{_PICTURES} ! jpegenc ! rtpjpegpay name=pay0 pt=26"
H264 = (
    f"{_PICTURES} ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 "
    "! rtph264pay name=pay0 pt=96 config-interval=1"
)


class RtspServer:
    """Serves a red picture at `url` until `stop`; `start` serves again at the same address.

    pipeline: `JPEG` or `H264`. user, password: who may look. running: it serves at once.
    """

    def __init__(self, pipeline: str = JPEG, *, user: str = "", password: str = "", running: bool = True) -> None:
        self._pipeline, self._login = pipeline, [user, password] if user else []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = str(free.getsockname()[1])
        self._process: subprocess.Popen[str] | None = None
        self.url = f"rtsp://{f'{user}:{password}@' if user else ''}127.0.0.1:{self._port}/cam"
        if running:
            self.start()

    def start(self, pipeline: str | None = None) -> None:
        """Serve, in another coding if that is wanted."""
        self._pipeline = pipeline or self._pipeline
        self._process = subprocess.Popen(
            [_PYTHON, "-c", _SERVER, self._port, self._pipeline, *self._login],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == self._port

    def stop(self) -> None:
        """End the server, as when a camera loses its power."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=_WAIT_S)
            self._process = None

    def __enter__(self) -> RtspServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@functools.cache
def lacks(element: str) -> str:
    """Why there is no server here that can use an element of GStreamer; empty when there is."""
    if sys.platform != "linux" or not Path(_PYTHON).exists():
        return "needs the system's own Python"
    check = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
        f"Gst.init(None); assert Gst.ElementFactory.find('{element}')"
    )
    done = subprocess.run([_PYTHON, "-c", check], capture_output=True, timeout=_WAIT_S, check=False)
    needs = "needs gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-good and, for H.264, -ugly"
    return needs if done.returncode else ""
