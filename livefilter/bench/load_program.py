"""One program that takes a machine's time: `python -m livefilter.bench.load_program hog 0.6`, `memory` or `x264`.

It runs at normal priority until its standard input is closed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

# How often a hog works and rests: as long as a few frames of a game.
_PERIOD_S = 0.1
# Larger than any cache.
_MEMORY_BYTES = 256 * 2**20
_X264_SIZE, _X264_FPS, _X264_PICTURES = (1920, 1080), 30, 15


def hog(duty: float) -> None:
    """Keep one core busy for a part of every tenth of a second, for ever."""
    begun = time.perf_counter()
    while True:
        while time.perf_counter() - begun < duty * _PERIOD_S:
            pass
        begun += _PERIOD_S
        time.sleep(max(0.0, begun - time.perf_counter()))
        begun = max(begun, time.perf_counter() - _PERIOD_S)  # what it could not get is not made up for


def memory() -> None:
    """Copy 256 MB to and fro, for ever."""
    here = np.ones(_MEMORY_BYTES // 8)
    there = np.empty_like(here)
    while True:
        np.copyto(there, here)
        np.copyto(here, there)


def x264() -> None:
    """Encode 1080p at 30 frames a second with x264 at "veryfast", as OBS does, for ever."""
    import av

    width, height = _X264_SIZE
    output = av.open(os.devnull, "w", format="null")
    stream = output.add_stream("libx264", rate=_X264_FPS, options={"preset": "veryfast", "tune": "zerolatency"})
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    pictures = [av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p") for image in _pictures()]
    begun, number = time.perf_counter(), 0
    while True:
        picture = pictures[number % len(pictures)]
        picture.pts = number
        for packet in stream.encode(picture):
            output.mux(packet)
        number += 1
        behind_s = time.perf_counter() - begun - number / _X264_FPS
        if behind_s < 0:
            time.sleep(-behind_s)
        else:
            begun += behind_s  # an encoder that is late drops frames; it does not hurry


def _pictures() -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """A coarse random picture that moves by eight pixels a frame, with noise on it as games and cameras have."""
    width, height = _X264_SIZE
    chance = np.random.default_rng(7)
    coarse = chance.integers(0, 256, (height // 24, width // 24, 3), np.uint8)
    scene = np.kron(coarse, np.ones((24, 24, 1), np.uint8))
    noise = chance.integers(0, 12, scene.shape, np.uint8)
    return [
        np.asarray(np.roll(scene, 8 * number, axis=1) // 2 + np.roll(noise, 31 * number, axis=0))
        for number in range(_X264_PICTURES)
    ]


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Run one program of the load for ever."""
    programs: dict[str, Callable[[], None]] = {"memory": memory, "x264": x264}
    threading.Thread(target=_end_with_input, daemon=True).start()
    if arguments[0] == "hog":
        hog(float(arguments[1]))
    programs[arguments[0]]()


if __name__ == "__main__":
    main(sys.argv[1:])
