"""Real builds with TensorRT-RTX, which needs no GPU to build."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnx", reason="engine builds need onnx")
pytest.importorskip("filelock", reason="engine builds need filelock")

from livefilter.errors import BuildCancelled
from livefilter.generator.engine_builder import EngineBuilder, EngineRequest
from livefilter.generator.engine_key import SizeRange
from livefilter.generator.engine_store import EngineStore
from livefilter.generator.flavour import FLAVOURS
from livefilter.styles.catalogue import Catalogue
from tests.generator.networks import normalising

STYLES = {
    network.label: network.path
    for style in Catalogue(user=Path("no-such-folder")).styles
    for network in style.networks.values()
}


@pytest.fixture(scope="module")
def rtx() -> Any:
    """The tensorrt_rtx module."""
    return pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: pip install '.[rtx]'")


def request(path: Path, size: str, precision: str = "fp16") -> EngineRequest:
    """A request for the rtx flavour."""
    return EngineRequest(path, path.parent.name, "CC0-1.0", SizeRange.parse(size), FLAVOURS["rtx"], precision)


@pytest.mark.parametrize("size", ["512x512", "1280x720", "512x288:1280x720:1920x1080"])
@pytest.mark.parametrize("style", [*STYLES, "norms"])
def test_every_network_builds(rtx: Any, tmp_path: Path, style: str, size: str) -> None:
    """Each bundled style, and a network with norms and reflect padding, builds in FP16 with bytes in and out."""
    path = STYLES.get(style) or normalising(tmp_path / "norms.onnx")
    fractions: list[float] = []
    store = EngineStore(tmp_path / "engines")
    builder = EngineBuilder(store, lambda _: None, lambda fraction, _: fractions.append(fraction))
    engine, built = builder.obtain(request(path, size))
    assert built
    assert engine.sidecar is not None
    assert store.load(engine.sidecar.key)[0]
    layers = engine.sidecar.layers
    convolutions = {layer["precision"] for layer in layers if layer["type"] == "convolution"}
    assert convolutions == {"half"}
    assert layers[-1]["precision"] == "uint8"
    assert [figure["picture"] for figure in engine.sidecar.check] == ["photo", "dark photo", "colour ramp", "noise"]
    assert fractions[-1] == 1
    assert len(set(fractions)) > 5
    assert not builder.obtain(request(path, size))[1]


def test_float32_stays_float32(rtx: Any, tmp_path: Path) -> None:
    """With fp32 no layer computes in half precision, and nothing is checked."""
    engine, _ = EngineBuilder(EngineStore(tmp_path), lambda _: None).obtain(
        request(STYLES["hayao-lite"], "64x64", "fp32")
    )
    assert engine.sidecar is not None
    assert "half" not in {layer["precision"] for layer in engine.sidecar.layers if layer["type"] == "convolution"}
    assert engine.sidecar.check == ()


def test_a_real_build_can_be_cancelled(rtx: Any, tmp_path: Path) -> None:
    """TensorRT stops at the next step, and nothing but the lock is left."""
    started = threading.Event()

    def report(fraction: float, phase: str) -> None:
        started.set()
        builder.cancel()

    builder = EngineBuilder(EngineStore(tmp_path), lambda _: None, report)
    with pytest.raises(BuildCancelled):
        builder.obtain(request(STYLES["hayao-lite"], "1280x720"))
    assert started.is_set()
    assert {path.suffix for path in tmp_path.iterdir()} <= {".lock"}
