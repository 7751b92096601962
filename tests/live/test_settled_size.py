"""The size at which later styles are styled."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefilter.inference.crisp import LIVE_LINES
from livefilter.live.settled_size import SettledSize
from livefilter.live.style_loader import StyleLoader
from livefilter.styles.accepts import Accepts
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network import Network


def network(macs: float, accepts: Accepts | None = None) -> Network:
    """A network of that cost."""
    return Network("ink", "lite", Path("lite.onnx"), "0" * 64, macs_per_pixel=macs, accepts=accepts or Accepts())


@pytest.mark.parametrize(("macs", "size"), [(9000, 540), (100, 540), (12000, 360), (400_000, 240), (0, 540)])
def test_a_heavier_style_is_styled_smaller(macs: float, size: int) -> None:
    """What was measured stays for cheaper networks and shrinks to a size of the list for dearer ones."""
    sizes = SettledSize("auto")
    assert sizes.of(network(9000)) == "auto"
    sizes.settle(network(9000), 540)
    assert sizes.of(network(macs)) == size


def test_a_number_holds_for_every_style() -> None:
    """What the user asks for is not changed."""
    sizes = SettledSize(480)
    sizes.settle(network(9000), 480)
    assert sizes.of(network(400_000)) == 480


def test_a_network_of_one_size_settles_nothing() -> None:
    """The next one is measured."""
    sizes = SettledSize("auto")
    sizes.settle(network(9000, Accepts(size=(224, 224))), 126)
    assert sizes.of(network(9000)) == "auto"


def test_a_style_with_crisp_edges_comes_down_to_what_suits_it() -> None:
    """After an imported one that was drawn at the frame's size, and on a processor alone."""
    loader = StyleLoader.__new__(StyleLoader)
    loader._sizes = SettledSize("auto")
    crisp = Catalogue(user=Path("no such folder")).get("hayao").network("lite")
    loader._ready = "onnxruntime"
    assert loader._size_of(crisp) == "auto"
    loader._sizes.settle(network(0), 720)
    assert loader._size_of(crisp) == LIVE_LINES
    assert loader._size_of(network(0)) == 720
    loader._ready = "identity"
    assert loader._size_of(crisp) == 720
