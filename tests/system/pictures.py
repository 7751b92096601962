"""What the virtual camera should show, and how far a picture is from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from livefilter.frame import Image

# Colour goes to 4:2:0 and back, and each program has its own rounding; edges between bars blur.
CLOSE = 12.0
FAR = 30.0
_FROM: dict[str, tuple[Callable[[int, int], tuple[int, ...]], int]] = {
    "YU12": (lambda width, height: (height * 3 // 2, width), cv2.COLOR_YUV2BGR_I420),
    "NV12": (lambda width, height: (height * 3 // 2, width), cv2.COLOR_YUV2BGR_NV12),
    "YUYV": (lambda width, height: (height, width, 2), cv2.COLOR_YUV2BGR_YUYV),
    "UYVY": (lambda width, height: (height, width, 2), cv2.COLOR_YUV2BGR_UYVY),
}


def distance(one: Image, other: Image) -> float:
    """Mean absolute difference of the lower halves in grey levels, as the clock runs in the upper one."""
    assert one.shape == other.shape, f"{one.shape[1]}x{one.shape[0]} is not {other.shape[1]}x{other.shape[0]}"
    half = one.shape[0] // 2
    return float(np.abs(one[half:].astype(int) - other[half:]).mean())


def worst_bar(one: Image, other: Image) -> float:
    """The largest difference between the same two colour bars, in grey levels of one channel."""
    height, width = one.shape[:2]
    bar = width / 8
    spots = [
        (slice(height * 6 // 10, height * 9 // 10), slice(round((n + 0.3) * bar), round((n + 0.7) * bar)))
        for n in range(8)
    ]
    return max(float(np.abs(one[spot].mean((0, 1)) - other[spot].mean((0, 1))).max()) for spot in spots)


def moves(frames: Sequence[Image]) -> bool:
    """Whether the clock in the upper half is seen running."""
    half = frames[0].shape[0] // 2
    return any(np.abs(frame[:half].astype(int) - frames[0][:half]).mean() > 0.1 for frame in frames[1:])


def from_yuv(data: bytes, width: int, height: int, kind: str) -> Image:
    """One picture as V4L2 has it, as BGR; kind: V4L2's four letters."""
    shape, code = _FROM[kind]
    return np.asarray(cv2.cvtColor(np.frombuffer(data, np.uint8).reshape(shape(width, height)), code), np.uint8)
