"""How much a style changes from frame to frame where the scene does not."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.frame import Image
from livefilter.inference.steady import Steady

Flow = npt.NDArray[np.float32]

NOISE_SIGMA = 4.0
_SETTLED = 8  # frames after which steadying has settled


def optical_flows(frames: Sequence[Image]) -> list[Flow]:
    """Where each pixel of a frame was in the frame before: one (H, W, 2) of (x, y) pixels for each frame but the first.

    Dense inverse search (Kroeger et al. 2016), OpenCV's medium preset.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames]
    height, width = grey[0].shape
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2)
    found = []
    for before, after in itertools.pairwise(grey):
        moved = search.calc(after, before, np.zeros((height, width, 2), np.float32))
        found.append(np.asarray(pixels + moved, np.float32))
    return found


def warped_difference(frames: Sequence[Image], flows: Sequence[Flow]) -> float:
    """Mean absolute difference, in grey levels, of each frame and the one before it, moved along the flow.

    Pixels that came from outside of the frame do not count.
    """
    differences = []
    for (before, after), flow in zip(itertools.pairwise(frames), flows, strict=True):
        height, width = after.shape[:2]
        x, y = (np.ascontiguousarray(part) for part in (flow[..., 0], flow[..., 1]))
        inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        moved = cv2.remap(before.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        differences.append(float(np.abs(moved - after)[inside].mean()))
    return float(np.mean(differences))


def steadied(frames: Sequence[Image], drawn: Sequence[Image]) -> list[Image]:
    """Drawings of frames in a row as a live run at 30 frames a second shows them."""
    steady = Steady()
    return [
        steady(seen, drawing, 1.0, at / 30).copy() for at, (seen, drawing) in enumerate(zip(frames, drawn, strict=True))
    ]


def noise_difference(
    pictures: Sequence[Image], draw: Callable[[Image], Image], seed: int = 0, *, live: bool = False
) -> float:
    """Mean absolute difference, in grey levels, of two drawings of one still scene, each with fresh camera noise.

    live: the last two of some in a row, as a live run shows them.
    """
    random = np.random.default_rng(seed)
    differences = []
    for picture in pictures:
        seen = [_noisy(picture, random) for _ in range(_SETTLED if live else 2)]
        drawn = [draw(frame) for frame in seen]
        first, second = (steadied(seen, drawn) if live else drawn)[-2:]
        differences.append(float(np.abs(first.astype(np.float32) - second).mean()))
    return float(np.mean(differences))


def _noisy(picture: Image, random: np.random.Generator) -> Image:
    noise = random.normal(0.0, NOISE_SIGMA, picture.shape)
    return np.asarray(np.rint(np.clip(picture + noise, 0.0, 255.0)), np.uint8)
