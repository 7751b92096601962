"""Styles change under a client's eyes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from livefilter.frame import Image
from tests.system.clients import tell
from tests.system.devices import OUTPUT
from tests.system.pictures import CLOSE, distance
from tests.system.program import Program
from tests.system.styles import inverted, key_of, turned
from tests.system.viewer import Viewer
from tests.system.waiting import until

SWITCHES = 200
_FRAME_MS = 1000 / 30


def test_200_switches_show_no_raw_frame(
    start: Callable[..., Program], view: Callable[..., Viewer], raw: Image, data: Path
) -> None:
    """A client sees the two styles and their cross-fades in turn, and never anything nearer to the raw picture."""
    program = start("-s", "inverted", "--fade-ms", "60")
    program.serves()
    viewer = view(OUTPUT, keep=True)
    viewer.wait_for(5)
    pause = threading.Event()
    seen = 0
    styled = {"turned": turned(raw), "inverted": inverted(raw)}
    keys = {name: key_of(name, data) for name in styled}
    for number, name in enumerate([*styled] * (SWITCHES // 2)):
        program.press(keys[name])
        if number % 20 < 2:
            until(lambda name=name: distance(viewer.newest, styled[name]) < CLOSE, f"style {name} at the client")  # type: ignore[misc]
            seen += 1
        else:
            pause.wait(0.1)  # most presses come while the style before is still being loaded
    viewer.wait_for(5)
    viewer.close()
    shares = np.linspace(0, 1, 21)
    one, other = (picture.astype(float) for picture in styled.values())
    blends = [np.asarray(one * (1 - share) + other * share, np.uint8) for share in shares]
    nearest = min(distance(blend, raw) for blend in blends)
    got = min(distance(frame, raw) for frame in viewer.frames)
    gaps = np.diff(viewer.written) * 1000
    late = int((gaps > 2 * _FRAME_MS).sum())
    tell(
        f"{SWITCHES} switches, {seen} waited for, {viewer.count} frames; nearest to raw {got:.0f} levels, a cross-fade "
        f"comes as near as {nearest:.0f}; between frames as they were written p50 {np.median(gaps):.0f} ms, p99 "
        f"{np.percentile(gaps, 99):.0f} ms, longest {gaps.max():.0f} ms, {late} longer than two frame times"
    )
    assert nearest > 2 * CLOSE
    assert got > nearest - CLOSE, "a raw frame got out"


def test_bypass_is_the_only_way_to_the_raw_picture(
    start: Callable[..., Program], view: Callable[..., Viewer], raw: Image
) -> None:
    """Bypass shows the camera as it is, and the next press the style, 20 times; every frame is one of the two."""
    program = start("-s", "inverted")
    program.serves()
    viewer = view(OUTPUT, keep=True)
    styled = inverted(raw)
    until(lambda: viewer.count > 0 and distance(viewer.newest, styled) < CLOSE, "styled frames")
    for _ in range(20):
        program.press("b")
        until(lambda: distance(viewer.newest, raw) < CLOSE, "raw frames after b")
        program.press("b")
        until(lambda: distance(viewer.newest, styled) < CLOSE, "styled frames after b")
    viewer.close()
    assert all(min(distance(frame, raw), distance(frame, styled)) < CLOSE for frame in viewer.frames)
