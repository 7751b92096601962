"""Where people are: a network's coarse mask, refined by the picture, and pictures put together by it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from livefilter.frame import Image

_RADIUS, _EPSILON = 4, 0.001
# Finer than this the coarse mask costs time and tells nothing that the picture does not.
_WIDEST = 320
# Where the refined mask begins and ends: a network is never quite sure, and what is nearly nobody is nobody.
_NOBODY, _SOMEBODY = 0.15, 0.85
# A person that fills less than this share of the picture is none; what is so small may as well be noise.
_LEAST = 0.002


def refined(coarse: Image, image: Image) -> Image:
    """The mask at the picture's size, with edges where the picture has them.

    coarse: (h, w) uint8, 255 where a person is. image: (H, W, 3) uint8 BGR, what it was found in.
    Returns: (H, W) uint8, locally a straight line over brightness: He and Sun, Fast Guided Filter, 2015.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _WIDEST / max(coarse.shape))
    size = (max(1, round(coarse.shape[1] * scale)), max(1, round(coarse.shape[0] * scale)))
    grey: Any = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    guide: Any = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32) * (1 / 255)
    mask: Any = cv2.resize(coarse, size, interpolation=cv2.INTER_AREA).astype(np.float32) * (1 / 255)
    box = (2 * _RADIUS + 1, 2 * _RADIUS + 1)
    mean_guide: Any = cv2.blur(guide, box)
    mean_mask: Any = cv2.blur(mask, box)
    variance: Any = cv2.blur(guide * guide, box) - mean_guide * mean_guide
    slope: Any = (cv2.blur(guide * mask, box) - mean_guide * mean_mask) / (variance + _EPSILON)
    offset: Any = cv2.blur(mean_mask - slope * mean_guide, box)
    gain = 1 / (_SOMEBODY - _NOBODY)
    # Brightness counts from 0 to 255 here, as the result does.
    slope, offset = cv2.blur(slope, box) * gain, (offset - _NOBODY) * (255 * gain)
    large: Any = cv2.resize(slope, (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.multiply(large, grey, dst=large, dtype=cv2.CV_32F)
    shift = cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(large, shift, dtype=cv2.CV_8U), np.uint8)  # which cuts off below 0 and above 255


def nobody(coarse: Image) -> bool:
    """Whether a mask shows no person."""
    return bool(np.count_nonzero(coarse > 127) < _LEAST * coarse.size)


def together(person: Image, room: Image, mask: Image) -> Image:
    """Two pictures as one; a new array. Only the seam is calculated, everything else is copied.

    person, room: (H, W, 3) uint8 BGR. mask: (H, W) uint8, 255 where the person is shown.
    """
    image = room.copy()
    cv2.copyTo(person, (mask == 255).astype(np.uint8), image)
    seam = np.flatnonzero(mask - np.uint8(1) < 254)  # neither 0, which wraps around, nor 255
    share = mask.reshape(-1)[seam].astype(np.uint16)[:, None]
    inner = person.reshape(-1, 3)[seam] * share + room.reshape(-1, 3)[seam] * (255 - share)
    image.reshape(-1, 3)[seam] = (inner + np.uint16(127)) // np.uint16(255)
    return image


def cut_out(person: Image, mask: Image) -> Image:
    """The person alone: (H, W, 4) uint8 BGRA, straight alpha, black where nobody is; a new array."""
    # What is cut away may not stay below a transparent pixel, where an editor would find it.
    alone = cv2.copyTo(person, mask, np.zeros_like(person))
    image = np.asarray(cv2.cvtColor(alone, cv2.COLOR_BGR2BGRA), np.uint8)
    image[:, :, 3] = mask
    return image
