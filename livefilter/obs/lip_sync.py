"""How late the picture of a recording is behind its sound: a film that flashes and beeps, found again in it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from livefilter.errors import InvalidInput

Floats: TypeAlias = NDArray[np.float64]
RATE = 48000
_TONE_HZ = 1000
_FLASH_S, _BEEP_S = 0.4, 0.1
# Never the same pause twice in a row, or a style that draws few pictures a second might keep step with it.
_PAUSES_S = (1.6, 2.1, 1.8, 2.3, 1.7, 2.0)
_FPS = 30
_FURTHEST_S = 0.9
_BLOCKS = 8
_LEAST_CONTRAST = 24.0
_STEP_S = 0.0025


def make_flash_video(path: Path, seconds: float = 120.0) -> None:
    """Write a film that flashes white and beeps at the same moments, every two seconds or so.

    path: ends in .mp4. Raises: FileExistsError, OSError, av.FFmpegError.
    """
    if path.exists():
        raise FileExistsError(str(path))
    moments = list(_moments(seconds))
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=_FPS, options={"preset": "veryfast"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        for number in range(round(_FPS * seconds)):
            bright = any(0 <= number / _FPS - at < _FLASH_S - 0.001 for at in moments)
            picture = av.VideoFrame.from_ndarray(np.full((360, 640), 235 if bright else 30, np.uint8), format="gray")
            picture.pts = number
            container.mux(video.encode(picture.reformat(format="yuv420p")))
        container.mux(video.encode())
        times = np.arange(round(RATE * seconds)) / RATE
        loud = np.zeros(len(times), bool)
        for at in moments:
            loud |= (times >= at) & (times < at + _BEEP_S)
        samples = (np.sin(2 * np.pi * _TONE_HZ * times) * loud * 0.8).astype(np.float32)
        for start in range(0, len(samples), 1024):
            tone = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
            tone.sample_rate, tone.pts, tone.time_base = RATE, start, Fraction(1, RATE)
            container.mux(audio.encode(tone))
        container.mux(audio.encode())


def read_lateness(path: Path) -> list[float]:
    """How long after each beep its flash is seen, in seconds; negative where the picture is first.

    Raises: InvalidInput: the file cannot be read, or holds no flashes or no beeps.
    """
    try:
        flashes, beeps = _flashes(path), _beeps(path)
    except (av.FFmpegError, OSError) as error:
        raise InvalidInput(f"{path.name} cannot be read: {error}.") from error
    if not flashes:
        raise InvalidInput("The recording shows no flashes. Show the film to the camera, larger or brighter.")
    if not beeps:
        raise InvalidInput("The recording holds no beeps. Play the film louder, near the microphone, and unmute it.")
    found = [min((flash - beep for flash in flashes), key=abs) for beep in beeps]
    return [each for each in found if abs(each) <= _FURTHEST_S]


def _moments(seconds: float) -> Iterator[float]:
    at, number = 1.0, 0
    while at < seconds - 1:
        yield round(at * _FPS) / _FPS
        at += _PAUSES_S[number % len(_PAUSES_S)]
        number += 1


def _flashes(path: Path) -> list[float]:
    """When the part of the picture that changes most turns bright, in seconds."""
    times: list[float] = []
    blocks: list[Floats] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            grey = frame.reformat(width=16 * _BLOCKS, height=16 * _BLOCKS, format="gray").to_ndarray()
            blocks.append(grey.reshape(_BLOCKS, 16, _BLOCKS, 16).mean(axis=(1, 3)).ravel())
            times.append(float(frame.time or 0.0))
    if not blocks:
        return []
    levels = np.array(blocks)
    low, high = np.percentile(levels, 10, axis=0), np.percentile(levels, 97, axis=0)
    best = int((high - low).argmax())
    if high[best] - low[best] < _LEAST_CONTRAST:
        return []
    return _risings(np.array(times), levels[:, best], (low[best] + high[best]) / 2, apart_s=0.8)


def _beeps(path: Path) -> list[float]:
    """When the tone begins, in seconds."""
    pieces: list[tuple[float, NDArray[np.float32]]] = []
    rate = RATE
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        resampler = av.AudioResampler("fltp", "mono", RATE)
        for decoded in container.decode(audio=0):
            for piece in resampler.resample(decoded):
                pieces.append((float(piece.time or 0.0), np.asarray(piece.to_ndarray(), np.float32)[0]))
    if not pieces:
        return []
    start = pieces[0][0]
    samples = np.concatenate([each for _, each in pieces])
    turning = samples * np.exp(-2j * np.pi * _TONE_HZ * np.arange(len(samples)) / rate)
    step = round(rate * _STEP_S)
    sums = np.add.reduceat(turning, np.arange(0, len(turning), step))
    strength: Floats = np.abs(np.convolve(sums, np.ones(2), "full")[: len(sums)]).astype(np.float64) / (2 * step)
    strongest = float(np.percentile(strength, 99))
    if strongest < 0.003 or strongest < 6 * float(np.median(strength)):
        return []
    times = np.asarray(start + np.arange(len(strength)) * _STEP_S, np.float64)
    return _risings(times, strength, strongest / 2, apart_s=0.8)


def _risings(times: Floats, values: Floats, threshold: float, apart_s: float) -> list[float]:
    """When values rise above a threshold, for the first time after a while."""
    found: list[float] = []
    above = values > threshold
    last = -apart_s
    for at, before, now in zip(times[1:], above[:-1], above[1:], strict=True):
        if now and not before and at - last >= apart_s:
            found.append(float(at))
        if now:
            last = float(at)
    return found
