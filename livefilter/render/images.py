"""Pictures in files."""

from __future__ import annotations

from pathlib import Path

import cv2

from livefilter.errors import SinkUnavailable
from livefilter.frame import Image

# What can at least be read.
READABLE_SUFFIXES = (".avif", ".bmp", ".jp2", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")

# What can be both read and written by every build of OpenCV.
IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

_SETTINGS = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95],
}


def encode_image(image: Image, target: Path) -> bytes:
    """The bytes of an image file of the kind that the target's ending names.

    image: (H, W, 3) uint8 BGR.
    Raises: SinkUnavailable.
    """
    suffix = target.suffix.lower()
    try:
        # Not imwrite: it fails on non-ASCII paths under Windows.
        done, encoded = cv2.imencode(suffix, image, _SETTINGS.get(suffix, []))
        if not done:
            raise ValueError("the encoder refused it")
    except (cv2.error, ValueError) as error:
        height, width = image.shape[:2]
        reason = " ".join(str(error).split())
        raise SinkUnavailable(f"Cannot write {target}: {width}x{height} as {suffix}: {reason}. Use .png.") from error
    return encoded.tobytes()
