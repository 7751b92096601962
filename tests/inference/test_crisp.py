"""Edges are crisp at the size at which viewers see a drawing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.crisp import Crisp
from livefilter.inference.engine_pool import EnginePool
from livefilter.inference.geometry import fit_network
from livefilter.inference.part_styler import PartStyler
from livefilter.inference.precision import form_of
from livefilter.inference.selection import why_unavailable
from livefilter.inference.styler import Styler
from livefilter.registry import ENGINES
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network import Network
from livefilter.styles.network_edit import without_crisp
from tests.conftest import picture


class Soft(Engine):
    """Gives what it is given, and leaves edges to whoever asked for that."""

    leaves_crisp = True

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions) -> None:
        self.info = EngineInfo("soft", "none", "uint8", width, height)
        self.contrast = 4.0 if options.soft else 0.0

    def run(self, image: Image, strength: float = 1.0) -> Image:
        return image

    def close(self) -> None:
        pass


def slope(width: int = 96, height: int = 64) -> Image:
    """From 40 to 200 within 4 pixels around the middle."""
    row = np.clip((np.arange(width) - width / 2 + 2.5) / 4, 0, 1) * 160 + 40
    return np.repeat(np.repeat(row[None, :, None], height, 0), 3, 2).round().astype(np.uint8)


def between(image: Image) -> int:
    """How many pixels of a row are well between dark and bright."""
    return int(((image[20, :, 0] > 56) & (image[20, :, 0] < 184)).sum())


def test_each_value_moves_away_from_the_middle_and_not_beyond_what_is_around_it() -> None:
    """By the definition, pixel by pixel, on noise."""
    image = picture(24, 20, 1)
    found = Crisp().scaled(image, (24, 20), 4.0)
    around = np.pad(image.astype(float), ((1, 1), (1, 1), (0, 0)), "edge")
    nine = np.stack([around[y : y + 20, x : x + 24] for y in range(3) for x in range(3)])
    least, greatest = nine.min(0), nine.max(0)
    meant = np.clip(4.0 * image - 3.0 * (least + greatest) / 2, least, greatest)
    assert np.abs(found - meant).max() <= 2  # the middle is rounded


@pytest.mark.parametrize("larger", [2.0, 3.0, 4.0])
def test_an_enlarged_edge_is_made_crisp_once_it_is_large(larger: float) -> None:
    """It is no wider than one that was made crisp before, and from three times on thinner."""
    size = round(96 * larger), round(64 * larger)
    before = between(Crisp().scaled(Crisp().scaled(slope(), (96, 64), 4.0), size))
    plain, crisp = between(Crisp().scaled(slope(), size)), between(Crisp().scaled(slope(), size, 4.0))
    assert crisp <= before < plain
    assert crisp < before or larger < 3


def test_what_is_hardly_a_drawing_is_enlarged_with_its_own_edges() -> None:
    """At a strength near 0 a picture is as good as the photo."""
    size = 288, 192
    faint, full = (between(Crisp().scaled(slope(), size, 4.0, strength)) for strength in (0.05, 1.0))
    assert faint > 2 * full


def test_edges_of_a_large_frame_are_made_crisp_before_its_size() -> None:
    """At 1280x720, which takes less than half as long; what is drawn larger than that, at its own size."""
    shown = Crisp().scaled(slope(480, 270), (1920, 1080), 4.0)
    middle = Crisp().scaled(slope(480, 270), (1280, 720), 4.0)
    assert np.array_equal(shown, cv2.resize(middle, (1920, 1080), interpolation=cv2.INTER_CUBIC))
    own = slope(1440, 810)
    meant = cv2.resize(Crisp().scaled(own, (1440, 810), 4.0), (1920, 1080), interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(Crisp().scaled(own, (1920, 1080), 4.0), meant)


def test_without_contrast_a_drawing_is_only_scaled() -> None:
    """A new array in any case."""
    image = picture(64, 48, 2)
    same, larger = Crisp().scaled(image, (64, 48)), Crisp().scaled(image, (128, 96))
    assert same is not image
    assert np.array_equal(same, image)
    assert np.array_equal(larger, cv2.resize(image, (128, 96), interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("size", [(96, 64), (192, 128), (1536, 1024)], ids=["own", "larger", "large"])
def test_results_do_not_share_memory(size: tuple[int, int]) -> None:
    """A caller may keep one while the next is made."""
    crisp, given = Crisp(), slope()
    one = crisp.scaled(given, size, 4.0)
    kept = one.copy()
    crisp.scaled(255 - slope(), size, 4.0)
    assert np.array_equal(given, slope())
    assert np.array_equal(one, kept)


def test_stylers_make_crisp_what_an_engine_left_soft() -> None:
    """A whole frame and a part of it, an engine alone and one that is shared."""
    image, meant = slope(192, 128), Crisp().scaled(Crisp().scaled(slope(192, 128), (96, 64)), (192, 128), 4.0)
    pool = EnginePool()
    for options in (EngineOptions(), EngineOptions(shared=pool)):
        styler = Styler(Path("none"), Soft, 64, options)
        assert np.array_equal(styler(image), meant)
        styler.close()
    part = PartStyler(Network("none", "lite", Path("none"), ""), Soft, fit_network(192, 128, 64), 96, 64)
    assert np.array_equal(part.draw(image, 0, 0), meant)
    part.close()


class Whole(Soft):
    """As graphics cards draw: whole."""

    leaves_crisp = False


@pytest.mark.parametrize("budget_ms", [None, 1000.0])
def test_what_is_enlarged_crisp_is_drawn_with_few_lines(budget_ms: float | None) -> None:
    """Where nobody named a size, and by engines and networks alone that can; a small frame at its own size."""
    crisp = Catalogue(user=Path("no such folder")).get("hayao").network("lite")
    other = Network("none", "lite", Path("none"), "")
    found = []
    for network, engine, asked, height in (
        (crisp, Soft, "auto", 272),
        (crisp, Soft, 200, 272),
        (crisp, Soft, "auto", 96),
        (crisp, Whole, "auto", 272),
        (other, Soft, "auto", 272),
    ):
        styler = Styler(network, engine, asked, budget_ms=budget_ms, most=120)  # type: ignore[arg-type]
        styler.warm_up(480, height)
        found.append(styler.working_size)
        styler.close()
    assert found == [120, 200, 96, 272, 272]


def test_the_networks_that_are_shipped_are_enlarged_crisp() -> None:
    """All of them; and a file that cannot be read is none."""
    styles = Catalogue(user=Path("no such folder")).styles
    assert all(network.is_crisp for style in styles for network in style.networks.values())
    assert not Network("none", "lite", Path("none"), "").is_crisp


@pytest.mark.parametrize("precision", ["float", "int8"])
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_an_engine_leaves_edges_soft_where_it_is_asked_to(backend: str, precision: str) -> None:
    """With a network that is shipped: made crisp afterwards it is the picture that the whole network draws."""
    if why_unavailable(backend):
        pytest.skip(f"{backend} is not installed")
    kind, image = ENGINES.load(backend), cv2.resize(picture(60, 40, 3), (240, 160), interpolation=cv2.INTER_CUBIC)
    network = Catalogue(user=Path("no such folder")).get("hayao").network("lite")
    path = network.int8_path if precision == "int8" else network.path
    assert path is not None
    options = replace(form_of(path, kind, EngineOptions())[1], precision=precision)  # type: ignore[arg-type]
    with kind(path, 240, 160, options) as whole, kind(path, 240, 160, replace(options, soft=True)) as soft:
        assert (whole.contrast, soft.contrast) == (0.0, 4.0)
        meant, left = whole.run(image).copy(), soft.run(image).copy()
    found = Crisp().scaled(left, (240, 160), soft.contrast)
    apart = [np.abs(each.astype(int) - meant).mean() for each in (left, found)]
    assert apart[1] < 0.5 < 1.0 < apart[0]


def test_only_the_layer_of_livefilters_own_networks_is_left_out(tmp_path: Path) -> None:
    """Names alone do not make a network one of them."""
    onnx = pytest.importorskip("onnx")
    own = Catalogue(user=Path("no such folder")).get("hayao").network("lite").path.read_bytes()
    soft, contrast = without_crisp(own)
    onnx.checker.check_model(onnx.load_model_from_string(soft), full_check=True)
    assert contrast == 4.0
    assert without_crisp(soft) == (soft, 0.0)
    other = onnx.load_model_from_string(own)
    next(node for node in other.graph.node if node.op_type == "Neg").op_type = "Abs"
    data = other.SerializeToString()
    assert without_crisp(data) == (data, 0.0)


def _stored(tensor: Any, value: float | None = None, kind: type = np.float32) -> None:
    onnx = pytest.importorskip("onnx")
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.array(4.0 if value is None else value, kind), "crisp"))


def _as_a_list(tensor: Any) -> None:
    onnx = pytest.importorskip("onnx")
    tensor.CopyFrom(onnx.helper.make_tensor("crisp", onnx.TensorProto.FLOAT, [], [4.0]))


@pytest.mark.parametrize(
    "change",
    [
        _as_a_list,
        lambda tensor: _stored(tensor, kind=np.float64),
        lambda tensor: _stored(tensor, kind=np.int32),
        lambda tensor: _stored(tensor, float("nan")),
        lambda tensor: _stored(tensor, float("inf")),
        lambda tensor: _stored(tensor, 0.0),
        lambda tensor: tensor.ClearField("raw_data"),
    ],
    ids=["list", "double", "integer", "nan", "inf", "zero", "nothing"],
)
def test_a_contrast_that_livefilter_did_not_write_stays_in_the_network(change: Callable[[Any], None]) -> None:
    """The runtime draws with it, or says what is wrong with it: another tool may have written the file anew."""
    onnx = pytest.importorskip("onnx")
    own = Catalogue(user=Path("no such folder")).get("hayao").network("lite").path.read_bytes()
    other = onnx.load_model_from_string(own)
    change(next(tensor for tensor in other.graph.initializer if tensor.name == "crisp"))
    data = other.SerializeToString()
    assert without_crisp(data) == (data, 0.0)


def test_names_of_the_layer_in_odd_places_change_nothing() -> None:
    """On nodes without inputs, on both sides of a node, twice, or the other way round."""
    onnx = pytest.importorskip("onnx")
    own = Catalogue(user=Path("no such folder")).get("hayao").network("lite").path.read_bytes()
    for odd in ("idle", "twice", "reversed"):
        other = onnx.load_model_from_string(own)
        users = [node for node in other.graph.node if {"crisp", "scale"} & set(node.input)]
        assert len(users) == 2
        if odd == "idle":
            other.graph.node.append(onnx.helper.make_node("Identity", ["crisp"], ["scale_too"]))
            other.graph.node.append(onnx.helper.make_node("Constant", [], []))
        elif odd == "twice":
            other.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(4), "crisp"))
        else:
            for node in users:
                names = list(node.input)[::-1]
                del node.input[:]
                node.input.extend(names)
        data = other.SerializeToString()
        assert without_crisp(data) == (data, 0.0), odd


def test_a_damaged_network_is_said_to_be_one() -> None:
    """Whatever bytes are lost or changed, there is a ValueError or a file, which the runtime judges."""
    random = np.random.default_rng(5)
    own = Catalogue(user=Path("no such folder")).get("hayao").network("lite").path.read_bytes()
    graph = [*range(400), *range(len(own) - 12_000, len(own))]
    for _ in range(60):
        data = bytearray(own)
        for at in random.choice(graph, 3):
            data[at] = random.integers(256)
        for each in (bytes(data), bytes(data[: random.integers(len(data))])):
            with contextlib.suppress(ValueError):
                without_crisp(each)
