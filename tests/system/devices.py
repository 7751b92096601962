"""The guest's webcam and virtual cameras."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image
from tests.system.waiting import until

CAMERA, OUTPUT, SECOND = "/dev/video0", "/dev/video10", "/dev/video11"
SIZE = (320, 180)  # vivid's smallest mode; an emulated processor keeps up with it
_VIVID = Path("/sys/bus/platform/drivers/vivid")


def load_drivers() -> None:
    """Load the webcam and two virtual cameras anew, so that no test sees what another one left."""
    for module in ("vivid", "v4l2loopback"):
        subprocess.run(["modprobe", "-r", module], check=True)
    # A webcam alone: no tuner, no output, no radio.
    subprocess.run(["modprobe", "vivid", "n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0x0"], check=True)
    numbers = ",".join(path.removeprefix("/dev/video") for path in (OUTPUT, SECOND))
    labels = ("exclusive_caps=1,1", "card_label=livefilter,Second")
    subprocess.run(["modprobe", "v4l2loopback", "devices=2", f"video_nr={numbers}", *labels], check=True)
    for path in (CAMERA, OUTPUT, SECOND):
        until(Path(path).exists, f"device {path}")


def unplug() -> None:
    """Take the webcam away while it may be in use, as pulling a cable does."""
    (_VIVID / "unbind").write_text("vivid.0")
    until(lambda: not Path(CAMERA).exists(), "webcam gone")


def plug_in() -> None:
    """Bring the webcam back."""
    (_VIVID / "bind").write_text("vivid.0")
    until(Path(CAMERA).exists, "webcam back")


def picture_of_camera(size: tuple[int, int] = SIZE) -> Image:
    """One raw frame of the webcam: eight bars of colour under a running clock in white letters."""
    capture = cv2.VideoCapture(CAMERA, cv2.CAP_V4L2)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    try:
        for _ in range(5):
            ok, image = capture.read()
            if ok and image.shape[:2] == size[::-1]:
                return np.asarray(image, np.uint8)
    finally:
        capture.release()
    raise AssertionError(f"{CAMERA} gave no picture of {size[0]}x{size[1]}")


def is_capture_device(path: str) -> bool:
    """Whether programs see a camera there now; with exclusive_caps=1 only while somebody feeds it."""
    info = subprocess.run(["v4l2-ctl", "-d", path, "--info"], capture_output=True, text=True, check=False).stdout
    return "Video Capture" in info.partition("Device Caps")[2]
