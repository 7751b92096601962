"""Senders of streams on this machine that can be ended and started again, as cameras and encoders are."""

from __future__ import annotations

import http.server
import io
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

from PIL import Image

from tests.capture.fakes import web_server
from tests.capture.rtsp_server import H264, JPEG, RtspServer
from tests.fakes import WAIT_S, until


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Sender:
    """Sends at `url` between `start` and `stop`, as often as is wanted."""

    url: str
    needs = ""

    def start(self) -> None:
        """Send; also something else than before, where the kind can."""

    def stop(self) -> None:
        """End at once, without a farewell."""


class Program(Sender):
    """The program ffmpeg, killed to end it. coders: the codec of each start, the last one for all more."""

    coders: tuple[str, ...] = ("libx264",)
    arguments: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.needs = "" if shutil.which("ffmpeg") else "needs the program ffmpeg"

    def start(self) -> None:
        coder = self.coders[min(self._starts, len(self.coders) - 1)]
        self._starts += 1
        self._process = subprocess.Popen(
            [
                *("ffmpeg", "-nostdin", "-loglevel", "quiet", "-y", "-re", "-f", "lavfi", "-i"),
                "testsrc2=size=96x64:rate=25",
                *("-c:v", coder, "-pix_fmt", "yuv420p", "-g", "5", "-bf", "0", *self.arguments),
            ],
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(WAIT_S)
            self._process = None


class Udp(Program):
    """MPEG-TS over UDP."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        self.arguments = ("-f", "mpegts", f"{self.url}?pkt_size=1316")


class UdpOfAnotherCodec(Udp):
    """The same, and the second time in MPEG-2."""

    coders = ("libx264", "mpeg2video")


class Tcp(Program):
    """MPEG-TS over TCP, where the sender listens."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"tcp://127.0.0.1:{free_port()}"
        self.arguments = ("-f", "mpegts", f"{self.url}?listen=1")


class Rtmp(Program):
    """RTMP, where the sender listens."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"rtmp://127.0.0.1:{free_port()}/live/cam"
        self.arguments = ("-f", "flv", "-listen", "1", self.url)


class Hls(Program):
    """A live playlist of short pieces on a web server that ends with its sender."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self._playlist = folder / "live.m3u8"
        flags = ("-hls_time", "0.4", "-hls_list_size", "4", "-hls_flags", "delete_segments+append_list")
        self.arguments = ("-f", "hls", *flags, str(self._playlist))
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/live.m3u8"
        self._server: AbstractContextManager[str] | None = None

    def start(self) -> None:
        super().start()
        until(self._playlist.exists, "the first pieces")
        self._server = web_server(self._playlist.parent, self._port)
        self._server.__enter__()

    def stop(self) -> None:
        super().stop()
        if self._server is not None:
            self._server.__exit__(None, None, None)
            self._server = None


class Multipart(Sender):
    """Motion JPEG of a web camera. kinds: Pillow's name of the format of each start, the last one for all more."""

    kinds: tuple[str, ...] = ("JPEG",)

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/video"
        self._starts = 0
        self._stopping = threading.Event()
        self._server: http.server.ThreadingHTTPServer | None = None

    def start(self) -> None:
        file = io.BytesIO()
        kind = self.kinds[min(self._starts, len(self.kinds) - 1)]
        Image.new("RGB", (64, 48), (200, 60, 30)).save(file, kind)
        picture = file.getvalue()
        self._starts += 1
        self._stopping = stopping = threading.Event()

        class Camera(http.server.BaseHTTPRequestHandler):
            timeout: ClassVar[int] = 5

            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=f")
                self.end_headers()
                head = f"--f\r\nContent-Type: image/{kind.lower()}\r\nContent-Length: {len(picture)}\r\n\r\n"
                try:
                    while not stopping.wait(0.04):
                        self.wfile.write(head.encode() + picture + b"\r\n")
                except OSError:
                    pass  # nobody looks any more

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), Camera)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class MultipartOfAnotherCodec(Multipart):
    """The same, and the second time of PNG."""

    kinds = ("JPEG", "PNG")


class Rtsp(Sender):
    """GStreamer's RTSP server. pipelines: of each start, the last one for all more."""

    pipelines: tuple[str, ...] = (JPEG,)

    def __init__(self) -> None:
        self._starts = 0
        self._server = RtspServer(running=False)
        self.url = self._server.url

    def start(self) -> None:
        self._server.start(self.pipelines[min(self._starts, len(self.pipelines) - 1)])
        self._starts += 1

    def stop(self) -> None:
        self._server.stop()


class RtspOfAnotherCodec(Rtsp):
    """The same, first in H.264 and then in JPEG."""

    pipelines = (H264, JPEG)
