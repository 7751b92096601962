"""What every test may use."""

from __future__ import annotations

import os
import signal
import sys
from fractions import Fraction
from pathlib import Path

# Before numpy and torch: on a busy machine threads that wait for each other make small networks ten times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2  # noqa: F401 - before PyAV, see livefilter.output

import av  # isort: skip
import hypothesis
import numpy as np
import pytest

from livefilter.frame import Frame, Image

# How long an example takes says something about the machine, not about the code.
hypothesis.settings.register_profile("livefilter", deadline=None)
hypothesis.settings.load_profile("livefilter")

# Bounds after which a run, a stream or a keyboard counts as stuck, where a busy machine only needs longer. Tests of a
# bound set their own.
PATIENCE: dict[str, dict[str, float]] = {
    "livefilter.bench.measure": {"_JOIN_TIMEOUT_S": 30.0},
    "livefilter.capture.stream": {"_OPEN_TIMEOUT_S": 30.0, "_READ_TIMEOUT_S": 15.0},
    "livefilter.control.global_keys": {"_START_TIMEOUT_S": 60.0},
    "livefilter.control.portal": {"_START_TIMEOUT_S": 60.0},
    "livefilter.control.trigger": {"CLOSE_TIMEOUT_S": 30.0},
    "livefilter.obs.client": {"CONNECT_TIMEOUT_S": 60.0, "REQUEST_TIMEOUT_S": 60.0},
    "livefilter.render.stages": {"_JOIN_TIMEOUT_S": 30.0},
}

pytest_plugins = ["tests.browser", "tests.control.keyboard", "tests.display"]


@pytest.fixture(scope="session", autouse=True)
def _signals_as_in_a_terminal() -> None:
    """Under nohup and behind a script some are ignored, and programs that tests start would ignore them, too."""
    for name, handler in (
        ("SIGINT", signal.default_int_handler),
        ("SIGTERM", signal.SIG_DFL),
        ("SIGHUP", signal.SIG_DFL),
    ):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time for a busy machine."""
    for name, bounds in PATIENCE.items():
        module = sys.modules.get(name)
        for bound, seconds in bounds.items() if module is not None else ():
            monkeypatch.setattr(module, bound, seconds)


@pytest.fixture(scope="session")
def clips() -> Path:
    """The folder of real video clips; the test is skipped where there is none."""
    named = os.environ.get("LIVEFILTER_CLIPS")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data" / "clips"
    if not folder.is_dir():
        pytest.skip("no real clips here: set LIVEFILTER_CLIPS to a folder of .mp4 files")
    return folder


def picture(width: int = 64, height: int = 48, number: int = 0) -> Image:
    """A colourful picture with a bright square whose place tells its number; (height, width, 3) uint8 BGR."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), np.full_like(x, 96)], axis=2)
    left = number * 4 % max(width - 8, 1)
    image[:8, left : left + 8] = 255
    return np.ascontiguousarray(image.astype(np.uint8))


def frame(width: int = 64, height: int = 48, number: int = 0, captured_at: float = 0.0) -> Frame:
    """A frame around `picture`."""
    return Frame(picture(width, height, number), number, captured_at)


def make_video(
    path: Path, width: int = 64, height: int = 48, fps: int = 30, seconds: float = 1.0, audio: bool = False
) -> Path:
    """Write an H.264 file of numbered pictures, with a 440 Hz AAC tone of the same length when `audio`."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "g": "10"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        sound = container.add_stream("aac", rate=48000, layout="mono") if audio else None
        for number in range(round(fps * seconds)):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture(width, height, number), format="bgr24")))
        container.mux(video.encode())
        if sound is not None:
            samples = np.sin(2 * np.pi * 440 * np.arange(round(48000 * seconds)) / 48000).astype(np.float32)
            for start in range(0, len(samples), 1024):
                tone = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
                tone.sample_rate, tone.pts, tone.time_base = 48000, start, Fraction(1, 48000)
                container.mux(sound.encode(tone))
            container.mux(sound.encode())
    return path
