"""What the judge sees in training: crops of any size and quality, alike for drawings and photos."""

from __future__ import annotations

import cv2
import numpy as np

from livefilter.frame import Image

SMALL, LARGE = 96, 192  # sides of a crop
# Anime busts are 256 px, photos larger: whatever is larger is shrunk to this first, so that sharpness tells nothing.
LARGEST = {"faces": 256, "scenes": 480}
_SHOWN = {"faces": (130, 380), "scenes": (180, 480)}
_METHODS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)


def shrunk(picture: Image, longest: int) -> Image:
    """Shrink so that the longest side is `longest` at most."""
    factor = longest / max(picture.shape[:2])
    if factor >= 1.0:
        return picture
    size = [max(1, round(side * factor)) for side in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def as_jpeg(picture: Image, quality: int) -> Image:
    """What JPEG leaves of a picture."""
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def view(picture: Image, kind: str, side: int, random: np.random.Generator) -> Image:
    """One (side, side, 3) uint8 BGR crop, changed by chance.

    Nothing here looks at whether the picture is drawn: size, blur, sharpness, noise, few tones, JPEG, colours and
    flips are drawn from the same lots for both classes.
    """
    low, high = _SHOWN[kind]
    factor = max(random.uniform(low, high) / max(picture.shape[:2]), side / min(picture.shape[:2]))
    size = [max(side, round(edge * factor)) for edge in picture.shape[1::-1]]
    scaled = cv2.resize(picture, size, interpolation=int(random.choice(_METHODS)))
    top, left = (random.integers(edge - side + 1) for edge in scaled.shape[:2])
    crop = np.asarray(scaled[top : top + side, left : left + side], np.uint8)
    if random.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
    return _degraded(_coloured(crop, random), random)


def _coloured(crop: Image, random: np.random.Generator) -> Image:
    if random.random() < 0.15:
        return np.asarray(cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
    hsv = cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)
    levels = np.arange(256, dtype=np.float32)
    hue = np.asarray((levels + random.uniform(-9.0, 9.0)) % 180, np.uint8)
    rich = np.asarray(np.clip(levels * random.uniform(0.4, 1.7), 0, 255), np.uint8)
    light = 255.0 * (levels / 255.0) ** random.uniform(0.6, 1.6)
    light = 128.0 + (light - 128.0) * random.uniform(0.7, 1.3)
    value = np.asarray(np.clip(light, 0, 255), np.uint8)
    changed = cv2.merge([cv2.LUT(part, table) for part, table in zip(cv2.split(hsv), (hue, rich, value), strict=True)])
    return np.asarray(cv2.cvtColor(changed, cv2.COLOR_HSV2BGR), np.uint8)


def _degraded(crop: Image, random: np.random.Generator) -> Image:
    if random.random() < 0.12:  # few tones
        tones = random.integers(5, 20)
        crop = np.asarray(np.rint(np.rint(np.arange(256) / 255.0 * tones) / tones * 255.0), np.uint8)[crop]
    chance = random.random()
    if chance < 0.35:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), random.uniform(0.4, 1.8)), np.uint8)
    elif chance < 0.6:
        amount = random.uniform(0.3, 1.5)
        crop = np.asarray(cv2.addWeighted(crop, 1 + amount, cv2.GaussianBlur(crop, (0, 0), 1.2), -amount, 0), np.uint8)
    if random.random() < 0.3:
        noise = random.standard_normal(crop.shape, dtype=np.float32) * random.uniform(1.0, 8.0)
        crop = np.asarray(np.clip(crop + noise, 0, 255), np.uint8)
    return as_jpeg(crop, int(random.integers(40, 96)))
