"""The bundled styles draw what they drew when they were last looked at."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from livefilter.frame import Image
from livefilter.inference.base import Precision
from livefilter.inference.hardware import multiplies_bytes
from livefilter.inference.selection import why_unavailable
from tests.styles.golden import FOLDER, bundled, photo, styled

FORMS: tuple[Precision, Precision] = ("float", "int8")


def flatness(image: Image) -> float:
    """Median of the local standard deviation of brightness over 5x5 pixels: small where regions are flat."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float32)
    mean, square = cv2.blur(grey, (5, 5)), cv2.blur(grey * grey, (5, 5))
    return float(np.median(np.sqrt(np.maximum(square - mean * mean, 0))))


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(("style", "size"), bundled())
def test_a_style_draws_its_golden_picture(style: str, size: str, backend: str) -> None:
    """On every CPU backend the demo photo comes out as the stored picture, but for rounding."""
    if reason := why_unavailable(backend):
        pytest.skip(reason)
    golden = cv2.imread(str(FOLDER / f"{style}-{size}.png"))
    assert golden is not None
    difference = np.abs(styled(style, photo(192), backend, size).astype(int) - golden)
    assert difference.mean() < 0.5
    assert np.percentile(difference, 99.9) <= 8  # bytes that rounding sets one apart are four apart at a crisp edge


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(("style", "size"), bundled())
def test_the_int8_form_of_a_style_draws_the_same(style: str, size: str, backend: str) -> None:
    """Half the time, and the same picture: 36 dB or more, which is three grey levels and a half."""
    if reason := why_unavailable(backend):
        pytest.skip(reason)
    if not multiplies_bytes():
        pytest.skip("this processor has no VNNI")
    wanted, found = (styled(style, photo(384), backend, size, form).astype(float) for form in FORMS)
    error = float(((found - wanted) ** 2).mean())
    assert error > 0, "it is the same file"
    assert 10 * np.log10(255**2 / error) > 36


@pytest.mark.parametrize(("style", "size"), bundled())
def test_a_style_draws_lines_and_flat_regions(style: str, size: str) -> None:
    """The styled photo is flatter than the photo between its lines, with clearer lines, and is not the photo."""
    before = photo(384)
    after = styled(style, before, size=size)
    assert np.abs(after.astype(int) - before).mean() > 5
    assert flatness(after) < 0.9 * flatness(before)
    assert clearness(after) > 1.1 * clearness(before)


def clearness(picture: Image) -> float:
    """How many of the pixels on dark lines are on clear ones: difference of Gaussians above 10 of those above 3."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    lines = cv2.GaussianBlur(grey, (0, 0), 2.0) - cv2.GaussianBlur(grey, (0, 0), 0.9)
    return float((lines > 10).sum() / (lines > 3).sum())
