"""Real builds with TensorRT-RTX, which needs no GPU to build."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="engine builds need onnx")
pytest.importorskip("filelock", reason="engine builds need filelock")
pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: pip install '.[rtx]'")

import onnxruntime

from livefilter.errors import BuildCancelled
from livefilter.frame import Image
from livefilter.inference.hardware import Gpu
from livefilter.inference.look import PLAIN
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.tensorrt import check_pictures
from livefilter.tensorrt import compile as plan_builder
from livefilter.tensorrt.builder import EngineBuilder, EngineRequest
from livefilter.tensorrt.flavour import FLAVOURS
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.store import EngineStore
from tests.generator.networks import NORMS, normalised_by, normalising
from tests.inference.own_networks import write_own_network
from tests.styles.bundled import NETWORKS

SIZES = ["512x512", "1280x720", "512x288:1280x720:1920x1080"]
ANIMEGAN = "animeganv2"


@pytest.fixture(scope="module")
def animegan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AnimeGANv2's generator with random weights."""
    pytest.importorskip("torch", reason="PyTorch, which writes AnimeGANv2's generator, is not installed")
    from livefilter.bench.animegan import FILE, write_animegan

    return write_animegan(tmp_path_factory.mktemp(ANIMEGAN) / FILE)


@pytest.fixture
def network(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The network that a test's parameter names."""
    if request.param == ANIMEGAN:
        # Its check takes a minute on two cores at the size that a user's build is checked at.
        monkeypatch.setattr(check_pictures, "check_size", lambda width, height: (128, 96))
        path: Path = request.getfixturevalue("animegan")
        return path
    return NETWORKS.get(request.param) or normalising(tmp_path / "norms.onnx")


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every graph that TensorRT is given, byte by byte."""
    given: list[bytes] = []
    build_plan = plan_builder.build_plan

    def spy(module: Any, asked: plan_builder.PlanRequest, *rest: Any) -> plan_builder.PlanResult:
        given.append(asked.onnx)
        return build_plan(module, asked, *rest)

    monkeypatch.setattr(plan_builder, "build_plan", spy)
    return given


def wanted(path: Path, size: str, precision: str = "fp16") -> EngineRequest:
    """A request for the rtx flavour."""
    return EngineRequest(path, path.parent.name, "CC0-1.0", SizeRange.parse(size), FLAVOURS["rtx"], precision)


def drawn(session: onnxruntime.InferenceSession, photo: Image) -> Image:
    """What a graph given to TensorRT draws in ONNX Runtime; `look` and `strength` ask for the plain style."""
    height, width = photo.shape[:2]
    given = {
        "frame": photo[None],
        "look": PLAIN.columns(width),
        "strength": np.ones((1, height // 2, width // 2, 1), np.float32),
    }
    styled: Image = session.run(["styled"], {port.name: given[port.name] for port in session.get_inputs()})[0][0]
    return styled


@pytest.mark.parametrize(("capability", "turing"), [("7.5", True), ("8.9", False)])
def test_turing_gets_an_engine_of_its_own(
    capability: str, turing: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What TensorRT-RTX builds for all later GPUs does not run on an RTX 20."""
    asked: list[plan_builder.PlanRequest] = []
    build_plan = plan_builder.build_plan

    def spy(module: Any, request: plan_builder.PlanRequest, *rest: Any) -> plan_builder.PlanResult:
        asked.append(request)
        return build_plan(module, request, *rest)

    monkeypatch.setattr(plan_builder, "build_plan", spy)
    monkeypatch.setattr("livefilter.tensorrt.flavour.find_gpu", lambda index=0: Gpu("RTX", capability, "580.1"))
    engine, built = EngineBuilder(EngineStore(tmp_path), print).obtain(wanted(NETWORKS["hayao-lite"], "64x48"))
    assert built
    assert [request.turing for request in asked] == [turing]
    plain = build_plan(FLAVOURS["rtx"].load(), replace(asked[0], turing=False), lambda done, phase: None, Event())
    assert (len(plain.plan) == engine.plan_path.stat().st_size) != turing


@pytest.mark.parametrize("size", ["104x72", "64x48:104x72:256x144"])
def test_a_branch_for_people_builds(tmp_path: Path, size: str) -> None:
    """Its sizes, which are calculated where sides are odd, are no matter, and the plan gives the mask."""
    pytest.importorskip("torch", reason="PyTorch, which writes the network, is not installed")
    path = write_own_network(tmp_path / "own.onnx", person=2)
    engine, built = EngineBuilder(EngineStore(tmp_path / "engines"), lambda _: None).obtain(wanted(path, size))
    assert built
    assert engine.sidecar is not None
    assert any("person" in str(layer) for layer in engine.sidecar.layers)


@pytest.mark.parametrize(
    ("network", "size"),
    [*((network, size) for network in (*NETWORKS, ANIMEGAN) for size in SIZES), ("norms", SIZES[-1])],
    indirect=["network"],
)
def test_every_network_builds(network: Path, tmp_path: Path, size: str, graphs: list[bytes]) -> None:
    """Each bundled style, AnimeGANv2's generator, and a network with norms and reflect padding, builds in FP16.

    Bytes go in and come out, progress is told, and ONNX Runtime draws with the graph that TensorRT was given what it
    draws with the style.
    """
    fractions: list[float] = []
    store = EngineStore(tmp_path / "engines")
    builder = EngineBuilder(store, lambda _: None, lambda fraction, _: fractions.append(fraction))
    request = wanted(network, size)
    engine, built = builder.obtain(request)
    assert built
    assert engine.sidecar is not None
    assert store.load(engine.sidecar.key)[0]
    layers = engine.sidecar.layers
    assert {layer["precision"] for layer in layers if layer["type"] == "convolution"} == {"half"}
    assert layers[-1]["precision"] == "uint8"
    assert [figure["picture"] for figure in engine.sidecar.check] == ["photo", "dark photo", "colour ramp", "noise"]
    assert fractions[-1] == 1
    assert len(set(fractions)) > 5
    assert not builder.obtain(request)[1]

    (graph,) = graphs
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    ports = {port.name: port for port in (*session.get_inputs(), *session.get_outputs())}
    assert {ports[name].type for name in ("frame", "styled")} == {"tensor(uint8)"}
    best = request.size.best
    if request.size.fixed:
        assert ports["frame"].shape == ports["styled"].shape == [1, best.height, best.width, 3]
        if network.parent.name.startswith(ANIMEGAN):
            return  # hundreds of GFLOP; the graph for a range of sizes has the same layers and is run below
    small = best if request.size.fixed else SizeRange.parse("128x96").best
    photo = check_pictures.check_pictures(small.width, small.height)["photo"]
    with OnnxRuntimeCpu(network, small.width, small.height) as reference:
        difference = np.abs(drawn(session, photo).astype(np.int16) - reference.run(photo))
    assert np.percentile(difference, 99.9) <= 2


@pytest.mark.parametrize("size", ["64x48", "64x48:128x96:256x192"])
@pytest.mark.parametrize("kind", NORMS)
def test_every_native_norm_builds(tmp_path: Path, kind: str, size: str) -> None:
    """Group, layer and instance normalisation, and those over the whole picture, are taken as they are converted."""
    engine, _ = EngineBuilder(EngineStore(tmp_path / "engines"), lambda _: None).obtain(
        wanted(normalised_by(tmp_path / "norm.onnx", kind), size)
    )
    assert engine.sidecar is not None
    norms = [layer["precision"] for layer in engine.sidecar.layers if layer["type"] == "normalization"]
    assert norms == ["float"]


def test_float32_stays_float32(tmp_path: Path) -> None:
    """With fp32 no layer computes in half precision, and nothing is checked."""
    engine, _ = EngineBuilder(EngineStore(tmp_path), lambda _: None).obtain(
        wanted(NETWORKS["hayao-lite"], "64x64", "fp32")
    )
    assert engine.sidecar is not None
    assert "half" not in {layer["precision"] for layer in engine.sidecar.layers if layer["type"] == "convolution"}
    assert engine.sidecar.check == ()


@pytest.mark.parametrize("network", ["hayao-lite", ANIMEGAN], indirect=True)
def test_a_real_build_can_be_cancelled(network: Path, tmp_path: Path, graphs: list[bytes]) -> None:
    """TensorRT stops at the next step, and nothing but the lock is left."""
    phases: list[str] = []

    def report(fraction: float, phase: str) -> None:
        if graphs:  # TensorRT is at work
            phases.append(phase)
            builder.cancel()

    folder = tmp_path / "engines"
    builder = EngineBuilder(EngineStore(folder), lambda _: None, report)
    with pytest.raises(BuildCancelled):
        builder.obtain(wanted(network, "1280x720"))
    assert phases
    assert {path.suffix for path in folder.iterdir()} <= {".lock"}


def test_a_build_can_be_cancelled_while_fp16_is_checked(tmp_path: Path, graphs: list[bytes]) -> None:
    """The check tells which picture it draws, and TensorRT is not started any more."""
    phases: list[str] = []

    def report(fraction: float, phase: str) -> None:
        phases.append(phase)
        builder.cancel()

    builder = EngineBuilder(EngineStore(tmp_path), lambda _: None, report)
    with pytest.raises(BuildCancelled):
        builder.obtain(wanted(NETWORKS["hayao-lite"], "1280x720"))
    assert phases == ["FP16 check: photo"]
    assert graphs == []
