"""The webcam's colours arrive as it means them, in every coding that it can say it uses."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from livefilter.frame import Image
from tests.system.clients import tell
from tests.system.devices import CAMERA

SIZE = (640, 360)
_SPACES = {"SMPTE 170M": 0, "Rec. 709": 1, "sRGB": 2, "BT.2020": 4, "SMPTE 240M": 6}
_CODINGS = {"by space": 0, "601": 1, "709": 2, "xvYCC 709": 4, "BT.2020": 6, "SMPTE 240M": 8}
_RANGES = {"full": 1, "limited": 2}
# vivid cuts off what is below a whole level of luma and chroma. In limited range that alone takes 3 levels of a colour;
# bytes that were rounded would be within 1 of it.
_CUT_OFF = 3.0


@pytest.mark.parametrize("pixel_format", ["YUYV", "NV12", "YU12"])
def test_bars_have_the_colours_that_the_driver_says(raw: Image, pixel_format: str) -> None:
    """Each bar is what vivid itself shows as RGB, in 5 colour spaces, 6 codings and both ranges."""
    worst: dict[tuple[str, str], float] = {}
    for space, space_value in _SPACES.items():
        for coding, coding_value in _CODINGS.items():
            _control(colorspace=space_value, y_cbcr_encoding=coding_value, quantization=_RANGES["full"])
            meant = _bars("BGR3")
            for name, value in _RANGES.items():
                _control(quantization=value)
                off = float(np.abs(_bars(pixel_format) - meant).max())
                worst[coding, name] = max(worst.get((coding, name), 0.0), off)
                assert off <= _CUT_OFF, f"{space}, {coding}, {name} range: {off:.1f} levels"
    tell(f"{pixel_format}: " + ", ".join(f"{coding} {name} {off:.1f}" for (coding, name), off in worst.items()))


def _control(**values: int) -> None:
    words = ",".join(f"{name}={value}" for name, value in values.items())
    subprocess.run(["v4l2-ctl", "-d", CAMERA, "-c", words], check=True)


def _bars(pixel_format: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The mean colour of each of the eight bars, (8, 3) BGR, as livefilter reads them."""
    from livefilter.capture.mode import Mode
    from livefilter.capture.v4l2_device import V4l2Device

    with V4l2Device(CAMERA, Mode(pixel_format, *SIZE, 30.0), 30.0) as device:
        image = device.read(10.0).image
    assert image.shape == (SIZE[1], SIZE[0], 3)
    bar = SIZE[0] / 8
    rows = image[SIZE[1] * 6 // 10 : SIZE[1] * 9 // 10]
    return np.array([rows[:, round((n + 0.3) * bar) : round((n + 0.7) * bar)].mean((0, 1)) for n in range(8)])
