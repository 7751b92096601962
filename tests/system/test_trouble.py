"""What clients see while devices and programs come and go."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from livefilter.frame import Image
from tests.system.devices import OUTPUT, plug_in, unplug
from tests.system.pictures import CLOSE, FAR, distance
from tests.system.program import Program
from tests.system.styles import inverted, turned
from tests.system.viewer import Viewer
from tests.system.waiting import until


@pytest.mark.quick
def test_a_client_survives_a_killed_program(
    start: Callable[..., Program], view: Callable[..., Viewer], raw: Image
) -> None:
    """After kill -9 and a new start the client that kept the device open sees the new program's frames."""
    old, new = inverted(raw), turned(raw)
    first = start("-s", "inverted")
    first.serves()
    viewer = view(OUTPUT)
    assert distance(viewer.wait_for(3), old) < CLOSE
    first.kill()
    start("-s", "turned").serves()
    until(lambda: distance(viewer.newest, new) < CLOSE, "the new program's frames at the old client")
    assert distance(viewer.wait_for(5), new) < CLOSE


@pytest.mark.quick
def test_a_webcam_that_is_unplugged_comes_back(
    start: Callable[..., Program], view: Callable[..., Viewer], raw: Image
) -> None:
    """A client sees styled frames, the holding card, and styled frames again, but never the raw camera."""
    wanted = inverted(raw)
    program = start("-s", "inverted", "--hold-s", "1")
    program.serves()
    viewer = view(OUTPUT, keep=True)
    viewer.wait_for(3)
    unplug()
    program.said("Waiting for it to come back")
    until(lambda: distance(viewer.newest, wanted) > FAR, "the holding card at the client")
    plug_in()
    program.said("is back")
    until(lambda: distance(viewer.newest, wanted) < CLOSE, "styled frames at the client")
    viewer.wait_for(3)
    assert min(distance(frame, raw) for frame in viewer.frames) > FAR, "a raw frame got out"
