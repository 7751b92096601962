"""Videos that flash and beep at the same moments, and where they do so after a journey."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from livefilter.capture.base import SourceOptions
from livefilter.capture.video_file import VideoFileSource
from livefilter.frame import Frame

RATE = 48000
FLASH_FRAMES = 3


def make_sync_video(
    path: Path, seconds: float = 3.0, fps: int = 30, sound: str = "aac", gap_s: float = 0.0, b_frames: int = 0
) -> Path:
    """Write a video that is dark and silent but for a flash and a 1 kHz beep of 0.1 s in the middle of each second.

    gap_s: a pause in the picture's time stamps after the first second and a half, so that its rate varies.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "bf": str(b_frames)})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        audio = cast(AudioStream, container.add_stream(sound, rate=RATE, layout="mono"))
        for number in range(round(fps * seconds)):
            at = number / fps
            if 1.5 + FLASH_FRAMES / fps < at < 1.5 + gap_s:
                continue
            level = 235 if 0 <= at % 1 - 0.5 < FLASH_FRAMES / fps - 0.001 else 20
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="bgr24")
            picture.pts, picture.time_base = round(at * 1000), Fraction(1, 1000)
            container.mux(video.encode(picture))
        container.mux(video.encode())
        times = np.arange(round(RATE * seconds)) / RATE
        beep = np.sin(2 * np.pi * 1000 * times) * ((times % 1 >= 0.5) & (times % 1 < 0.6)) * 0.8
        samples = beep.astype(np.float32)
        for start in range(0, len(samples), 1024):
            tone = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
            tone.sample_rate, tone.pts, tone.time_base = RATE, start, Fraction(1, RATE)
            container.mux(audio.encode(tone))
        container.mux(audio.encode())
    return path


def frames_of(path: Path, loop: bool = False) -> list[Frame]:
    """Every frame of a video file; two turns of it with `loop`."""
    count = len(picture_times(path)) * (2 if loop else 1)
    frames = []
    with VideoFileSource(str(path), SourceOptions(loop=loop)) as source:
        for _ in range(count):
            given = source.read()
            frames.append(Frame(given.image, given.number, given.media_s or 0.0, given.media_s))
    return frames


def picture_times(path: Path) -> list[float]:
    """When each picture of a video is shown, in seconds."""
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def flashes(path: Path) -> list[float]:
    """When the picture turns bright, in seconds."""
    found: list[float] = []
    bright = False
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            now = bool(frame.to_ndarray(format="gray").mean() > 128)
            if now and not bright:
                found.append(float(frame.time))
            bright = now
    return found


def beeps(path: Path) -> list[float]:
    """When the sound turns loud, in seconds."""
    pieces: list[tuple[float, NDArray[np.float32]]] = []
    rate = RATE
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            rate = frame.sample_rate
            pieces.append((float(frame.time or 0.0), np.asarray(frame.to_ndarray(), np.float32)[0]))
    loud = np.concatenate([start + np.flatnonzero(np.abs(samples) > 0.2) / rate for start, samples in pieces])
    loud.sort()
    return [float(at) for at, gap in zip(loud, np.diff(loud, prepend=-1.0), strict=True) if gap > 0.2]
