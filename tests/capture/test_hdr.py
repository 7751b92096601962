"""HDR and wide gamut: what is coded for other screens looks right on an ordinary one."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from livefilter.capture.base import SourceOptions
from livefilter.capture.code_points import code_points
from livefilter.capture.hdr import BT2020, HLG, P3, PQ, Light, ToneMapper, _paler, light_of_codes
from livefilter.capture.pictures import PictureFile
from livefilter.capture.video_file import VideoFileSource
from livefilter.frame import Image

# RGB of BT.709 in that of BT.2020 (ITU-R BT.2087) and of P3.
TO_2020 = np.array([(0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)])
TO_P3 = np.array([(0.8225, 0.1774, 0.0), (0.0332, 0.9669, 0.0), (0.0171, 0.0724, 0.9108)])
# Below the level at which highlights are bent together.
SOFT = np.array([(128, 128, 128), (150, 40, 30), (20, 140, 60), (40, 50, 160), (0, 0, 0), (90, 120, 40)])


def light(rgb: NDArray[np.int64]) -> NDArray[np.float64]:
    """What an ordinary screen makes of levels; white is 1 (ITU-R BT.1886)."""
    return np.asarray((rgb / 255) ** 2.4)


def pq(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084."""
    power = (nits / 10000) ** (2610 / 16384)
    return np.asarray(((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32))


def hlg(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.2100, for a screen of 1000 nits."""
    shown = nits / 1000
    luma = np.maximum(shown @ (0.2627, 0.6780, 0.0593), 1e-12)[..., None]
    scene = shown * luma ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c))


def coded(rgb: NDArray[np.int64], transfer: int, white: float = 203.0) -> NDArray[np.uint16]:
    """Levels of an ordinary screen as HDR carries them."""
    wide = light(rgb) @ TO_2020.T * white
    return np.rint((pq(wide) if transfer == PQ else hlg(wide)) * 65535).astype(np.uint16)


def mapped(rgb: NDArray[np.uint16], of: Light) -> NDArray[np.int64]:
    """RGB levels of colours (N, 3)."""
    return np.asarray(ToneMapper(of)(rgb[None])[0, :, ::-1].astype(np.int64))


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_an_ordinary_picture_inside_hdr_comes_back(transfer: int) -> None:
    """Colours of an ordinary screen at its usual brightness are the same afterwards, up to two levels."""
    assert np.abs(mapped(coded(SOFT, transfer), Light(transfer)) - SOFT).max() <= 2


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_highlights_are_told_apart(transfer: int) -> None:
    """A page's white stays below the peak, which is white; brightness only rises, and grey stays grey."""
    greys = np.array([(level,) * 3 for level in (100, 150, 200, 255)])
    made = mapped(coded(greys, transfer), Light(transfer))
    assert np.ptp(made, axis=1).max() <= 1
    assert (np.diff(made[:, 0]) > 20).all()
    assert made[3, 0] == pytest.approx(230, abs=2)
    nits = np.full((1, 3), 1000.0)
    peak = np.rint((pq(nits) if transfer == PQ else hlg(nits)) * 65535).astype(np.uint16)
    assert mapped(peak, Light(transfer)).min() >= 254


def test_a_film_that_is_no_brighter_than_white_is_not_bent() -> None:
    """The peak that a film names counts; nothing is made brighter because a film names a low one."""
    every = np.array([(255, 255, 255), (255, 30, 20), (20, 240, 60), (200, 220, 255), *SOFT])
    for peak in (203.0, 100.0):
        of = light_of_codes(PQ, BT2020, peak)
        assert of is not None
        assert np.abs(mapped(coded(every, PQ), of) - every).max() <= 2


def test_colours_beyond_the_screen_turn_paler() -> None:
    """The pure green of BT.2020 keeps its hue and brightness and gets no black parts that it has not."""
    green = np.rint(pq(np.array([[0.0, 100.0, 0.0]])) * 65535).astype(np.uint16)
    made = mapped(green, Light(PQ))
    assert made[0, 1] > made[0, 0] + 20
    assert made[0, 1] > made[0, 2] + 20
    assert light(made[0]) @ (0.2126, 0.7152, 0.0722) == pytest.approx(100 / 203 * 0.678, abs=0.02)


class Lonely(np.ndarray):
    """An array that no product of numpy's threads may be made of."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        assert ufunc is not np.matmul
        plain = [np.asarray(each) for each in inputs]
        return getattr(ufunc, method)(*plain, **options)


def test_colours_turn_paler_without_a_product_of_numpys_threads() -> None:
    """To the grey of their own brightness, as by numpy's product up to one level, however far they are out of range."""
    random = np.random.default_rng(3)
    colours = np.vstack([random.uniform(-0.5, 2, (20_000, 3)), [(0, 0, 0), (3, 3, 3), (-1, 0, 4)]]).astype(np.float32)
    made = _paler(colours.view(Lonely))
    grey = np.clip(colours @ np.array([0.072192, 0.715169, 0.212639], np.float32), 0, 1)[:, None]
    away = colours - grey
    room = np.where(away > 0, 1 - grey, grey) / np.maximum(np.abs(away), 1e-12)
    wanted = grey + away * np.minimum(room.min(axis=1, keepdims=True), 1)
    assert made.min() >= -1e-6
    assert made.max() <= 1 + 1e-6
    levels = [np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.4)) for light in (made, wanted)]
    assert np.abs(levels[0] - levels[1]).max() <= 1


def test_wide_gamut_without_hdr_keeps_its_brightness() -> None:
    """Films in P3 have the colours that they have on a P3 screen, as far as BT.709 has them."""
    every = np.array([(255, 255, 255), (255, 0, 0), (10, 250, 20), (0, 0, 255), *SOFT])
    carried = np.rint(np.minimum(light(every) @ TO_P3.T, 1) ** (1 / 2.4) * 65535).astype(np.uint16)
    assert np.abs(light(mapped(carried, Light(1, P3))) - light(every)).max() < 0.01


def test_what_is_meant_for_an_ordinary_screen_is_left_alone() -> None:
    """BT.709, BT.601, sRGB and what says nothing."""
    assert [light_of_codes(*codes) for codes in ((1, 1), (6, 6), (13, 1), (2, 2), (5, 5))] == [None] * 5


def chart() -> NDArray[np.int64]:
    """Soft colours as a picture, (48, 96, 3) RGB."""
    return np.repeat(np.repeat(SOFT[None], 48, axis=0), 16, axis=1)


def hdr_film(path: Path, transfer: int, codec: str = "ffv1", options: dict[str, str] | None = None) -> Path:
    """A film of `chart` in HDR."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height = 96, 48
        stream.pix_fmt = "gbrp12le" if codec == "ffv1" else "yuv444p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries = transfer, BT2020
        if codec != "ffv1":
            context.colorspace = 9
        frame = av.VideoFrame.from_ndarray(coded(chart(), transfer), format="rgb48le")
        frame = frame.reformat(format=stream.pix_fmt, dst_colorspace=None if codec == "ffv1" else 9)
        frame.color_trc, frame.color_primaries = transfer, BT2020
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def first(path: Path) -> Image:
    """The first picture of a film."""
    with VideoFileSource(str(path), SourceOptions()) as source:
        return source.read().image


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_an_hdr_film_is_tone_mapped(transfer: int, tmp_path: Path) -> None:
    """It looks like the ordinary picture from which it was made, and not flat."""
    image = first(hdr_film(tmp_path / "hdr.mkv", transfer))
    assert np.abs(image[:, :, ::-1].astype(int) - chart()).max() <= 3


@pytest.mark.parametrize("said", ["max-cll=203,100", "master-display=G(1,1)B(1,1)R(1,1)WP(1,1)L(2030000,1)"])
def test_the_peak_that_a_film_names_is_used(said: str, tmp_path: Path) -> None:
    """White comes out white when nothing in the film is brighter."""
    # With B-frames x265 dates the one frame by memory that it never wrote, and no file takes some of those dates.
    plainly = "log-level=error:lossless=1:bframes=0"
    options = {"x265-params": f"{plainly}:{said}"}
    try:
        path = hdr_film(tmp_path / "hdr.mkv", PQ, "libx265", options)
    except av.codec.codec.UnknownCodecError:
        pytest.skip("this PyAV has no x265")
    plain = first(hdr_film(tmp_path / "plain.mkv", PQ, "libx265", {"x265-params": plainly}))
    assert np.abs(first(path)[:, :, ::-1].astype(int) - chart()).max() <= 4
    assert np.abs(plain[:, :, ::-1].astype(int) - chart()).max() <= 4


def test_a_png_that_names_hdr_is_tone_mapped() -> None:
    """Its cICP chunk says in which light its colours are (PNG, third edition)."""
    eight = np.rint(coded(chart(), PQ) / 257).astype(np.uint8)
    said = PngInfo()
    said.add(b"cICP", bytes((BT2020, PQ, 0, 1)))
    file = BytesIO()
    Pillow.fromarray(eight).save(file, "PNG", pnginfo=said)
    assert code_points(file.getvalue()) == (PQ, BT2020)
    with PictureFile(file.getvalue()) as opened:
        made = opened.read().image[:, :, ::-1].astype(int)
    assert np.abs(made - chart()).mean() <= 2
    assert np.abs(made - chart())[:, :, 1].max() <= 6  # 8 bits of PQ are coarse


def test_an_avif_that_names_hdr_is_tone_mapped() -> None:
    """Its colr box says in which light its colours are (ISO/IEC 23008-12)."""
    eight = np.rint(coded(chart(), PQ) / 257).astype(np.uint8)
    file = BytesIO()
    Pillow.fromarray(eight).save(file, "AVIF", quality=100, subsampling="4:4:4")
    data = bytearray(file.getvalue())
    at = data.index(b"colrnclx") + 8
    data[at : at + 4] = struct.pack(">HH", BT2020, PQ)
    assert code_points(bytes(data)) == (PQ, BT2020)
    with PictureFile(bytes(data)) as opened:
        made = opened.read().image[:, :, ::-1].astype(int)
    assert np.abs(made - chart()).mean() <= 3


@pytest.mark.parametrize("cut", [4, 9, 20, 40, 60])
def test_code_points_of_a_cut_off_head_are_not_found(cut: int) -> None:
    """Nothing is read beyond the end, and boxes that make no sense end the search."""
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 4, b"cICP") + bytes((9, 16, 0, 1))
    png += struct.pack(">I", zlib.crc32(png[12:]))
    assert code_points(png) == (16, 9)
    assert code_points(png[: min(cut, 19)]) is None
    boxes = struct.pack(">I4s4sI", 16, b"ftyp", b"avif", 0) + struct.pack(">I4sI", 500, b"meta", 0)
    boxes += struct.pack(">I4s", 3, b"iprp") + b"\xff" * 40
    assert code_points(boxes[:cut]) is None
