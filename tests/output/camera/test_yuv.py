"""Pictures in the formats of cameras."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from livefilter.output.camera.yuv import FORMATS, YuvEncoder
from tests.conftest import picture

_BACK = {
    "NV12": cv2.COLOR_YUV2BGR_NV12,
    "I420": cv2.COLOR_YUV2BGR_I420,
    "YUYV": cv2.COLOR_YUV2BGR_YUY2,
    "UYVY": cv2.COLOR_YUV2BGR_UYVY,
    "RGBA": cv2.COLOR_RGBA2BGR,
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_holds_the_picture(kind: str) -> None:
    """Converted back it is as it was, but for the colour that the format leaves out; twice the same."""
    encode = YuvEncoder(kind, 64, 48)
    encode(picture(number=5))
    encoded = encode(picture())
    back = encoded if kind == "BGR" else cv2.cvtColor(encoded, _BACK[kind])
    assert back.shape == (48, 64, 3)
    assert np.abs(back[16:].astype(int) - picture()[16:]).mean() < 3
