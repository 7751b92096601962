"""NV12, what virtual cameras take: (H * 3 / 2, W) uint8, Y above and below it U and V in turns at half the size.

BT.601 in limited range, as OpenCV and pyvirtualcam make it. Width and height are even.
"""

from __future__ import annotations

import cv2
import numpy as np

from livefilter.frame import Image

# ITU-R BT.601, limited range, from B, G and R in 0..255, one row each: Y in 16..235; U and V in 16..240. The offsets
# hold a half, for what comes out is cut off to bytes.
LUMA, LUMA_OFFSET = np.array([[24.966], [128.553], [65.481]]) / 255, 16.5
CHROMA, CHROMA_OFFSET = np.array([[112.0, -18.214], [-74.203, -93.786], [-37.797, 112.0]]) / 255, 128.5


def planes(image: Image) -> tuple[Image, Image]:
    """Views of an NV12 picture's luma (H, W) and colour (H / 2, W / 2, 2)."""
    height, width = image.shape[0] * 2 // 3, image.shape[1]
    return image[:height], image[height:].reshape(height // 2, width // 2, 2)


def nv12_to_bgr(image: Image) -> Image:
    """An NV12 picture as (H, W, 3) BGR; one that is BGR already is given back."""
    return image if image.ndim == 3 else np.asarray(cv2.cvtColor(image, cv2.COLOR_YUV2BGR_NV12), np.uint8)


def cut(image: Image, size: tuple[int, int], out_size: tuple[int, int]) -> Image:
    """The upper left width x height of an NV12 picture, scaled to another (width, height); a new array."""
    width, height = out_size
    made: Image = np.empty((height * 3 // 2, width), np.uint8)
    for source, target, share in zip(planes(image), planes(made), (1, 2), strict=True):
        part = source[: -(-size[1] // share), : -(-size[0] // share)]
        if part.shape == target.shape:
            target[:] = part
        else:
            method = cv2.INTER_AREA if size[0] > width else cv2.INTER_CUBIC
            cv2.resize(part, (target.shape[1], target.shape[0]), dst=target, interpolation=method)
    return made
