"""What the GPU command does with TensorRT engines, on an in-memory CUDA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("filelock", reason="the engine store needs filelock")
pytest.importorskip("onnx", reason="onnx is not installed")

import numpy as np
import onnx

from livefilter.bench import gpu
from livefilter.bench.gpu import GpuBench
from livefilter.bench.gpu_measure import engine_times, frame_times
from livefilter.inference.cuda import Memory
from livefilter.inference.cuda.bindings import BindingsCuda
from livefilter.registry import ENGINES
from livefilter.tensorrt import engine as backend
from livefilter.tensorrt.builder import EngineRequest
from livefilter.tensorrt.engine import TensorRTEngine
from livefilter.tensorrt.flavour import Flavour
from livefilter.tensorrt.store import EngineStore, StoredEngine
from tests.generator.networks import make_network
from tests.inference.fake_cuda import FakeDriver
from tests.inference.fake_runtime import FakeRuntime
from tests.tensorrt.engines import built_plan
from tests.tensorrt.test_engine import GPU
from tools.levers import gpu as gpu_levers
from tools.levers.gpu import GpuLevers
from tools.levers.torch import WAYS

DRIVER = FakeDriver()
OPENED: list[tuple[str, str, bool]] = []  # style, form, and whether it is for a range of sizes


class EngineInMemory(TensorRTEngine):
    """The backend `tensorrt` of a machine with an in-memory GPU."""

    def __init__(
        self, network: Path, width: int, height: int, options: Any, *, store: EngineStore, form: str = "bgr"
    ) -> None:
        ranged = store.folder.name == "ranges"
        OPENED.append((network.stem, form, ranged))
        runtime = FakeRuntime(DRIVER, width, height, form=form, sizes=((64, 64), (128, 128)) if ranged else None)
        super().__init__(
            network,
            width,
            height,
            options,
            store=store,
            cuda=lambda gpu, package: BindingsCuda(gpu, DRIVER),
            module=runtime,
            form=form,
        )


class InstantBuilder:
    """Builds what the in-memory GPU asks for."""

    def __init__(self, store: EngineStore, say: Any) -> None:
        self._store = store

    def obtain(self, request: EngineRequest) -> tuple[StoredEngine, bool]:
        key = request.key(GPU)
        return self._store.obtain(key, request.style, lambda: built_plan(key), lambda text: None)


@pytest.fixture(autouse=True)
def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with TensorRT and a GPU, without PyTorch's."""
    monkeypatch.setitem(ENGINES._entries, "tensorrt", f"{__name__}:EngineInMemory")
    monkeypatch.setattr(backend, "find_gpu", lambda index=0: GPU)
    monkeypatch.setattr(gpu, "find_gpu", lambda index: GPU)
    monkeypatch.setattr(Flavour, "version", lambda self: "11.0")
    for module in (gpu, gpu_levers):
        monkeypatch.setattr(module, "why_unavailable", lambda name: None if name == "tensorrt" else "it is away")
    monkeypatch.setattr(gpu, "EngineBuilder", InstantBuilder)
    monkeypatch.setattr(gpu, "frame_times", lambda run, image, limit_s: frame_times(run, image, 0.0))
    monkeypatch.setattr(gpu, "engine_times", lambda engine, limit_s: engine_times(engine, 0.0))
    monkeypatch.setattr(gpu, "SIZES", ((64, 64), (128, 64)))
    monkeypatch.setattr(gpu, "RANGE", "64x64:64x64:128x128")
    monkeypatch.setattr(gpu, "CHECKED", (64, 64))
    monkeypatch.setattr(gpu, "LEAK_FRAMES", 3)
    monkeypatch.setattr(gpu_levers, "SIZE", (128, 64))
    monkeypatch.setattr(gpu, "measured_rates", lambda number: (100.0, 1000.0))
    monkeypatch.setattr(GpuBench, "_memory", lambda self: Memory(1 << 30, 1 << 30))
    monkeypatch.setattr(GpuBench, "_lose", lambda self, backend, name: {"recovered": True})
    OPENED.clear()


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network with reflect padding."""
    pads = [0, 0, 1, 1, 0, 0, 1, 1]
    nodes = [
        onnx.helper.make_node("Pad", ["planes", "pads"], ["padded"], mode="reflect"),
        onnx.helper.make_node("Conv", ["padded", "kernel"], ["drawn"]),
    ]
    kernel = [[[[1 / 27.0] * 3] * 3] * 3] * 3
    values = {"pads": np.array(pads), "kernel": np.array(kernel, "float32")}
    return make_network(tmp_path / "blur.onnx", nodes, values)


def test_the_cost_of_an_engine_for_a_range_stands_beside_the_others(network: Path, tmp_path: Path) -> None:
    """At each size, from a store where no engine for the very size can take its place."""
    report = GpuBench({"blur": network}, 0, 3600, lambda text: None).run(tmp_path / "engines")
    times = {entry["what"]: entry for entry in report["times"]}
    for size in ("64x64", "128x64"):
        fixed = times[f"blur {size} tensorrt"]
        ranged = times[f"blur {size} tensorrt, engine for 64x64:64x64:128x128"]
        assert ranged["engine_ms"]["p50_ms"] == fixed["engine_ms"]["p50_ms"] == 1.5
    assert OPENED.count(("blur", "bgr", True)) == 2
    assert [check for check in report["checks"] if "failed" in check] == []


def test_levers_stand_side_by_side(network: Path, tmp_path: Path) -> None:
    """Every form of engine, and every way to write the network that has something to write otherwise."""
    report = GpuLevers({"blur": network}, 0, 3600, lambda text: None).run(tmp_path / "engines")
    assert [entry["what"] for entry in report["times"]] == [
        "blur tensorrt, form bgr",
        "blur tensorrt, form nv12",
        "blur, reflect padding as slices tensorrt",
        "blur, zero padding (another picture) tensorrt",
    ]
    assert [form for _, form, _ in OPENED] == ["bgr", "nv12", "bgr", "bgr"]
    assert report["not_done"] == []
    assert [check["what"] for check in report["checks"]] == ["rates of this GPU"]


def test_every_way_of_pytorch_is_tried(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails, as a network that PyTorch cannot be given does, is in the report with its reason."""
    monkeypatch.setattr(gpu_levers, "why_unavailable", lambda name: None if name == "torch" else "it is away")
    report = GpuLevers({"blur": network}, 0, 3600, lambda text: None).run(tmp_path / "engines")
    tried = {check["what"]: check for check in report["checks"]}
    assert set(tried) == {"rates of this GPU"} | {f"blur torch, {way}" for way in WAYS}
    assert tried["blur torch, half"]["failed"].startswith(("StyleCorrupt", "ModuleNotFoundError"))
