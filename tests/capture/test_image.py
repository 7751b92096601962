"""Still images: every kind becomes upright 8-bit BGR."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livefilter.capture.base import SourceOptions
from livefilter.capture.image import ImageSource
from livefilter.capture.pictures import read_picture
from livefilter.capture.pixels import to_bgr
from livefilter.errors import InvalidInput
from livefilter.frame import Image
from tests.capture.fakes import patch
from tests.conftest import picture


def load_image(path: Path) -> Image:
    """A picture as a viewer shows it."""
    return to_bgr(read_picture(path))


def save(path: Path, image: object) -> Path:
    """Write an image in the format of its ending, whatever letters are in the path."""
    ok, encoded = cv2.imencode(path.suffix, np.asarray(image))
    assert ok
    path.write_bytes(encoded.tobytes())
    return path


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF segment that holds only the orientation (EXIF 2.3, tag 0x0112)."""
    exif = io.BytesIO()
    exif.write(b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0))
    exif.write(bytes(4))
    body = exif.getvalue()
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(width=st.integers(1, 131), height=st.integers(1, 131))
def test_any_size_comes_out_exact(width: int, height: int, tmp_path: Path) -> None:
    """Tiny, odd and portrait images come out with their own size and pixels."""
    image = np.random.default_rng(width * 1000 + height).integers(0, 256, (height, width, 3), np.uint8)
    path = save(tmp_path / "any.png", image)
    with ImageSource(str(path), SourceOptions(fps=1000)) as source:
        assert (source.info.width, source.info.height) == (width, height)
        shown = source.read().image
    assert shown.flags.c_contiguous
    assert np.array_equal(shown, image)


def test_a_still_never_ends(tmp_path: Path) -> None:
    """The same picture comes again and again, like from a camera that looks at a photo."""
    path = save(tmp_path / "still.png", picture())
    with ImageSource(str(path), SourceOptions(fps=500)) as source:
        assert source.info.live
        assert source.info.fps == 500
        assert all(np.array_equal(source.read().image, picture()) for _ in range(20))


def test_a_path_in_any_script_is_read(tmp_path: Path) -> None:
    """Non-ASCII names work on every system."""
    assert load_image(save(tmp_path / "写真 Zoë №1.png", picture())).shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.full((48, 64), 120, np.uint8), (120, 120, 120)),
        (np.full((48, 64), 120 << 8, np.uint16), (120, 120, 120)),
        (np.full((48, 64, 3), (10 << 8, 20 << 8, 30 << 8), np.uint16), (10, 20, 30)),
        (np.full((48, 64, 4), (10, 20, 30, 255), np.uint8), (10, 20, 30)),
        (np.full((48, 64, 4), (10, 20, 30, 0), np.uint8), (255, 255, 255)),
        (np.full((48, 64, 4), (0, 0, 0, 51), np.uint8), (204, 204, 204)),
        (np.full((48, 64, 4), (10 << 8, 20 << 8, 30 << 8, 65535), np.uint16), (10, 20, 30)),
    ],
    ids=["grey", "16-bit grey", "16-bit", "opaque", "transparent", "20 % opaque", "16-bit with alpha"],
)
def test_every_kind_of_pixels_becomes_bgr(image: Image, expected: tuple[int, ...], tmp_path: Path) -> None:
    """Grey, 16-bit and transparent PNGs look as in a viewer, on white."""
    shown = load_image(save(tmp_path / "kind.png", image))
    assert shown.dtype == np.uint8
    assert shown[24, 32].tolist() == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_photos_stand_upright(orientation: int, turns: int, tmp_path: Path) -> None:
    """The EXIF orientation of a phone's photo is respected."""
    plain = save(tmp_path / "plain.jpg", picture())
    turned = tmp_path / "turned.jpg"
    turned.write_bytes(with_orientation(plain.read_bytes(), orientation))
    assert np.array_equal(load_image(turned), np.rot90(load_image(plain), turns))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", r"the file is empty\. Copy it again from where it came\.$"),
        (b"no picture" * 50, r"damaged, or of a kind that cannot be decoded here\. Convert it to PNG or JPEG\.$"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "damaged.*Convert it"),
    ],
)
def test_what_is_no_image_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    """The message names the file, the reason and the way out."""
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=rf"broken\.png as an image: .*{why}"):
        load_image(path)


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    """It is named as what it is."""
    with pytest.raises(InvalidInput, match="is a folder"):
        load_image(tmp_path)


def test_a_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    """Red stays red: BGR order is kept through decoding."""
    shown = load_image(save(tmp_path / "red.jpg", patch((0, 0, 220))))
    assert shown[24, 32].tolist() == pytest.approx([0, 0, 220], abs=4)
