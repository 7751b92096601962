"""How many times smaller than its frames a GPU draws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions, shared_by
from livefilter.inference.engine_pool import EnginePool
from livefilter.inference.smaller import times_smaller, usual_smaller
from livefilter.inference.styler import Styler
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network import Network
from tests.inference.networks import write_style_network


class Coarse(Engine):
    """Draws black, as many times smaller as it is told."""

    draws_smaller = True
    opened: list[tuple[int, int, int]]

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions | None = None) -> None:
        self.info = EngineInfo("coarse", "test", "float32", width, height)
        type(self).opened.append((width, height, options.smaller if options else 0))

    def run(self, image: Image, strength: float = 1.0) -> Image:
        return np.zeros_like(image)

    def close(self) -> None:
        """Holds nothing."""


@pytest.fixture(autouse=True)
def opened() -> list[tuple[int, int, int]]:
    """What was opened."""
    Coarse.opened = []
    return Coarse.opened


def crisp() -> Network:
    """One that is shipped."""
    return Catalogue(user=Path("no such folder")).get("hayao").network("lite")


@pytest.mark.parametrize(
    ("short", "times"),
    [(64, 1), (480, 1), (540, 1), (639, 1), (640, 2), (720, 2), (768, 2), (1080, 3), (1440, 4), (2160, 6)],
)
def test_the_factor_comes_nearest_to_360_lines(short: int, times: int) -> None:
    """And leaves 320 at least."""
    assert times_smaller(short) == times


@pytest.mark.parametrize(
    ("size", "fit"),
    [
        ((1280, 720), (1280, 720, 2)),
        ((720, 1280), (720, 1280, 2)),
        ((1366, 768), (1376, 768, 2)),
        ((480, 480), (480, 480, 1)),
    ],
)
def test_auto_leaves_it_to_the_engine(
    opened: list[tuple[int, int, int]], size: tuple[int, int], fit: tuple[int, int, int]
) -> None:
    """The engine takes the frame as it is, filled up to what it can be divided by; the size is that of the drawing."""
    styler = Styler(crisp(), Coarse, most=360)
    styler.warm_up(*size)
    assert opened == [fit]
    assert styler.working_size == min(size) // fit[2]
    assert styler(np.zeros((size[1], size[0], 3), np.uint8)).shape == (size[1], size[0], 3)


def test_sizes_that_auto_came_to_are_left_to_the_engine_and_wishes_are_not(opened: list[tuple[int, int, int]]) -> None:
    """So that a rung of the ladder is what a start opens, and an own size what it ever was."""
    for size, most in ((360, 360), (360, None), (288, 360), ("auto", None)):
        Styler(crisp(), Coarse, size, most=most).warm_up(1280, 720)  # type: ignore[arg-type]
    assert opened == [(1280, 720, 2), (640, 360, 1), (512, 288, 1), (1280, 720, 1)]


def test_networks_of_others_are_drawn_at_their_size(tmp_path: Path, opened: list[tuple[int, int, int]]) -> None:
    """Their edges are not made crisp afterwards."""
    path = write_style_network(tmp_path / "full.onnx")
    Styler(replace(crisp(), path=path, sha256=""), Coarse, most=360).warm_up(1280, 720)
    assert opened == [(1280, 720, 1)]
    assert (usual_smaller(path, 1280, 720), usual_smaller(crisp().path, 1280, 720)) == (1, 2)


def test_the_largest_size_that_fits_the_budget_is_measured(opened: list[tuple[int, int, int]]) -> None:
    """Where everything does, it is the one that comes nearest to 360 lines, and nothing else is opened for it."""
    styler = Styler(crisp(), Coarse, most=360, budget_ms=1e6)
    styler.warm_up(1920, 1080)
    assert opened == [(1920, 1080, 3)]
    assert styler.auto_sizes(1080) == [240, 288, 360]
    assert (styler.size_reason or "").startswith("Styling at 640x360")


def test_a_shared_engine_can_draw_smaller_as_well() -> None:
    """Whoever asks for one has to know it."""
    assert getattr(shared_by(Coarse, EnginePool()), "draws_smaller", False)
