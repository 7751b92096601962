"""Hand-written stand-ins for devices and networks."""

from __future__ import annotations

import functools
import http.server
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from livefilter.capture.base import SourceOptions
from livefilter.capture.camera import CameraSource
from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.listing import camera_backends
from tests.conftest import picture
from tests.fakes import FakeClock

CAMERA = CameraDescription(0, "Fake Webcam", "/dev/video70", camera_backends()[0])


class FakeCapture:
    """A cv2.VideoCapture whose camera delivers `frames` pictures (endlessly when None), `every_s` apart.

    Each frame moves `clock`; `image` replaces the pictures; `claims` is the rate that the driver states.
    """

    def __init__(
        self,
        clock: FakeClock | None = None,
        *,
        opens: bool = True,
        frames: int | None = None,
        every_s: float = 1 / 30,
        image: Any = None,
        size: tuple[int, int] = (64, 48),
        claims: float = 30.0,
    ) -> None:
        self.asked: list[tuple[int, float]] = []
        self.released = 0
        self.reads = 0
        self._clock = clock or FakeClock()
        self._opens = opens
        self._frames = frames
        self._every_s = every_s
        self._image = image
        self._size = size
        self._claims = claims

    def isOpened(self) -> bool:  # noqa: N802
        return self._opens

    def read(self) -> tuple[bool, Any]:
        self.reads += 1
        self._clock.now += self._every_s
        if self._frames is not None and self.reads > self._frames:
            return False, None
        return True, self._image if self._image is not None else picture(*self._size, self.reads)

    def set(self, prop: int, value: float) -> bool:
        self.asked.append((prop, value))
        return True

    def get(self, prop: int) -> float:
        return self._claims if prop == cv2.CAP_PROP_FPS else 0.0

    def release(self) -> None:
        self.released += 1


def fake_camera(
    capture: FakeCapture | None = None,
    target: str = "0",
    options: SourceOptions | None = None,
    cameras: list[CameraDescription] | None = None,
    clock: FakeClock | None = None,
) -> CameraSource:
    """A camera source on a fake capture; the fake's clock is the source's, so no test waits."""
    time_now = clock or FakeClock()
    device = capture or FakeCapture(time_now)
    known = [CAMERA] if cameras is None else cameras
    return CameraSource(
        target,
        options or SourceOptions(),
        open_capture=lambda place, backend: device,
        cameras=lambda backend: known,
        clock=time_now,
    )


def write_video(path: Path, size: tuple[int, int], frames: int = 3, codec: str = "ffv1", pix_fmt: str = "bgr0") -> Path:
    """A lossless file of numbered pictures of any size, odd ones too."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        for number in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(*size, number), format="bgr24")))
        container.mux(stream.encode())
    return path


def turn_video(path: Path, turned: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Copy an MP4 file with another display matrix (a, b, c, d), as phones write it."""
    data = path.read_bytes()
    place = data.index(b"tkhd") + 44
    a, b, c, d = (value << 16 for value in matrix)
    turned.write_bytes(data[:place] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[place + 36 :])
    return turned


@contextmanager
def web_server(folder: Path, port: int = 0) -> Iterator[str]:
    """The address of a web server on this machine that serves the files of a folder; port 0 takes a free one."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


class UdpSender:
    """Sends numbered pictures as MPEG-TS to a UDP port of this machine, in real time, until `stop`."""

    def __init__(self, size: tuple[int, int] = (64, 48), fps: int = 30) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.url = f"udp://127.0.0.1:{self._port}"
        self._size = size
        self._fps = fps
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(60)

    def __enter__(self) -> UdpSender:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _send(self) -> None:
        with av.open(f"{self.url}?pkt_size=1316", "w", format="mpegts") as container:
            options = {"preset": "ultrafast", "tune": "zerolatency", "g": "5"}
            stream = container.add_stream("libx264", rate=self._fps, options=options)
            stream.width, stream.height, stream.pix_fmt = *self._size, "yuv420p"
            start = time.perf_counter()
            number = 0
            while not self._stopping.wait(max(0.0, start + number / self._fps - time.perf_counter())):
                frame = av.VideoFrame.from_ndarray(picture(*self._size, number), format="bgr24")
                container.mux(stream.encode(frame))
                number += 1


def patch(color: tuple[int, int, int], width: int = 64, height: int = 48) -> Any:
    """A picture of one colour: (height, width, 3) uint8 BGR."""
    return np.full((height, width, 3), color, np.uint8)
