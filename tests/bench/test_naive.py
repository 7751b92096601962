"""The naive loop draws what the pipeline draws, and is refused as a rival when it does not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from livefilter.bench.float_network import _Cut, float_network, missing_onnx
from livefilter.bench.naive import NaiveLoop
from livefilter.errors import BackendUnavailable, EngineFailed, InvalidInput, StyleCorrupt
from livefilter.inference.base import EngineInfo, EngineOptions
from livefilter.inference.selection import why_unavailable
from livefilter.registry import ENGINES
from livefilter.styles.catalogue import Catalogue
from tests.conftest import picture

WIDTH, HEIGHT = 64, 48


def write_network(path: Path, shuffle: str | None = None, layer: str = "Conv") -> Path:
    """A network in the form of a style's whose channels all differ, so that a wrong colour order shows.

    shuffle: mode of a DepthToSpace at its end, whose convolution then has stride 2.
    """
    onnx = pytest.importorskip("onnx", reason="cutting networks needs the package onnx: pip install onnx")
    helper, numpy_helper, proto = onnx.helper, onnx.numpy_helper, onnx.TensorProto
    random = np.random.default_rng(7)
    outputs = 12 if shuffle else 3
    stride = 2 if shuffle else 1
    weights = {
        "k1_fp16": random.normal(0, 0.4, (8, 3, 3, 3)).astype(np.float16),
        "b1": random.normal(0, 0.1, 8).astype(np.float32),
        "k2": random.normal(0, 0.3, (outputs, 8, 1, 1)).astype(np.float32),
        "b2": random.normal(0, 0.2, outputs).astype(np.float32),
        "scale": 127.5,
        "inverse": 1 / 127.5,
        "one": 1.0,
        "middle": 128.0,
        "low": 0.0,
        "high": 255.0,
    }
    last = [helper.make_node("DepthToSpace", ["c2"], ["out"], blocksize=2, mode=shuffle)] if shuffle else []
    first: list[Any] = [
        helper.make_node("Cast", ["k1_fp16"], ["k1"], to=proto.FLOAT),
        helper.make_node("Conv", ["x", "k1", "b1"], ["c1"], pads=[1] * 4, strides=[stride] * 2),
    ]
    if layer != "Conv":
        first = [helper.make_node(layer, ["x"], ["x2"]), *first]
        first[2].input[0] = "x2"
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=proto.FLOAT),
        helper.make_node("Transpose", ["f"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["t", "inverse"], ["m"]),
        helper.make_node("Sub", ["m", "one"], ["x"]),
        *first,
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "k2", "b2"], ["c2" if shuffle else "out"]),
        *last,
        helper.make_node("Mul", ["out", "scale"], ["s"]),
        helper.make_node("Add", ["s", "middle"], ["a"]),
        helper.make_node("Clip", ["a", "low", "high"], ["l"]),
        helper.make_node("Transpose", ["l"], ["n"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["n"], ["styled"], to=proto.UINT8),
    ]
    stored = [
        numpy_helper.from_array(value if isinstance(value, np.ndarray) else np.array(value, np.float32), name)
        for name, value in weights.items()
    ]
    shape = [1, "height", "width", 3]
    ends = [[helper.make_tensor_value_info(name, proto.UINT8, shape)] for name in ("frame", "styled")]
    graph = helper.make_graph(nodes, "test", *ends, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())
    return path


def info(backend: str, precision: str = "float32") -> EngineInfo:
    """An engine of the test size."""
    return EngineInfo(backend, "CPU", precision, WIDTH, HEIGHT)


@pytest.mark.parametrize("shuffle", [None, "CRD", "DCR"])
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_the_float_network_draws_the_same_picture(tmp_path: Path, backend: str, shuffle: str | None) -> None:
    """Cut, reordered to RGB and scaled in numpy, the same weights give the same picture within two grey levels."""
    missing = why_unavailable(backend)
    if missing:
        pytest.skip(missing)
    network = write_network(tmp_path / "network.onnx", shuffle)
    with ENGINES.load(backend)(network, WIDTH, HEIGHT, EngineOptions()) as engine:
        styled = np.array(engine.run(picture()))
        naive = NaiveLoop(network, engine.info)
        assert naive.require_same(picture(WIDTH * 2, HEIGHT * 2), engine.run) <= 2
        exact = engine.info.precision == "float32"
    assert styled.std(axis=(0, 1)).min() > 2, "a flat picture would prove nothing"
    difference = np.abs(naive.style(picture()).astype(int) - styled.astype(int))
    assert (difference.max() if exact else difference.mean()) <= 2


@pytest.mark.parametrize("size", ["lite", "full"])
def test_the_networks_that_are_shipped_can_be_run_naively(size: str) -> None:
    """They end with crisp edges, which do not care for the order of colours."""
    if missing := why_unavailable("onnxruntime") or missing_onnx():
        pytest.skip(missing)
    network = Catalogue(user=Path("no such folder")).get("hayao").network(size).path
    with ENGINES.load("onnxruntime")(network, WIDTH, HEIGHT, EngineOptions()) as engine:
        assert NaiveLoop(network, engine.info).require_same(picture(WIDTH, HEIGHT), engine.run) <= 2


def test_what_is_joined_again_and_again_is_followed_once() -> None:
    """A damaged file may lead in a circle, and one of forty sums of a thing with itself back in 2 to the 40 ways."""

    class Counting(dict[str, Any]):
        left = 200

        def get(self, name: str, default: Any = None) -> Any:
            self.left -= 1
            assert self.left >= 0, "it does not end"
            return super().get(name, default)

    cut = _Cut.__new__(_Cut)
    cut._weights = {}
    cut._maker = Counting(
        {f"{n}": SimpleNamespace(op_type="Add", input=[f"{n + 1}", f"{n + 1}"]) for n in range(40)}
        | {"circle": SimpleNamespace(op_type="Max", input=["circle", "drawn"])}
    )
    assert cut._drawn("0") == "40"
    assert cut._drawn("circle") == "drawn"


def test_on_identity_the_naive_loop_gives_the_frame_back() -> None:
    """Scaling to float and back loses at most one level, and a frame of another size keeps its size."""
    naive = NaiveLoop(Path("none"), info("identity", "uint8"))
    image = picture()
    assert np.abs(naive.style(image).astype(int) - image.astype(int)).max() <= 1
    assert naive.style(picture(100, 70)).shape == (70, 100, 3)


def test_another_picture_is_no_comparison() -> None:
    """A naive loop that draws something else is refused before anything is timed."""
    naive = NaiveLoop(Path("none"), info("identity", "uint8"))
    with pytest.raises(EngineFailed, match="another picture than the pipeline"):
        naive.require_same(picture(), lambda image: 255 - image)


def test_a_network_of_another_build_is_refused(tmp_path: Path) -> None:
    """What cannot be cut for certain is not guessed at."""
    network = write_network(tmp_path / "network.onnx", layer="Sigmoid")
    with pytest.raises(InvalidInput, match=r"cannot rebuild network\.onnx: its first layer is Sigmoid"):
        float_network(network, WIDTH, HEIGHT)


def test_a_damaged_network_is_a_clear_error(tmp_path: Path) -> None:
    """Whatever onnx throws becomes one line that names the file."""
    pytest.importorskip("onnx", reason="cutting networks needs the package onnx: pip install onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no network at all")
    with pytest.raises(StyleCorrupt, match=r"damaged\.onnx"):
        float_network(damaged, WIDTH, HEIGHT)


def test_without_onnx_the_fix_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that cuts networks is no part of the base install, so its absence says how to get it."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert "pip install onnx" in (missing_onnx() or "")
    with pytest.raises(BackendUnavailable, match="pip install onnx"):
        NaiveLoop(tmp_path / "network.onnx", info("onnxruntime"))
