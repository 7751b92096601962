"""Formats, modes and turns of pictures, compared with Pillow's own decode."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from livefilter.capture.pictures import PictureFile
from livefilter.capture.pixels import to_bgr
from tests.conftest import picture

pytestmark = pytest.mark.corpus

MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"),
    "AVIF": ("RGB", "RGBA"),
    "HEIF": ("L", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
    "GIF": ("L", "P", "RGB"),
    "PPM": ("L", "RGB"),
    "JPEG2000": ("L", "RGB", "RGBA"),
    "PCX": ("L", "RGB"),
    "ICO": ("RGB", "RGBA"),
    "QOI": ("RGB", "RGBA"),
}
TURNED = ("PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF")
CASES = [
    (kind, mode, turn)
    for kind, modes in MODES.items()
    for mode in modes
    for turn in ((1, 6) if kind in TURNED else (1,))
]


@pytest.mark.parametrize(("kind", "mode", "turn"), CASES)
def test_a_picture_is_what_pillow_says(kind: str, mode: str, turn: int) -> None:
    """On white, upright, of the same colours."""
    made = Image.fromarray(picture(48, 32)[:, :, ::-1].copy())
    if mode in ("LA", "RGBA"):
        made.putalpha(Image.linear_gradient("L").resize((48, 32)))
    if mode == "I;16":
        made = Image.fromarray(np.asarray(made.convert("L")).astype(np.uint16) * 257)
    elif made.mode != mode:
        made = made.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = turn
    settings: dict[str, Any] = {"exif": exif} if kind in TURNED and turn != 1 else {}
    file = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(made).save(file, quality=100, **({"exif": exif.tobytes()} if settings else {}))
    else:
        made.save(file, kind, **settings)
    with PictureFile(file.getvalue()) as opened:
        image = to_bgr(opened.read().image)
    with Image.open(io.BytesIO(file.getvalue())) as again:
        upright = ImageOps.exif_transpose(again)
        if upright.mode.startswith("I;16"):
            upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
        whole = upright.convert("RGBA")
        white = Image.new("RGBA", whole.size, (255, 255, 255, 255))
        expected = np.asarray(Image.alpha_composite(white, whole).convert("RGB"))[:, :, ::-1]
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() <= 2
