"""What a look means on the CPU, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from livefilter.inference.look import Look
from tests.conftest import picture
from tests.inference.looks import LOOKS, finished_on_the_cpu

WIDTH, HEIGHT = 96, 8


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_cpu_does_what_the_columns_say(look: Look) -> None:
    """`Look.columns` is the definition: a share of the styled picture, a least level and a source for each column."""
    original = picture(WIDTH, HEIGHT)
    styled = 255 - original
    share, _, least, source = look.columns(WIDTH)
    mixed = np.maximum(original + (styled.astype(float) - original) * share[:, 0, None], least[:, 0, None])
    shown = look.width or WIDTH
    expected = mixed[:, source[:, 0].astype(int)][:, :shown]
    assert np.abs(finished_on_the_cpu(original, styled, look) - expected).max() <= 1
