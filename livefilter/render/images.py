"""Pictures as files."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from livefilter.errors import InvalidInput

# Ending -> Pillow's name of the format.
_FORMATS = {
    ".avif": "AVIF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".jfif": "JPEG",
    ".jpe": "JPEG",
    ".jpeg": "JPEG",
    ".jpg": "JPEG",
    ".png": "PNG",
    ".tga": "TGA",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
IMAGE_SUFFIXES = tuple(_FORMATS)
ANIMATED_SUFFIXES = (".webp", ".png", ".gif", ".avif")
PAGED_SUFFIXES = (".tif", ".tiff")
_WITHOUT_ALPHA = ("BMP", "JPEG")
_WEB = ("GIF", "PNG", "WEBP")
_SETTINGS: dict[str, dict[str, Any]] = {
    "AVIF": {"quality": 90, "speed": 8},
    "JPEG": {"quality": 95},
    "PNG": {"compress_level": 3},  # a quarter of the default's time for a few percent more bytes
    "TIFF": {"compression": "tiff_lzw"},
    "WEBP": {"quality": 95},
}
_UNTAGGED = ("BMP", "GIF", "TGA")
_FILL_SIDE = 1024
# Where the date stands in an ICC profile: ICC.1:2022, 7.2.
_PROFILE_MADE = slice(24, 36)


def keeps_alpha(kind: str, target: Path) -> bool:
    """Whether transparency stays by default: within one format, and among those that the web shows.

    kind: Pillow's name of what is read. Extra channels of other formats are as often masks as transparency, and what
    is opened next may not know them.
    """
    made = _FORMATS[target.suffix.lower()]
    return made not in _WITHOUT_ALPHA and (made == kind or (made in _WEB and kind in _WEB))


def holds_alpha(target: Path) -> bool:
    """Whether a file of this ending can hold transparency."""
    return _FORMATS[target.suffix.lower()] not in _WITHOUT_ALPHA


def encode_images(images: Sequence[NDArray[np.uint8]], durations_s: Sequence[float], target: Path) -> bytes:
    """The bytes of a picture file of the kind that the target's ending names, tagged as sRGB where it can be.

    images: (H, W, 3) BGR or (H, W, 4) BGRA uint8; several are an animation, or pages of a TIFF.
    durations_s: seconds for which each is shown in an animation.
    Raises: InvalidInput: a picture of this size, or several of them, do not go into such a file.
    """
    kind = _FORMATS[target.suffix.lower()]
    settings = dict(_SETTINGS.get(kind, {}))
    if kind not in _UNTAGGED:
        settings["icc_profile"] = _srgb()
    made = [_pillow(image) for image in images]
    if len(made) > 1:
        settings |= {"save_all": True, "append_images": made[1:]}
        if kind != "TIFF":
            settings |= {"duration": [round(seconds * 1000) for seconds in durations_s], "loop": 0}
            settings |= {"disposal": 2} if kind == "GIF" else {}
        if kind == "AVIF":
            del settings["loop"]
    file = io.BytesIO()
    try:
        made[0].save(file, kind, **settings)
    except (OSError, ValueError, RuntimeError, MemoryError, SystemError) as error:
        height, width = images[0].shape[:2]
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InvalidInput(f"Cannot write {target}: {width}x{height} as {kind}: {reason}. Use .png.") from error
    return file.getvalue()


def _srgb() -> bytes:
    """The profile of sRGB, always the same bytes: the moment in which it was made would be in it otherwise."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_PROFILE_MADE] = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    return bytes(profile)


def visible_colours(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) BGR of a BGRA picture in which what is fully transparent has the colours of what lies nearest.

    A style looks at neighbourhoods, and whatever is stored where nothing shows would bleed into what does.
    """
    seen = image[:, :, 3] > 0
    if seen.all():
        return np.ascontiguousarray(image[:, :, :3])
    height, width = seen.shape
    scale = min(1.0, _FILL_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    colour = cv2.resize(np.where(seen[:, :, None], image[:, :, :3], 0), size, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    filled = cv2.resize(_filled(np.asarray(colour, np.float32), np.asarray(weight, np.float32)), (width, height))
    made = np.where(seen[:, :, None], image[:, :, :3], np.clip(filled + 0.5, 0, 255))
    return np.ascontiguousarray(made, dtype=np.uint8)


def _filled(colour: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours that were summed with a weight, with the gaps taken from half the size."""
    known = weight > 1 / 255
    here = colour / np.maximum(weight, 1 / 255)[:, :, None]
    if known.all() or max(weight.shape) == 1:
        return np.asarray(here, np.float32)
    size = (weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2
    small = [np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), np.float32) for one in (colour, weight)]
    coarse = cv2.resize(_filled(small[0], small[1]), (weight.shape[1], weight.shape[0]))
    return np.where(known[:, :, None], here, coarse).astype(np.float32)


def _pillow(image: NDArray[np.uint8]) -> Pillow.Image:
    code = cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return Pillow.fromarray(np.asarray(cv2.cvtColor(image, code)))
