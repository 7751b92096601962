"""A style that is ready at several sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from livefilter.errors import EngineMismatch
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.styler import Styler
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.governor.rung import Rung

RUNGS = tuple(Rung("lite", size, float(size * size)) for size in (64, 96, 128, 160, 192))
FRAME = np.full((192, 256, 3), 100, np.uint8)


class FlatEngine(Engine):
    """Paints every frame in the grey of its own height; `opened` and `shut` count all of them, by height."""

    opened: list[int]
    shut: list[int]

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions | None = None) -> None:
        self.info = EngineInfo("flat", "nothing", "uint8", width, height)
        self._open = True
        FlatEngine.opened.append(height)

    def run(self, image: Image, strength: float = 1.0) -> Image:
        assert self._open
        return np.full_like(image, self.info.height)

    def close(self) -> None:
        if self._open:
            FlatEngine.shut.append(self.info.height)
        self._open = False


@pytest.fixture(autouse=True)
def _fresh() -> None:
    FlatEngine.opened, FlatEngine.shut = [], []


class Now:
    """A clock that stands until it is moved."""

    at_s = 0.0

    def __call__(self) -> float:
        return self.at_s


def open_rung(rung: Rung) -> Styler:
    """A cold styler at a rung."""
    return Styler(Path("none"), FlatEngine, rung.size)


def ladder(at: int = 2, fade_s: float = 0.0, clock: Now | None = None) -> LadderStyler:
    """A ladder whose rung `at` is open and warm for FRAME."""
    first = open_rung(RUNGS[at])
    first.warm_up(256, 192)
    styler = LadderStyler(RUNGS, (at, first), open_rung, lambda used: None, fade_s, clock or Now())
    styler(FRAME)
    return styler


def grey(image: Image) -> int:
    """The one grey level of a picture."""
    assert image.min() == image.max()
    return int(image[0, 0, 0])


def test_neighbours_are_opened_beforehand() -> None:
    """The two sizes below, the smallest one and the next one above are opened and warm before they are wanted."""
    styler = ladder(at=3)
    while styler.prepare():
        pass
    assert sorted(FlatEngine.opened) == [64, 96, 128, 160, 192]
    assert not styler.prepare()


def test_a_change_opens_nothing_and_comes_at_the_next_frame() -> None:
    """After `want`, the next frame is styled by the other engine, which was there already."""
    styler = ladder()
    while styler.prepare():
        pass
    before = len(FlatEngine.opened)
    styler.want(RUNGS[1])
    assert (grey(styler(FRAME)), styler.rung) == (96, RUNGS[1])
    assert len(FlatEngine.opened) == before


def test_a_climb_waits_until_its_engine_is_open() -> None:
    """A size that nobody prepared is not opened by the frame; the old one goes on until `prepare` has opened it."""
    styler = ladder(at=0)
    styler.want(RUNGS[4])
    assert grey(styler(FRAME)) == 64
    assert styler.prepare()
    assert grey(styler(FRAME)) == 192
    assert styler.engine_info.height == 192


def test_on_the_way_down_the_nearest_open_one_helps_at_once() -> None:
    """When the wanted smaller size is not open yet, the smallest open one above it is taken meanwhile."""
    styler = ladder(at=4)
    styler.prepare()  # the next one below, 160
    styler.want(RUNGS[1])
    assert grey(styler(FRAME)) == 160
    while styler.prepare():
        pass
    assert grey(styler(FRAME)) == 96


def test_engines_that_are_far_away_are_closed() -> None:
    """What is neither near nor the smallest frees its memory."""
    styler = ladder(at=4)
    while styler.prepare():
        pass
    styler.want(RUNGS[0])
    styler(FRAME)
    while styler.prepare():
        pass
    assert set(FlatEngine.shut) == {128, 160, 192}


def test_a_change_is_faded() -> None:
    """From one size to the next the picture changes over the time of the fade and not at once, down and up."""
    clock = Now()
    styler = ladder(at=2, fade_s=1.0, clock=clock)
    while styler.prepare():
        pass
    for rung, levels in ((1, [128, 112, 96, 96]), (2, [96, 112, 128, 128])):
        styler.want(RUNGS[rung])
        seen = []
        for _ in levels:
            seen.append(grey(styler(FRAME)))
            clock.at_s += 0.5
        assert seen == levels


def test_an_engine_that_is_not_there_leaves_the_ladder() -> None:
    """A size whose engine cannot be opened is left out, and what runs goes on."""

    def refuse(rung: Rung) -> Styler:
        raise EngineMismatch("nobody built it")

    first = open_rung(RUNGS[2])
    first.warm_up(256, 192)
    styler = LadderStyler(RUNGS, (2, first), refuse, lambda used: None)
    styler(FRAME)
    styler.want(RUNGS[0])
    while styler.prepare():
        pass
    assert RUNGS[0] not in styler.rungs
    assert styler.rung is RUNGS[2]
    while styler.prepare():
        pass
    assert grey(styler(FRAME)) == 128


def test_frames_of_another_size_are_styled_at_once() -> None:
    """When the input's size changes, the engine that runs follows, and the others are opened anew."""
    styler = ladder(at=1)
    while styler.prepare():
        pass
    assert styler(np.zeros((256, 192, 3), np.uint8)).shape == (256, 192, 3)
    assert set(FlatEngine.shut) >= {64, 128}
    assert styler.prepare()


def test_close_frees_every_engine_and_can_be_called_twice() -> None:
    """Nothing stays open."""
    styler = ladder()
    while styler.prepare():
        pass
    styler.close()
    styler.close()
    assert sorted(FlatEngine.shut) == sorted(FlatEngine.opened)
    assert not styler.prepare()
