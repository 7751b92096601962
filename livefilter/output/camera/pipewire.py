"""A camera for PipeWire's clients, without a kernel module: browsers and OBS on modern Linux desktops find it."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from livefilter.errors import InvalidInput, SinkLost, SinkUnavailable
from livefilter.frame import Frame, Image
from livefilter.mailbox import Mailbox, MailboxClosed
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.camera.driver import distribution
from livefilter.output.camera.yuv import YuvEncoder

_log = logging.getLogger(__name__)

DEFAULT_NAME = "livefilter"
# A launch that cannot work says so within this time.
_STARTS_WITHIN_S = 1.0
_ENDS_WITHIN_S = 2.0
_DEBIAN = "sudo apt install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-pipewire"
_FEDORA = "sudo dnf install gstreamer1 gstreamer1-plugins-base pipewire-gstreamer"
_INSTALL = {
    "debian": _DEBIAN,
    "ubuntu": _DEBIAN,
    "fedora": _FEDORA,
    "rhel": _FEDORA,
    "arch": "sudo pacman -S gstreamer gst-plugins-base gst-plugin-pipewire",
    "suse": "sudo zypper install gstreamer gstreamer-plugins-base gstreamer-plugin-pipewire",
    "opensuse": "sudo zypper install gstreamer gstreamer-plugins-base gstreamer-plugin-pipewire",
}


class PipeWireSink(Sink):
    """Provides a PipeWire video source through the program gst-launch-1.0, which is fed NV12 on a pipe.

    A thread of its own converts and writes, the newest frame wins: the program reads only as fast as it can.
    target: the name that other programs show; "" for "livefilter".
    Raises: InvalidInput: a name that cannot be said to GStreamer. SinkUnavailable: a program or PipeWire is missing.
    """

    comes_back = True

    def __init__(self, target: str, options: SinkOptions) -> None:
        shown = target or DEFAULT_NAME
        if not shown.replace("-", "").replace("_", "").replace(" ", "").isalnum():
            raise InvalidInput(f"A PipeWire camera cannot be called {shown!r}: use letters, digits, spaces, - and _.")
        missing = self.unavailable()
        if missing is not None:
            raise SinkUnavailable(missing)
        self.name = f"PipeWire camera {shown!r}"
        self._size = (options.width, options.height)
        self._even = (options.width + options.width % 2, options.height + options.height % 2)
        self._encode = YuvEncoder("NV12", *self._even)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as the program runs
        self._process = subprocess.Popen(
            _command(shown, *self._even, options.fps or 30.0),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C is for this program, which ends that one
        )
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STARTS_WITHIN_S)
            raise SinkUnavailable(f"{self.name} cannot be provided: {self._last_words()}.")
        self._frames: Mailbox[Frame] = Mailbox()
        self._thread = threading.Thread(target=self._write, name="pipewire", daemon=True)
        self._thread.start()

    def send(self, frame: Frame) -> None:
        """Hand over in place of whatever was not written yet; never waits.

        Raises: SinkLost: the program has ended; InvalidInput: a frame of another size.
        """
        if (frame.width, frame.height) != self._size:
            raise InvalidInput(f"A frame of {frame.width}x{frame.height} cannot go to {self.name} of {self._size}.")
        if self._process.poll() is not None:
            raise SinkLost(f"{self.name} has ended: {self._last_words()}. Start livefilter again.")
        try:
            self._frames.put(frame)
        except MailboxClosed as error:
            raise SinkLost(f"{self.name} is closed, so it takes no more frames. Open it again.") from error

    def close(self) -> None:
        """End the program; clients see the camera vanish. Can be called twice."""
        self._frames.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:  # GStreamer waits for ever for a client that hangs
                self._process.kill()
                self._process.wait()
        self._thread.join(_ENDS_WITHIN_S)
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        self._said.close()

    @classmethod
    def unavailable(cls) -> str | None:
        """Why there is no PipeWire camera here, with the command that gets it; None when there can be one."""
        if not sys.platform.startswith("linux"):
            return "No PipeWire camera: PipeWire is a part of Linux desktops. Use --output camera."
        known = distribution(Path("/etc/os-release"), _INSTALL)
        install = f"Install it with: {_INSTALL[known]}" if known else "Install GStreamer and its PipeWire plugin."
        inspect = shutil.which("gst-inspect-1.0")
        if inspect is None or shutil.which("gst-launch-1.0") is None:
            return f"No PipeWire camera: there is no gst-launch-1.0. {install}"
        for element in ("pipewiresink", "rawvideoparse"):
            if subprocess.run([inspect, element], capture_output=True, check=False).returncode != 0:
                return f"No PipeWire camera: GStreamer has no {element}. {install}"
        folder = (
            os.environ.get("PIPEWIRE_RUNTIME_DIR") or os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
        )
        socket = Path(folder) / os.environ.get("PIPEWIRE_REMOTE", "pipewire-0")
        if not socket.exists():
            return f"No PipeWire camera: no {socket}. Start PipeWire with: systemctl --user start pipewire wireplumber"
        return None

    def _write(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # it was asked for
        with suppress(MailboxClosed, OSError):  # OSError: the program ended, which `send` tells
            while True:
                frame = self._frames.get()
                if frame is not None:
                    pipe.write(np.ascontiguousarray(self._converted(frame.image)).data)
                    pipe.flush()

    def _converted(self, image: Image) -> Image:
        if self._size != self._even:
            down, right = self._even[1] - self._size[1], self._even[0] - self._size[0]
            image = np.asarray(cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        return self._encode(image)

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        errors = [line for line in lines if "ERROR" in line] or lines
        return errors[-1].strip().rstrip(".") if errors else f"it ended with {self._process.returncode}"


def _command(shown: str, width: int, height: int, fps: float) -> list[str]:
    described = f"media.class=Video/Source,media.role=Camera,node.name={shown},node.description={shown}"
    return [
        "gst-launch-1.0", "-q",
        "fdsrc", "fd=0", f"blocksize={width * height * 3 // 2}", "do-timestamp=true", "!",
        "rawvideoparse", f"width={width}", f"height={height}", "format=nv12", f"framerate={round(fps * 1000)}/1000",
        "colorimetry=bt601", "!",
        # Without this, pipewiresink 0.3 offers its buffers before they have memory, and crashes at the first client.
        "identity", "drop-allocation=true", "!",
        "pipewiresink", "mode=provide", "sync=false", f"client-name={shown}", f'stream-properties="props,{described}"',
    ]  # fmt: skip
