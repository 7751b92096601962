"""Pictures of every kind come out as they are meant to look."""

from __future__ import annotations

import io
import itertools
import struct
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from livefilter.capture.base import SourceOptions
from livefilter.capture.image import ImageSource
from livefilter.capture.kinds import Kind, kind_of_bytes
from livefilter.capture.pictures import PictureFile, read_picture
from livefilter.errors import InvalidInput
from tests.conftest import picture

TURNED = 6  # EXIF: what is stored must be turned a quarter clockwise


def pillow(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    """A colourful picture of Pillow's."""
    made = Image.fromarray(picture(width, height)[:, :, ::-1].copy())
    if mode == "RGBA":
        made.putalpha(Image.linear_gradient("L").resize((width, height)))
    return made


def bgr(made: Image.Image) -> np.ndarray:
    """Pixels as livefilter has them."""
    pixels = np.asarray(made)
    return np.dstack([pixels[:, :, 2::-1], pixels[:, :, 3:]])


def swapped_profile() -> bytes:
    """An ICC profile in which the red and green of sRGB have changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    where = {bytes(profile[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(count)}
    red, green = where[b"rXYZ"], where[b"gXYZ"]
    profile[red + 4 : red + 12], profile[green + 4 : green + 12] = (
        profile[green + 4 : green + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "TIFF", "AVIF", "HEIF"])
def test_a_turned_picture_stands_upright(kind: str, mode: str) -> None:
    """Whatever writes the turn down (EXIF, TIFF's tag, irot) and whether or not something is transparent."""
    if kind == "JPEG" and mode == "RGBA":
        pytest.skip("JPEG holds no transparency")
    exif = Image.Exif()
    exif[0x0112] = TURNED
    file = io.BytesIO()
    stored = pillow(mode=mode)
    settings = {"lossless": True} if kind == "WEBP" else {}
    if kind == "HEIF":
        pillow_heif.from_pillow(stored).save(file, exif=exif.tobytes(), quality=100)
    else:
        stored.save(file, kind, exif=exif, **settings)
    image = read_picture(file.getvalue())
    expected = np.rot90(bgr(stored), -1)
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected)[:, :, :3].mean() < (8 if kind in ("JPEG", "AVIF", "HEIF") else 0.1)


def test_webp_of_older_writers_is_turned_too() -> None:
    """Their EXIF begins with the six letters that only JPEG asks for."""
    exif = Image.Exif()
    exif[0x0112] = TURNED
    file = io.BytesIO()
    pillow().save(file, "WEBP", exif=exif, lossless=True)
    data = file.getvalue()
    at = data.index(b"EXIF")
    size = struct.unpack("<I", data[at + 4 : at + 8])[0]
    body = b"Exif\0\0" + data[at + 8 : at + 8 + size]
    chunk = b"EXIF" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
    whole = data[:at] + chunk + data[at + 8 + size + (size & 1) :]
    whole = whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]
    assert read_picture(whole).shape == (60, 40, 3)


def test_a_colour_profile_is_applied() -> None:
    """What comes out is sRGB."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (220, 40, 40)).save(file, "PNG", icc_profile=swapped_profile())
    blue, green, red = read_picture(file.getvalue())[4, 4].tolist()
    assert green > red + 100
    assert blue < 100


def test_a_broken_colour_profile_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """The picture is read, and the log says so."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (220, 40, 40)).save(file, "PNG", icc_profile=b"rubbish" * 40)
    assert read_picture(file.getvalue(), "odd.png")[4, 4].tolist() == [40, 40, 220]
    assert "odd.png" in caplog.text


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_gives_every_picture_and_its_time(kind: str) -> None:
    """0.2 s each but the last, which stays for 1.5 s."""
    stills = [Image.new("RGB", (32, 24), (60 * number, 90, 200 - 40 * number)) for number in range(4)]
    file = io.BytesIO()
    stills[0].save(file, kind, save_all=True, append_images=stills[1:], duration=[200, 200, 200, 1500])
    with PictureFile(file.getvalue()) as opened:
        assert (opened.count, opened.animated) == (4, True)
        read = list(opened)
    assert [still.duration_s for still in read] == pytest.approx([0.2, 0.2, 0.2, 1.5])
    for number, still in enumerate(read):
        assert still.image[12, 16].tolist() == pytest.approx([200 - 40 * number, 90, 60 * number], abs=4)


def test_a_tiff_gives_its_pages_but_not_its_thumbnail() -> None:
    """A page that says that it is a small copy is none."""
    pages = [Image.new("RGB", (32, 24), (60 * number, 9, 9)) for number in range(3)]
    file = io.BytesIO()
    for page in pages:
        page.encoderinfo = {"tiffinfo": {254: 1 if page is pages[1] else 0}}
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    with PictureFile(file.getvalue()) as opened:
        assert not opened.animated
        assert [int(still.image[0, 0, 2]) for still in opened] == [0, 120]


def test_sixteen_bits_in_planes_keep_their_transparency(tmp_path: Path) -> None:
    """TIFF with separate, uncompressed planes (written here by hand, TIFF 6.0, section 2)."""
    planes = np.stack([np.full((4, 6), level, "<u2") for level in (56540, 7710, 7710, 33153)])
    entries: list[tuple[int, int, int, int]] = []
    bits_at, offsets_at, counts_at = 200, 208, 224
    data_at = 240
    entries += [(256, 3, 1, 6), (257, 3, 1, 4), (258, 3, 4, bits_at), (259, 3, 1, 1), (262, 3, 1, 2)]
    entries += [(273, 4, 4, offsets_at), (277, 3, 1, 4), (278, 3, 1, 4), (279, 4, 4, counts_at), (284, 3, 1, 2)]
    entries += [(338, 3, 1, 2)]
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries))
    head += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    head = head.ljust(bits_at, b"\0") + struct.pack("<4H", 16, 16, 16, 16)
    head += struct.pack("<4I", *(data_at + 48 * plane for plane in range(4))) + struct.pack("<4I", 48, 48, 48, 48)
    path = tmp_path / "planes.tif"
    path.write_bytes(head + planes.tobytes())
    assert read_picture(path)[2, 3].tolist() == pytest.approx([30, 30, 220, 129], abs=1)


@pytest.mark.parametrize("alpha", [False, True])
def test_white_of_deep_jpeg_2000_stays_white(alpha: bool, tmp_path: Path) -> None:
    """Levels of 16 bits become those of 8, up to the brightest."""
    ramp = np.tile((np.arange(64) * 1040).astype(np.uint16)[None, :, None], (64, 1, 4 if alpha else 3))
    if alpha:
        ramp[:, :, 3] = 65535
    path = tmp_path / "deep.jp2"
    assert cv2.imwrite(str(path), ramp)
    image = read_picture(path)
    assert np.abs(image[:, :, :3].astype(int) - ramp[:, :, :3] // 257).max() <= 1


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    """The web page's limit is a number of pixels."""
    file = io.BytesIO()
    pillow(200, 100).save(file, "PNG")
    assert read_picture(file.getvalue(), max_pixels=20_000).shape == (100, 200, 3)
    with pytest.raises(InvalidInput, match="million pixels"):
        read_picture(file.getvalue(), max_pixels=19_000)


def test_a_cut_off_picture_is_refused_unless_damage_is_accepted() -> None:
    """Then it gives what there is."""
    file = io.BytesIO()
    pillow(400, 300).save(file, "JPEG")
    torn = file.getvalue()[: len(file.getvalue()) // 2]
    with pytest.raises(InvalidInput, match=r"cut off.*Copy it again from where it came; .*--accept-damage\.$"):
        read_picture(torn, "torn.jpg")
    with PictureFile(torn, accept_damage=True) as opened:
        assert opened.read().image.shape == (300, 400, 3)


@pytest.mark.parametrize(
    ("start", "ending", "kind"),
    [
        (b"\xff\xd8\xff\xe0", ".jfif", Kind.PICTURE),
        (b"\xff\xd8\xff\xe0", "", Kind.PICTURE),
        (b"\xff\xd8\xff\xe0", ".mjpeg", Kind.OTHER),
        (b"\0\0\0\x18ftypheic", ".heic", Kind.PICTURE),
        (b"\0\0\0\x18ftypisom", ".mp4", Kind.OTHER),
        (b"RIFF\0\0\0\0WEBPVP8 ", ".png", Kind.PICTURE),
        (b"RIFF\0\0\0\0AVI LIST", ".avi", Kind.OTHER),
        (b"\0\0\x02\0", ".tga", Kind.PICTURE),
        (b"II*\0", ".nef", Kind.RAW_PHOTO),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<svg ", ".svg", Kind.DRAWING),
        (b"%PDF-1.4", ".pdf", Kind.DOCUMENT),
        (b"\xff\x0a" + bytes(20), ".jxl", Kind.JPEG_XL),
        (b"\0\0\0\x0cJXL \r\n\x87\n", ".jpg", Kind.JPEG_XL),
        (b"#?RADIANCE\n", ".hdr", Kind.RADIANCE),
        (b"8BPS\0\1", ".psd", Kind.PICTURE),
        (b"8BPS\0\2", ".psb", Kind.LARGE_PSD),
        ("一行\n".encode(), ".txt", Kind.TEXT),
        (b"", ".mp4", Kind.EMPTY),
        (b"#EXTM3U\n", ".m3u8", Kind.OTHER),
        ((b"G" + bytes(187)) * 8, ".jpg", Kind.OTHER),
        ((bytes(4) + b"G" + bytes(187)) * 8, ".png", Kind.OTHER),
        (b"G" + bytes(2000), ".jpg", Kind.PICTURE),
    ],
)
def test_a_file_is_told_by_its_first_bytes(start: bytes, ending: str, kind: Kind) -> None:
    """Names lie, and some have no ending."""
    assert kind_of_bytes(start, ending) is kind


def test_an_animation_plays_as_a_live_input(tmp_path: Path) -> None:
    """It moves, and it starts again at its end."""
    stills = [Image.new("RGB", (32, 24), (200 * number, 0, 0)) for number in range(2)]
    stills[0].save(tmp_path / "a.gif", save_all=True, append_images=stills[1:], duration=20)
    with ImageSource(str(tmp_path / "a.gif"), SourceOptions(fps=200)) as source:
        reds = [int(source.read().image[0, 0, 2]) for _ in range(40)]
    changes = sum(one != other for one, other in itertools.pairwise(reds))
    assert changes >= 3
