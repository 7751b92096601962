"""A live run whose engine finishes the picture on an in-memory GPU looks like one that does it on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("filelock", reason="the engine store needs filelock")

from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import InvalidInput
from livefilter.frame import Frame, Image
from livefilter.inference.styler import Styler
from livefilter.live.style_switch import FrameStyler
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from livefilter.nv12 import nv12_to_bgr
from tests.conftest import frame
from tests.fakes import FakeStyler, until
from tests.inference.fake_runtime import to_nv12
from tests.tensorrt.test_engine import Machine, _installed

__all__ = ["_installed"]  # a fixture

SIZE = (90, 64)  # the engine's frame is 96 wide
CASES: list[dict[str, Any]] = [
    {},
    {"strength": 0.0},
    {"strength": 0.4},
    {"compare": True},
    {"mirror_output": True},
    {"strength": 0.6, "compare": True, "mirror_output": True},
    {"bypass": True, "mirror_output": True},
]


class Switching:
    """A stylist with a clock, whose styles are opened from a table."""

    def __init__(self, first: FrameStyler, load: Callable[[str], FrameStyler], **settings: Any) -> None:
        self.now = 0.0
        self.shared = SharedSettings(LiveSettings("first", **settings))
        self.live = LiveStylist(load, first, self.shared, Metrics(), fade_s=1.0, clock=lambda: self.now)

    def __call__(self, number: int = 0) -> Image:
        return self.live(frame(*SIZE, number)).image

    def switch(self, style: str) -> None:
        """Want another style, and go on until it is on screen."""
        self.shared.change(style=style)
        until(lambda: self(0) is not None and self.live.style == style, "the style was swapped")


def on_gpu(machine: Machine, nv12: bool = False, process_size: int = 64) -> Styler:
    """A warm styler on the in-memory GPU, which draws the negative."""

    def engine(network: Path, width: int, height: int, options: Any) -> Any:
        machine.runtime.shape = (1, height, width, 3)
        return machine.open(nv12=nv12)

    styler = Styler(machine.network, engine, process_size)
    styler.warm_up(*SIZE)
    return styler


def nothing(name: str) -> FakeStyler:
    """No style is ever switched to."""
    raise AssertionError(name)


@pytest.mark.parametrize("settings", CASES, ids=str)
def test_the_gpu_finishes_frames_as_the_cpu_does(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Within one grey level, at every setting, with a frame that does not fill the engine."""
    there = Switching(on_gpu(Machine(tmp_path).build()), nothing, **settings)
    here = Switching(FakeStyler(), nothing, **settings)
    for number in range(2):
        assert np.abs(there(number).astype(int) - here(number)).max() <= 1
    there.live.close()


def test_no_cpu_work_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither blending nor arranging is called when the GPU does it."""
    there = Switching(on_gpu(Machine(tmp_path).build()), nothing, strength=0.5, mirror_output=True)
    monkeypatch.setattr("livefilter.live.stylist.blend", None)
    monkeypatch.setattr("livefilter.live.stylist.arranged", None)
    assert there().shape == (SIZE[1], SIZE[0], 3)
    there.live.close()


@pytest.mark.parametrize("nv12", [False, True])
def test_a_style_fades_out_of_a_finished_picture(tmp_path: Path, nv12: bool) -> None:
    """Half-way it is half of each, turned the same way; the original half of the split screen stays what it is."""
    form = "nv12" if nv12 else "bgr"
    there = Switching(
        on_gpu(Machine(tmp_path, form=form).build(form=form), nv12),
        lambda name: FakeStyler(value=0),
        compare=True,
        mirror_output=True,
    )
    here = Switching(FakeStyler(), lambda name: FakeStyler(value=0), compare=True, mirror_output=True)
    for run in (there, here):
        run(0)
        run.switch("second")
        run.now = 0.5
    found, expected = there(0).astype(int), here(0).astype(int)
    assert np.abs(found - expected).mean() <= (2 if nv12 else 0.5)
    there.live.close()


def test_a_frame_that_is_scaled_is_finished_on_the_cpu(tmp_path: Path) -> None:
    """The GPU has the original only in the engine's size, so it is blended at its own."""
    machine = Machine(tmp_path).build()
    there = Switching(on_gpu(machine), nothing, strength=0.0)
    large = frame(180, 128, 3)
    assert np.array_equal(there.live(large).image, large.image)
    there.live.close()


def test_nv12_frames_leave_as_they_come_from_the_gpu(tmp_path: Path) -> None:
    """Cut to the frame, or scaled to it; what the CPU has to finish leaves as BGR."""
    there = Switching(on_gpu(Machine(tmp_path, form="nv12").build(form="nv12"), nv12=True), nothing)
    expected = 255 - frame(*SIZE, 1).image
    found = there.live(frame(*SIZE, 1))
    assert (found.width, found.height) == SIZE
    assert np.abs(found.image.astype(int) - to_nv12(expected)).max() <= 1
    there.shared.change(bypass=True)
    assert np.array_equal(there(1), frame(*SIZE, 1).image)
    there.shared.change(bypass=False)
    wide = there.live(frame(180, 128, 1))
    assert (wide.image.ndim, wide.width, wide.height) == (2, 180, 128)
    there.shared.change(strength=0.5)
    half = there.live(frame(180, 128, 1)).image
    assert half.ndim == 3
    assert np.abs(half.astype(int) - 127).mean() < 10
    there.live.close()


def test_odd_frames_cannot_be_nv12(tmp_path: Path) -> None:
    """One line says why and what to do; nothing stays open."""
    machine = Machine(tmp_path, form="nv12").build(form="nv12")
    styler = on_gpu(machine, nv12=True)
    with pytest.raises(InvalidInput, match=r"Frames of 95x64 cannot be NV12.*Leave out --nv12"):
        styler.warm_up(95, 64)
    styler.close()
    assert machine.driver.left == {}


def test_bgr_frames_are_never_taken_for_nv12() -> None:
    """The number of axes tells them apart."""
    given = Frame(to_nv12(frame(*SIZE).image), 0, 0.0)
    assert nv12_to_bgr(given.image).shape == (SIZE[1], SIZE[0], 3)
