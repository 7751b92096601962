"""A part of a frame is drawn as the whole is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from livefilter.errors import EngineFailed, InvalidInput
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.geometry import fit_network
from livefilter.inference.part_styler import PartStyler
from livefilter.inference.selection import why_unavailable
from livefilter.inference.styler import Styler
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network import Network
from tests.conftest import picture

NOTHING = Network("none", "lite", Path("none"), "")


class Negative(Engine):
    """Gives the negative of what it is given, which it keeps."""

    given: Image

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions | None = None) -> None:
        self.info = EngineInfo("negative", "nothing", "uint8", width, height)

    def run(self, image: Image, strength: float = 1.0) -> Image:
        assert image.shape == (self.info.height, self.info.width, 3)
        assert image.flags.c_contiguous
        Negative.given = image
        return 255 - image

    def close(self) -> None:
        pass


@pytest.mark.parametrize("network", ["lite", "full"])
def test_a_part_is_drawn_as_the_whole_is_but_near_its_sides(network: str) -> None:
    """With a network that is shipped: 32 pixels from a side of the part nobody could tell the two."""
    if why_unavailable("onnxruntime"):
        pytest.skip("onnxruntime is not installed")
    known, image = Catalogue().get("hayao").networks[network], picture(480, 272, 5)
    whole, part = (
        Styler(known, "onnxruntime", 136),
        PartStyler(known, "onnxruntime", fit_network(480, 272, 136), 160, 136, EngineOptions()),
    )
    meant, found = whole(image), part.draw(image, 40, 0)
    inside = slice(0, 272), slice(2 * (40 + 32), 2 * (40 + 160 - 32))
    apart = np.abs(found[inside].astype(int) - meant[inside])
    assert apart.mean() < 1.5  # grey levels; of noise, which is the hardest to draw alike
    assert apart.max() <= 24
    assert np.abs(found.astype(int) - meant)[:, 420:].mean() > 20, "what is around it is not drawn"
    whole.close()
    part.close()


@pytest.mark.parametrize(("size", "process"), [((64, 48), 48), ((128, 96), 48), ((100, 70), 70)])
def test_the_part_lies_where_it_was_asked_for(size: tuple[int, int], process: int) -> None:
    """In frames of the network's size, of another one, and in such as are filled up."""
    image = picture(*size)
    fit = fit_network(*size, process)
    part = PartStyler(NOTHING, Negative, fit, 40, 32)
    found = part.draw(image, 24, 16)
    assert found.shape == image.shape
    scale = size[0] / fit.width
    inside = (
        slice(round((16 + 2) * scale), round(min(46, fit.height - 2) * scale)),
        slice(round(26 * scale), round(62 * scale)),
    )
    assert np.abs(found[inside].astype(int) - (255 - image[inside])).mean() < 12
    assert (found[: int(12 * scale)] == 0).all()


def test_a_part_is_within_the_frame() -> None:
    """A larger one is refused with both; a closed one says so."""
    fit = fit_network(64, 48, 48)
    with pytest.raises(InvalidInput, match="96x64"):
        PartStyler(NOTHING, Negative, fit, 96, 64)
    part = PartStyler(NOTHING, Negative, fit, 40, 48)
    part.close()
    part.close()
    with pytest.raises(EngineFailed, match="closed"):
        part.draw(picture(64, 48), 0, 0)


def test_a_part_that_moved_is_not_blended_with_the_one_before() -> None:
    """Steadying holds where the part stays, and begins anew where it goes."""
    part = PartStyler(NOTHING, Negative, fit_network(64, 64, 64), 32, 32, steady=True, clock=lambda: 1.0)
    dark, light = np.full((64, 64, 3), 20, np.uint8), np.full((64, 64, 3), 21, np.uint8)
    part.draw(dark, 0, 0)
    held = int(part.draw(light, 0, 0)[8, 8, 0])
    assert held == 235
    assert int(part.draw(light, 8, 0)[8, 12, 0]) == 234
