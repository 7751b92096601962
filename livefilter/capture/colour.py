"""A camera's raw bytes become a frame's image, in its own colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.frame import Image

# Weight of red and of blue in the luma: BT.601, BT.709, BT.2020 and SMPTE 240M.
BT601, BT709, BT2020, SMPTE240M = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593), (0.212, 0.087)

# OpenCV's own, fast and exact, for what most cameras give: BT.601 in limited range without padding.
_FAST = {
    "NV12": cv2.COLOR_YUV2BGR_NV12,
    "NV21": cv2.COLOR_YUV2BGR_NV21,
    "YU12": cv2.COLOR_YUV2BGR_I420,
    "YV12": cv2.COLOR_YUV2BGR_YV12,
    "YUYV": cv2.COLOR_YUV2BGR_YUY2,
    "UYVY": cv2.COLOR_YUV2BGR_UYVY,
    "YVYU": cv2.COLOR_YUV2BGR_YVYU,
}
_SEMI_PLANAR = ("NV12", "NV21")
_V_FIRST = ("YV12", "NV21")
_PACKED = {"YUYV": (0, 1, 3), "UYVY": (1, 0, 2), "YVYU": (0, 3, 1)}  # places of Y, U and V in four bytes
_COMPRESSED = ("MJPG", "JPEG")
_END_OF_JPEG = b"\xff\xd9"


class DamagedPicture(Exception):
    """These bytes are no picture; a signal to take the next one, not an error."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the bytes of a picture are meant.

    pixel_format: four letters as V4L2 writes them. width, height: pixels. stride: bytes from one row to the next.
    luma: `BT601`, `BT709`, `BT2020` or `SMPTE240M` (ITU-R BT.601, BT.709, BT.2020). full_range: luma is 0..255, not
    16..235.
    """

    pixel_format: str
    width: int
    height: int
    stride: int
    luma: tuple[float, float] = BT601
    full_range: bool = False


def decode(data: NDArray[np.uint8], layout: Layout) -> Image:
    """Turn the bytes of one picture into an image.

    data: 1-D uint8, at least one whole picture; it is only read. JPEG is decoded as JFIF says, whatever the layout.
    Returns: (height, width, 3) uint8 BGR, C-contiguous, new memory.
    Raises: DamagedPicture: the bytes are too few, or no JPEG.
    """
    if layout.pixel_format in _COMPRESSED:
        return _from_jpeg(data)
    height, width = layout.height, layout.width
    try:
        if layout.pixel_format == "GREY":
            return _array(cv2.cvtColor(_rows(data, layout, height, width), cv2.COLOR_GRAY2BGR))
        if layout.pixel_format in ("BGR3", "RGB3"):
            pixels = _rows(data, layout, height, width * 3).reshape(height, width, 3)
            return pixels.copy() if layout.pixel_format == "BGR3" else _array(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        packed = layout.pixel_format in _PACKED
        if (layout.luma, layout.full_range) == (BT601, False) and layout.stride == (width * 2 if packed else width):
            shape = (height, width, 2) if packed else (height * 3 // 2, width)
            pixels = data[: height * layout.stride * (2 if packed else 3) // 2].reshape(shape)
            return _array(cv2.cvtColor(pixels, _FAST[layout.pixel_format]))
        luma, chroma = _planes(data, layout)
    except ValueError as error:  # from reshape: there are fewer bytes than a picture has
        raise DamagedPicture(f"{data.size} bytes") from error
    whole = cv2.resize(chroma, (width, height), interpolation=cv2.INTER_NEAREST)
    return _array(cv2.transform(cv2.merge([luma, whole]), _bgr_matrix(layout)))


def _planes(data: NDArray[np.uint8], layout: Layout) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Luma (height, width), and chroma (rows, columns, 2) as U, V with fewer rows and columns."""
    height, width, stride = layout.height, layout.width, layout.stride
    if layout.pixel_format in _PACKED:
        y, u, v = _PACKED[layout.pixel_format]
        four = _rows(data, layout, height, width * 2).reshape(height, width // 2, 4)
        return np.ascontiguousarray(four[:, :, y % 2 :: 2]).reshape(height, width), _pairs(four[:, :, u], four[:, :, v])
    luma = _rows(data, layout, height, width)
    rest = data[height * stride :]
    rows, columns = height // 2, width // 2
    if layout.pixel_format in _SEMI_PLANAR:
        both = rest[: rows * stride].reshape(rows, stride)[:, :width].reshape(rows, columns, 2)
        return luma, np.ascontiguousarray(both[:, :, ::-1] if layout.pixel_format in _V_FIRST else both)
    size = rows * (stride // 2)
    first, second = (rest[at : at + size].reshape(rows, stride // 2)[:, :columns] for at in (0, size))
    return luma, _pairs(second, first) if layout.pixel_format in _V_FIRST else _pairs(first, second)


def _rows(data: NDArray[np.uint8], layout: Layout, height: int, used: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(data[: height * layout.stride].reshape(height, layout.stride)[:, :used])


def _pairs(u: NDArray[np.uint8], v: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return _array(cv2.merge([np.ascontiguousarray(u), np.ascontiguousarray(v)]))


def _bgr_matrix(layout: Layout) -> NDArray[np.float32]:
    """The 3x4 matrix from (Y, U, V, 1) to (B, G, R)."""
    red, blue = layout.luma
    green = 1.0 - red - blue
    luma, chroma, black = (1.0, 1.0, 0.0) if layout.full_range else (255 / 219, 255 / 224, 16.0)
    to_red, to_blue = 2 * (1 - red) * chroma, 2 * (1 - blue) * chroma
    rows = [
        (luma, to_blue, 0.0),
        (luma, -to_blue * blue / green, -to_red * red / green),
        (luma, 0.0, to_red),
    ]
    return np.array([(*row, -row[0] * black - (row[1] + row[2]) * 128) for row in rows], np.float32)


def _from_jpeg(data: NDArray[np.uint8]) -> Image:
    # A picture that was cut off decodes into half a picture; cameras pad what is whole with a few hundred bytes.
    if data[-1024:].tobytes().rfind(_END_OF_JPEG) < 0:
        raise DamagedPicture("a JPEG picture without its end")
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise DamagedPicture(str(error)) from error
    if image is None:
        raise DamagedPicture("no JPEG picture")
    return _array(image)


def _array(image: Any) -> Image:
    return np.ascontiguousarray(image, dtype=np.uint8)
