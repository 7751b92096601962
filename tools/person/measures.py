"""How good a mask of people is: beside another one, from frame to frame, and in time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.frame import Image
from tools.quality.flicker import NOISE_SIGMA

Bits = npt.NDArray[np.bool_]
Find = Callable[[Image], Image]

# How far an edge may be from where it should be, as a share of the diagonal: Perazzi et al., DAVIS, 2016.
_TOLERANCE = 0.008
_WIDEST_LAG = 3
# Somebody moves when so much of the mask changes from frame to frame.
_MOVES = 0.004


def overlap(found: Bits, wanted: Bits) -> float:
    """Intersection over union; 1 where there is nobody in either."""
    either = np.count_nonzero(found | wanted)
    return float(np.count_nonzero(found & wanted) / either) if either else 1.0


def edge_score(found: Bits, wanted: Bits) -> float:
    """The F-score of the edges: how much of each has the other one near; 1 where neither has any."""
    edges = [_edge(mask) for mask in (found, wanted)]
    if not edges[0].any() and not edges[1].any():
        return 1.0
    reach = max(1, round(_TOLERANCE * float(np.hypot(*found.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near = [np.asarray(cv2.dilate(edge.astype(np.uint8), disc)) > 0 for edge in edges]
    precision, recall = (
        float(there[edge].mean()) if edge.any() else 0.0 for edge, there in zip(edges, near[::-1], strict=True)
    )
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def still_flicker(picture: Image, find: Find, frames: int = 6, seed: int = 0) -> float:
    """The share of pixels that change sides from frame to frame of a still scene, each with fresh camera noise."""
    random = np.random.default_rng(seed)
    masks = []
    for _ in range(frames):
        noise = random.normal(0.0, NOISE_SIGMA, picture.shape)
        masks.append(find(np.asarray(np.rint(np.clip(picture + noise, 0, 255)), np.uint8)) > 127)
    return float(np.mean([np.mean(one != other) for one, other in itertools.pairwise(masks)]))


def lag(frames: Sequence[Image], masks: Sequence[Image]) -> tuple[int, dict[int, float]] | None:
    """By how many frames the mask's edges come after the picture's; and the correlation for each number of frames.

    What changes from frame to frame in the mask is compared with what changes in the picture.
    Returns: None where nobody moves.
    """
    pictures = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32) for frame in frames]
    in_pictures = [np.abs(after - before) for before, after in itertools.pairwise(pictures)]
    in_masks = [np.abs(after.astype(np.float32) - before) for before, after in itertools.pairwise(masks)]
    if np.mean(in_masks) < 255 * _MOVES:
        return None
    found = {}
    for late in range(-_WIDEST_LAG, _WIDEST_LAG + 1):
        pairs = [(at, at - late) for at in range(_WIDEST_LAG, len(in_masks) - _WIDEST_LAG)]
        found[late] = float(np.mean([_alike(in_masks[one], in_pictures[other]) for one, other in pairs]))
    return max(found, key=lambda late: found[late]), found


def _alike(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Correlation of two pictures of changes, smoothed a little; 0 where one does not change."""
    soft = [np.asarray(cv2.GaussianBlur(each, (0, 0), 2.0), np.float32) for each in (one, other)]
    spread = float(soft[0].std() * soft[1].std())
    return float(((soft[0] - soft[0].mean()) * (soft[1] - soft[1].mean())).mean()) / spread if spread else 0.0


def _edge(mask: Bits) -> Bits:
    """The pixels of a mask that touch what is not in it, but for those at the picture's sides."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return mask & (np.asarray(inner) == 0)
