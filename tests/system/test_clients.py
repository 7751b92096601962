"""Every client sees moving, styled frames of the right size and colours from the webcam."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from livefilter.frame import Image
from tests.browser import CHROMIUM
from tests.system.chromium import chromium
from tests.system.clients import Seen, tell, v4l2_ctl, watch_together
from tests.system.devices import OUTPUT
from tests.system.pictures import CLOSE, FAR, distance, moves, worst_bar
from tests.system.program import Program
from tests.system.styles import inverted, rendered

FRAMES = 12


@pytest.mark.quick
def test_three_programs_see_the_styled_camera_at_once(
    start: Callable[..., Program], raw: Image, data: Path, tmp_path: Path
) -> None:
    """FFmpeg, GStreamer and v4l2-ctl watch together; each sees what the style makes of the pattern offline."""
    wanted = inverted(raw)
    start("-s", "inverted").serves()
    for seen in watch_together(OUTPUT, FRAMES, tmp_path):
        assert_styled(seen, wanted, raw)
        assert len(seen.frames) == FRAMES


@pytest.mark.quick
def test_the_bundled_style_reaches_the_camera(
    start: Callable[..., Program], raw: Image, data: Path, tmp_path: Path
) -> None:
    """The trained network's frames are those that it makes of the pattern offline."""
    wanted = rendered(raw, "hayao", 64, data, tmp_path)
    start("-s", "hayao", "--process-size", "64").serves()
    seen = v4l2_ctl(OUTPUT, FRAMES, tmp_path)
    near, far = distance(seen.frames[-1], wanted), distance(seen.frames[-1], raw)
    tell(f"{seen}; {near:.1f} levels from hayao offline, {far:.1f} from the raw picture")
    assert near < CLOSE
    assert near < far


def assert_styled(seen: Seen, wanted: Image, raw: Image) -> None:
    """Fail unless every frame is the wanted picture, and the clock in it runs."""
    bar = worst_bar(seen.frames[-1], wanted)
    near, far = distance(seen.frames[-1], wanted), distance(seen.frames[-1], raw)
    tell(f"{seen.client}: {near:.1f} levels from the style offline, {far:.1f} from raw, worst bar {bar:.1f}")
    for frame in seen.frames:
        assert distance(frame, wanted) < CLOSE, seen.client
        assert distance(frame, raw) > FAR, f"{seen.client} saw a raw frame"
    assert moves(seen.frames), f"{seen.client} saw a still picture"


def test_chromium_sees_the_styled_camera(start: Callable[..., Program], raw: Image, tmp_path: Path) -> None:
    """A page's getUserMedia finds the camera by its label and gets moving, styled frames."""
    if not CHROMIUM.exists():
        pytest.skip("no Chromium here: install the package chromium")
    start("-s", "inverted").serves()
    seen = chromium("livefilter", 60, tmp_path)
    tell(str(seen))
    assert_styled(seen, inverted(raw), raw)
