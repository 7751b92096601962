"""Programs that watch the virtual camera, and what each of them saw."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image
from tests.system.pictures import from_yuv

LIMIT_S = 240
_TRIES = 6
_DRIVER_FAULTS = ("ioctl(VIDIOC_DQBUF): Invalid argument", "Failed to allocate a buffer")


@dataclass
class Seen:
    """What a client saw: its frames as BGR, and their rate by the client's own clock."""

    client: str
    frames: list[Image]
    fps: float

    def __str__(self) -> str:
        height, width = self.frames[0].shape[:2]
        return f"{self.client}: {len(self.frames)} frames of {width}x{height}, {self.fps:.1f} fps"


def v4l2_ctl(device: str, frames: int, folder: Path) -> Seen:
    """Watch with v4l2-ctl, in the format that the device has."""
    said = _run(["v4l2-ctl", "-d", device, "--get-fmt-video"])
    found = re.search(r"Width/Height\s*: (\d+)/(\d+)\s*Pixel Format\s*: '(\w+)'", said)
    assert found, said
    width, height, kind = int(found[1]), int(found[2]), found[3]
    raw = folder / "frames.yuv"
    said = _run(
        ["v4l2-ctl", "-d", device, "--stream-mmap", f"--stream-count={frames}", f"--stream-to={raw}", "--verbose"]
    )
    data = raw.read_bytes()
    length = len(data) // frames
    pictures = [from_yuv(data[at : at + length], width, height, kind) for at in range(0, len(data), length)]
    return Seen(f"v4l2-ctl ({kind})", pictures, _rate([float(at) for at in re.findall(r" ts: ([\d.]+)", said)]))


def ffmpeg(device: str, frames: int, folder: Path) -> Seen:
    """Watch with FFmpeg's v4l2 input."""
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-f", "v4l2", "-i", device, "-frames:v", str(frames)]
    said = _run([*command, "-vf", "showinfo", "-fps_mode", "passthrough", str(folder / "%03d.png")])
    pictures = _pictures(folder)
    assert len(pictures) == frames, f"ffmpeg kept {len(pictures)} of {frames} frames: {said[-4000:]}"
    return Seen("ffmpeg", pictures, _rate([float(at) for at in re.findall(r"pts_time:([\d.]+)", said)]))


def gstreamer(device: str, frames: int, folder: Path) -> Seen:
    """Watch with GStreamer's v4l2src."""
    source = f"v4l2src device={device} num-buffers={frames} ! identity silent=false"
    said = _run(
        f"gst-launch-1.0 -v {source} ! videoconvert ! pngenc ! multifilesink location={folder}/%03d.png".split()
    )
    clock = re.findall(r"pts: (\d+):(\d+):([\d.]+)", said)
    return Seen("GStreamer", _pictures(folder), _rate([int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in clock]))


CLIENTS: dict[str, Callable[[str, int, Path], Seen]] = {
    "v4l2-ctl": v4l2_ctl,
    "ffmpeg": ffmpeg,
    "gst-launch-1.0": gstreamer,
}


def watch_together(device: str, frames: int, folder: Path) -> list[Seen]:
    """Let every client that is installed watch one device at the same time; tells what each saw and what is missing."""
    here = [name for name in CLIENTS if shutil.which(name)]
    for name in CLIENTS.keys() - here:
        tell(f"{name} is not installed, so it did not watch")
    with ThreadPoolExecutor(len(here)) as pool:
        watching = [pool.submit(_watch, name, device, frames, folder) for name in here]
        seen = [done.result(2 * LIMIT_S) for done in watching]
    for one in seen:
        tell(str(one))
    return seen


def tell(line: str) -> None:
    """Write a figure into the log."""
    sys.stdout.write(f"\n  | {line}")
    sys.stdout.flush()


def _watch(name: str, device: str, frames: int, folder: Path) -> Seen:
    """Let a client watch; anew when v4l2loopback broke it off because another one came or went at that very moment.

    `MappedBuffers` tells why. On one CPU, where a client can wait long for its turn, it cannot prevent all of it.
    """
    for attempt in range(_TRIES):
        try:
            return CLIENTS[name](device, frames, _made(folder / f"{name}-{attempt}"))
        except AssertionError as error:
            if not any(fault in str(error) for fault in _DRIVER_FAULTS):
                raise
            tell(f"{name} was broken off by the driver")
    raise AssertionError(f"{name} was broken off by the driver {_TRIES} times")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {said[-800:]}"
    return said


def _pictures(folder: Path) -> list[Image]:
    return [np.asarray(cv2.imread(str(path)), np.uint8) for path in sorted(folder.glob("*.png"))]


def _rate(times: Sequence[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
