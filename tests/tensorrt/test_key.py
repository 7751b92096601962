"""Sizes and size ranges of engines."""

from __future__ import annotations

import pytest

from livefilter.errors import InvalidInput
from livefilter.tensorrt.key import FrameSize, SizeRange


def test_a_size_is_read() -> None:
    """One size is a range of one; three are smallest, best and largest."""
    assert SizeRange.parse("1280X720").fixed
    assert str(SizeRange.parse("1280x720")) == "1280x720"
    wide = SizeRange.parse("512x288:1280x720:1920x1080")
    assert not wide.fixed
    assert (wide.smallest, wide.best, wide.largest) == (
        FrameSize(512, 288),
        FrameSize(1280, 720),
        FrameSize(1920, 1080),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1280", "'1280' is no frame size"),
        ("axb", "'axb' is no frame size"),
        ("-8x8", "'-8x8' is no frame size"),
        ("645x360", "cannot be built for 645x360.*Use 648x360"),
        ("0x0", "cannot be built for 0x0.*Use 8x8"),
        ("99999x720", "up to 8192. Use 8192x720"),
        ("64x64:128x128", "no size range"),
        ("128x128:64x64:256x256", "does not rise"),
    ],
)
def test_a_wrong_size_is_refused(text: str, message: str) -> None:
    """The error names what was written and shows what could be."""
    with pytest.raises(InvalidInput, match=message):
        SizeRange.parse(text)
