"""Raw bytes become the right colours: to one level, against the formulas of the standards."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from livefilter.capture.colour import BT601, BT709, DamagedPicture, Layout, decode
from livefilter.frame import Image

# Y, U, V of eight bars, each 8 pixels wide.
BARS = [
    (235, 128, 128),
    (170, 60, 160),
    (145, 54, 34),
    (106, 202, 222),
    (81, 90, 240),
    (41, 240, 110),
    (16, 128, 128),
    (99, 99, 99),
]
WIDTH, HEIGHT = 64, 16


def planes() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Y, U and V of the bars, each (16, 64) uint8."""
    columns = np.repeat(np.array(BARS, np.uint8), WIDTH // len(BARS), axis=0)
    y, u, v = (np.tile(columns[:, channel], (HEIGHT, 1)) for channel in range(3))
    return y, u, v


def expected(luma: tuple[float, float], full_range: bool) -> Image:
    """What the bars look like, as ITU-R BT.601 and BT.709 define it: (16, 64, 3) uint8 BGR."""
    y, u, v = (plane.astype(float) for plane in planes())
    if not full_range:
        y, u, v = (y - 16) / 219 * 255, (u - 128) / 224 * 255, (v - 128) / 224 * 255
    else:
        u, v = u - 128, v - 128
    red, blue = luma
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.rint(np.stack([b, g, r], axis=2)), 0, 255).astype(np.uint8)


def raw(pixel_format: str, padding: int) -> tuple[NDArray[np.uint8], int]:
    """The bars in a format with so many bytes of padding in each row, and the length of a row."""
    y, u, v = planes()
    half_u, half_v = u[::2, ::2], v[::2, ::2]
    if pixel_format in ("YUYV", "UYVY", "YVYU"):
        first, second = (v, u) if pixel_format == "YVYU" else (u, v)
        colour = np.where(np.arange(WIDTH) % 2 == 0, first, second)
        pairs = np.stack([colour, y] if pixel_format == "UYVY" else [y, colour], axis=2)
        rows = [pairs.reshape(HEIGHT, WIDTH * 2)]
    elif pixel_format in ("NV12", "NV21"):
        both = (half_u, half_v) if pixel_format == "NV12" else (half_v, half_u)
        rows = [y, np.stack(both, axis=2).reshape(HEIGHT // 2, WIDTH)]
    else:
        both = (half_u, half_v) if pixel_format == "YU12" else (half_v, half_u)
        rows = [y, *both]
    stride = rows[0].shape[1] + padding
    padded = [
        np.pad(part, ((0, 0), (0, padding * part.shape[1] // rows[0].shape[1])), constant_values=77) for part in rows
    ]
    return np.concatenate([part.reshape(-1) for part in padded]).astype(np.uint8), stride


@pytest.mark.parametrize("padding", [0, 32])
@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("luma", [BT601, BT709], ids=["601", "709"])
@pytest.mark.parametrize("pixel_format", ["YUYV", "UYVY", "YVYU", "NV12", "NV21", "YU12", "YV12"])
def test_every_coding_gives_the_same_bars(
    pixel_format: str, luma: tuple[float, float], full_range: bool, padding: int
) -> None:
    """To one level, in each format, matrix and range, with and without padded rows."""
    data, stride = raw(pixel_format, padding)
    image = decode(data, Layout(pixel_format, WIDTH, HEIGHT, stride, luma, full_range))
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(image.astype(int) - expected(luma, full_range)).max() <= 1


def test_rgb_and_grey_are_taken_as_they_are() -> None:
    """RGB is turned round, BGR is copied, grey becomes three equal channels."""
    pixels = np.arange(2 * 2 * 3, dtype=np.uint8)
    bgr = decode(pixels, Layout("BGR3", 2, 2, 6))
    assert np.array_equal(bgr.reshape(-1), pixels)
    assert not np.shares_memory(bgr, pixels)
    assert np.array_equal(decode(pixels, Layout("RGB3", 2, 2, 6)), bgr[:, :, ::-1])
    assert decode(pixels[:4], Layout("GREY", 2, 2, 2)).tolist() == [[[0] * 3, [1] * 3], [[2] * 3, [3] * 3]]


def test_mjpg_is_decoded_and_padding_is_no_harm() -> None:
    """Cameras fill the buffer up behind the picture."""
    jpeg = cv2.imencode(".jpg", np.full((16, 16, 3), (40, 120, 200), np.uint8))[1].reshape(-1)
    image = decode(np.concatenate([jpeg, np.zeros(100, np.uint8)]), Layout("MJPG", 16, 16, 0))
    assert np.abs(image.astype(int) - (40, 120, 200)).max() <= 2


@pytest.mark.parametrize("cut", [0, 1, 40, -4])
def test_a_damaged_jpeg_is_left_out(cut: int) -> None:
    """Half a picture is no picture."""
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", noise)[1].reshape(-1)
    with pytest.raises(DamagedPicture):
        decode(jpeg[:cut], Layout("MJPG", 64, 64, 0))


@pytest.mark.parametrize("pixel_format", ["YUYV", "NV12", "YU12", "BGR3", "GREY"])
def test_too_few_bytes_are_a_damaged_picture(pixel_format: str) -> None:
    """A transfer that was cut short, or a camera whose size was changed by another program."""
    with pytest.raises(DamagedPicture):
        decode(np.zeros(500, np.uint8), Layout(pixel_format, WIDTH, HEIGHT, WIDTH * 2))
