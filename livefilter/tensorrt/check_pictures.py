"""The pictures on which an FP16 network is compared with the float32 one."""

from __future__ import annotations

import importlib.resources

import cv2
import numpy as np

from livefilter.errors import BuildFailed
from livefilter.frame import Image

_PIXELS = 640 * 360


def check_size(width: int, height: int) -> tuple[int, int]:
    """Width and height with about the frame's proportions and at most about 640x360 pixels: a second on a CPU.

    Frames that are smaller keep their size; others get multiples of 32, which every generator accepts.
    """
    scale = (_PIXELS / (width * height)) ** 0.5
    if scale >= 1:
        return width, height
    return max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32)


def check_pictures(width: int, height: int) -> dict[str, Image]:
    """By name, (height, width, 3) uint8 BGR: a photo, the same in the dark, flat colours, and noise with hard edges.

    Raises: BuildFailed: the photo that comes with livefilter is gone.
    """
    photo = _photo(width, height)
    y, x = np.mgrid[0:height, 0:width]
    ramp = np.stack([x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), 255 - x * 255 // width], axis=2)
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3))
    edges = np.where(((x // 8 + y // 8) % 2 == 0)[..., None], noise, np.where(noise > 127, 255, 0))
    return {
        "photo": photo,
        "dark photo": (photo // 6).astype(np.uint8),
        "colour ramp": np.ascontiguousarray(ramp.astype(np.uint8)),
        "noise": np.ascontiguousarray(edges.astype(np.uint8)),
    }


def _photo(width: int, height: int) -> Image:
    path = importlib.resources.files("livefilter.capture") / "assets" / "demo.jpg"
    try:
        found = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except OSError as error:
        raise BuildFailed(f"The check picture {path} cannot be read: {error}. Reinstall livefilter.") from error
    if found is None:
        raise BuildFailed(f"The check picture {path} is damaged. Reinstall livefilter.")
    scale = max(width / found.shape[1], height / found.shape[0])
    size = (max(width, round(found.shape[1] * scale)), max(height, round(found.shape[0] * scale)))
    resized = cv2.resize(found, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(resized[top : top + height, left : left + width], dtype=np.uint8)
