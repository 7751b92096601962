"""The TensorRT backends, run on an in-memory CUDA and a TensorRT whose network is the negative."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import importlib
import itertools
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("filelock", reason="the engine store needs filelock")

from livefilter.errors import BackendUnavailable, BuildFailed, EngineFailed, EngineMismatch, InvalidInput, StyleCorrupt
from livefilter.frame import Image
from livefilter.inference.base import EngineOptions
from livefilter.inference.cuda import Cuda
from livefilter.inference.cuda.bindings import BindingsCuda
from livefilter.inference.hardware import Gpu
from livefilter.tensorrt import engine as backend
from livefilter.tensorrt.builder import EngineRequest
from livefilter.tensorrt.engine import TensorRTEngine, TensorRTRtxEngine
from livefilter.tensorrt.flavour import Flavour
from livefilter.tensorrt.key import EngineKey, SizeRange
from livefilter.tensorrt.lookup import find_engine
from livefilter.tensorrt.store import EngineStore
from tests.conftest import picture
from tests.inference.fake_cuda import CUresult, FakeDriver
from tests.inference.fake_runtime import FakeRuntime, batch_plan
from tests.tensorrt.engines import PLAN, built_plan

WIDTH, HEIGHT = 96, 64
SIZE = WIDTH * HEIGHT * 3
GPU = Gpu("Fake RTX 0", "8.9", "580.1")


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that both flavours are installed and that this machine has one GPU."""
    monkeypatch.setattr(backend, "find_gpu", lambda index=0: GPU if index == 0 else f"there is no GPU {index}")
    monkeypatch.setattr(Flavour, "version", lambda self: "11.0")


class Machine:
    """A network, a store with an engine for it, and an in-memory GPU."""

    def __init__(self, folder: Path, kind: type[Any] = TensorRTEngine, **runtime: Any) -> None:
        self.kind = kind
        self.driver = FakeDriver()
        self.runtime = FakeRuntime(self.driver, WIDTH, HEIGHT, **runtime)
        self.network = folder / "style" / "full.onnx"
        self.network.parent.mkdir()
        self.network.write_bytes(b"onnx")
        self.store = EngineStore(folder / "engines")
        self.asked: list[list[str]] = []
        self.build_fails = False

    def key(self, **changes: Any) -> EngineKey:
        """The key of the engine that fits."""
        request = EngineRequest(
            self.network, "style", "", SizeRange.parse(f"{WIDTH}x{HEIGHT}"), self.kind.flavour, level=3
        )
        return dataclasses.replace(request.key(GPU), **changes)

    def build(self, **changes: Any) -> Machine:
        """Put an engine into the store."""
        key = self.key(**changes)
        plan = batch_plan(key.batch) if key.batch > 1 else PLAN
        self.store.obtain(key, "style", lambda: built_plan(key, plan), lambda _: None)
        return self

    def run_build(self, arguments: Sequence[str]) -> None:
        """What a build in a process of its own does: `asked` keeps its arguments."""
        self.asked.append(list(arguments))
        if self.build_fails:
            raise BuildFailed("TensorRT cannot build 96x64: no tactic fits.")
        told = dict(itertools.pairwise(arguments))
        self.build(batch=int(told["--batch"]), level=int(told["--level"]))

    def open_cuda(self, gpu: int, implementation: str) -> Cuda:
        return BindingsCuda(gpu, self.driver)

    def open(self, **options: Any) -> Any:
        return self.open_form(None, **options)

    def open_form(self, form: str | None, **options: Any) -> Any:
        return self.kind(
            self.network,
            WIDTH,
            HEIGHT,
            EngineOptions(**options),
            store=self.store,
            cuda=self.open_cuda,
            module=self.runtime,
            form=form,
            build=self.run_build,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with an engine of the flavour `tensorrt`."""
    return Machine(tmp_path).build()


def frame(number: int = 0) -> Image:
    """A frame of the engine's size."""
    return picture(WIDTH, HEIGHT, number)


@pytest.mark.parametrize("kind", [TensorRTEngine, TensorRTRtxEngine])
def test_frames_come_out_styled(tmp_path: Path, kind: type[Any]) -> None:
    """Each frame gives its own picture, through one graph launch; nothing is left on the GPU afterwards."""
    machine = Machine(tmp_path, kind).build()
    with machine.open() as engine:
        for number in range(5):
            assert np.array_equal(engine.run(frame(number)), 255 - frame(number))
        assert engine.info.backend == kind.backend
        assert engine.info.precision == "float16"
        assert engine.info.device == "Fake RTX 0 (GPU 0, 0 MiB)"
    gc.collect()
    assert machine.driver.left == {}
    assert machine.runtime.alive == 0


def test_a_frame_is_one_graph_launch(machine: Machine) -> None:
    """First a run, a wait, then the capture of copy, enqueue, copy; a frame only launches and waits for the event."""
    engine = machine.open()
    calls = machine.driver.calls
    first = ["cuMemcpyHtoDAsync", "execute_async_v3", "cuMemcpyDtoHAsync"]
    start = calls.index("cuMemcpyHtoDAsync") + 1  # after the look's
    assert calls[start : start + 10] == [
        *first,
        "cuStreamSynchronize",
        "cuStreamBeginCapture",
        *first,
        "cuStreamEndCapture",
        "cuGraphInstantiate",
    ]
    for number in range(3):
        calls.clear()
        engine.run(frame(number))
        assert calls == ["cuCtxPushCurrent", "cuGraphLaunch", "cuEventRecord", "cuEventSynchronize", "cuCtxPopCurrent"]
    assert machine.runtime.runs == 4  # the capture ran nothing
    engine.close()


def test_the_buffers_are_as_large_as_a_frame(machine: Machine) -> None:
    """Pinned ones, write-combined but for the output, and as many on the GPU besides TensorRT's own."""
    look = 4 * WIDTH * 4
    with machine.open():
        assert [(m.size, flags) for m, flags in machine.driver.pinned.values()] == [(SIZE, 4), (SIZE, 0), (look, 4)]
        assert sorted(m.size for m in machine.driver.device.values()) == [1000, look, SIZE, SIZE]


def test_a_frame_allocates_nothing(machine: Machine) -> None:
    """Neither on the GPU nor a picture's worth on the host; the result is always the same memory."""
    with machine.open() as engine:
        image = frame()
        first = engine.run(image)
        counts = dict(machine.driver.left)
        tracemalloc.start()
        assert all(engine.run(image) is first for _ in range(20))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert machine.driver.left == counts
        assert peak < SIZE  # the in-memory CUDA itself needs a little
        kept = first.copy()
        image[:] = 0
        assert np.array_equal(first, kept)


def test_the_network_alone_can_be_timed(machine: Machine) -> None:
    """Without copies: only the network is captured for it."""
    with machine.open() as engine:
        machine.driver.calls.clear()
        assert engine.engine_ms() == 1.5
        assert "cuMemcpyHtoDAsync" not in machine.driver.calls
        assert np.array_equal(engine.run(frame()), 255 - frame())


def test_close_waits_and_frees_tensorrt_before_its_context(machine: Machine) -> None:
    """The fakes refuse any other order; a run after close is an error, a second close is none."""
    engine = machine.open()
    engine.run(frame())
    machine.driver.calls.clear()
    engine.close()
    engine.close()
    assert machine.driver.calls[1] == "cuStreamSynchronize"
    assert machine.driver.calls[-1] == "cuDevicePrimaryCtxRelease"
    assert machine.driver.left == {}
    with pytest.raises(EngineFailed, match="is closed"):
        engine.run(frame())


def test_a_lost_context_is_an_error_and_another_engine_can_be_opened(machine: Machine) -> None:
    """The live run opens it anew: nothing of the broken one is left, and the new one draws the same."""
    engine = machine.open()
    engine.run(frame())
    machine.driver.lose()
    with pytest.raises(EngineFailed, match="CUDA_ERROR_ILLEGAL_ADDRESS"):
        engine.run(frame(1))
    engine.close()
    assert machine.driver.resets == 1
    with machine.open() as again:
        assert np.array_equal(again.run(frame(1)), 255 - frame(1))
    gc.collect()
    assert machine.driver.left == {}


def test_the_verdict_of_a_trial_is_kept_beside_the_engine(machine: Machine) -> None:
    """Until one was made there is none; then it holds for every later opening."""
    with machine.open() as engine:
        assert engine.verdict() is None
        engine.keep_verdict("it draws something else")
        assert engine.verdict() == "it draws something else"
    with machine.open() as again:
        assert again.verdict() == "it draws something else"


def test_a_fault_that_loses_nothing_is_passed_on(machine: Machine) -> None:
    """The context is kept and the next frame is styled."""
    with machine.open() as engine:
        machine.driver.fail["cuGraphLaunch"] = [int(CUresult.CUDA_ERROR_OUT_OF_MEMORY)]
        with pytest.raises(EngineFailed, match="OUT_OF_MEMORY"):
            engine.run(frame())
        assert machine.driver.resets == 0
        assert np.array_equal(engine.run(frame()), 255 - frame())


def test_without_an_engine_the_command_is_named(tmp_path: Path) -> None:
    """Nothing is loaded; the error is what to type, for this style, size and flavour."""
    machine = Machine(tmp_path, TensorRTRtxEngine)
    with pytest.raises(
        EngineMismatch, match=r"Build it: livefilter build style --network full --size 96x64 --flavour rtx$"
    ):
        machine.open()
    assert machine.driver.calls == []


def test_a_plan_of_another_machine_is_not_loaded(tmp_path: Path) -> None:
    """The error says what is different, and TensorRT never sees the plan."""
    machine = Machine(tmp_path).build(gpu="NVIDIA T4", driver="570.1")
    with pytest.raises(EngineMismatch, match=r"gpu NVIDIA T4 -> Fake RTX 0; driver 570.1 -> 580.1\)\. Build it"):
        machine.open()
    assert machine.driver.calls == []


def test_a_tampered_plan_is_not_loaded(machine: Machine) -> None:
    """The store's reason reaches the user with the command."""
    plan = next(machine.store.folder.glob("*.plan"))
    plan.write_bytes(plan.read_bytes()[:-1] + b"x")
    with pytest.raises(EngineMismatch, match=r"changed after it was built.*Build it: livefilter build style"):
        machine.open()
    assert machine.driver.calls == []


def test_the_engine_of_the_highest_level_is_taken(tmp_path: Path) -> None:
    """A user who built with --level 5 gets that one."""
    machine = Machine(tmp_path).build(level=1).build(level=5)
    request = EngineRequest(machine.network, "style", "", SizeRange.parse("96x64"), machine.kind.flavour)
    _, engine = find_engine(machine.store, request, GPU)
    assert engine.sidecar is not None
    assert engine.sidecar.key.level == 5


def test_too_little_memory_is_told_in_figures(tmp_path: Path) -> None:
    """Before TensorRT tries: how much it needs, how much is free, what to do."""
    machine = Machine(tmp_path, needs=2 << 30).build()
    with pytest.raises(BackendUnavailable, match=r"needs about 2049 MiB, and 1024 of 1024 MiB are free. Close other"):
        machine.open()
    gc.collect()
    assert machine.driver.left == {}


def test_a_plan_that_tensorrt_refuses_is_told_with_its_reason(tmp_path: Path) -> None:
    """Such as TensorRT-RTX on a GPU that it does not support; nothing is left on the GPU."""
    machine = Machine(tmp_path, refuses=True).build()
    with pytest.raises(EngineMismatch, match=r"Fake RTX 0 does not load the engine: compute capability is not supp"):
        machine.open()
    gc.collect()
    assert machine.driver.left == {}


@pytest.mark.parametrize(("field", "value"), [("shape", (1, HEIGHT + 8, WIDTH, 3)), ("dtype", "half")])
def test_a_plan_with_other_tensors_is_refused(machine: Machine, field: str, value: Any) -> None:
    """It would write past the buffers."""
    setattr(machine.runtime, field, value)
    with pytest.raises(EngineMismatch, match="is no style for 96x64"):
        machine.open()
    gc.collect()
    assert machine.driver.left == {}


def test_an_engine_that_cannot_be_enqueued_is_an_error(machine: Machine) -> None:
    """At opening, not at a frame; nothing is left on the GPU."""
    machine.runtime.enqueue_works = False
    with pytest.raises(EngineFailed, match="does not run the engine"):
        machine.open()
    gc.collect()
    assert machine.driver.left == {}


def test_wrong_frames_sizes_and_files_are_refused(machine: Machine) -> None:
    """In the words of every engine."""
    with machine.open() as engine, pytest.raises(EngineFailed, match="takes uint8 BGR frames"):
        engine.run(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InvalidInput, match="multiples of 8"):
        TensorRTEngine(machine.network, 97, 64)
    with pytest.raises(StyleCorrupt, match="does not exist"):
        TensorRTEngine(machine.network.with_name("none.onnx"), 96, 64)


def test_another_gpu_is_chosen_by_number(machine: Machine) -> None:
    """One that is not there is an error."""
    with pytest.raises(BackendUnavailable, match=r"no GPU 3.*--gpu"):
        machine.open(gpu=3)


def test_rtx_keeps_the_kernels_that_it_compiled(tmp_path: Path) -> None:
    """They are written beside the plan for its owner only, and given back at the next start."""
    machine = Machine(tmp_path, TensorRTRtxEngine).build()
    machine.open().close()
    assert machine.runtime.compiled == []
    kept = next(machine.store.folder.glob("*.kernels"))
    assert kept.read_bytes() == b"kernels"
    machine.open().close()
    assert machine.runtime.compiled == [b"kernels"]
    for engine in machine.store.engines():
        machine.store.remove(engine)
    assert not kept.exists()


@pytest.mark.parametrize(
    ("kind", "gpu", "said"),
    [
        (TensorRTEngine, "this machine has no NVIDIA driver", "needs an NVIDIA GPU.*580"),
        (
            TensorRTEngine,
            Gpu("GTX 1080", "6.1", "580.1"),
            "capability 7.5 or later, and GTX 1080 has 6.1",
        ),
        (TensorRTRtxEngine, Gpu("H200", "9.0", "580.1"), "8.9 and 12.0 or later, and H200 has 9.0. .* --backend torch"),
    ],
)
def test_a_machine_that_cannot_is_told_why(
    monkeypatch: pytest.MonkeyPatch, kind: type[Any], gpu: Any, said: str
) -> None:
    """No driver, a GPU that is too old, or one that this flavour leaves out."""
    monkeypatch.setattr(backend, "find_gpu", lambda index=0: gpu if index == 0 else "no more")
    with pytest.raises(BackendUnavailable, match=said):
        kind(Path(__file__), 96, 64)


@pytest.mark.parametrize("first", ["9.0", "8.9"])
def test_each_gpu_is_judged_by_itself(machine: Machine, monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    """Beside a GPU that TensorRT-RTX does not support, another one runs it; the unsupported one is refused by name."""
    gpus = [Gpu("First", first, "580.1"), Gpu("Second", {"9.0": "8.9", "8.9": "9.0"}[first], "580.1")]
    monkeypatch.setattr(backend, "find_gpu", lambda index=0: gpus[index] if index < 2 else "no more")
    assert "supports" not in str(TensorRTRtxEngine.unavailable())
    unsupported = [gpu.capability for gpu in gpus].index("9.0")
    with pytest.raises(BackendUnavailable, match=f"{gpus[unsupported].name} has 9.0"):
        TensorRTRtxEngine(machine.network, WIDTH, HEIGHT, EngineOptions(gpu=unsupported), module=object())


def test_the_names_beyond_the_stubs_are_real() -> None:
    """What only TensorRT-RTX has, and what the stubs leave out, exists in the real module."""
    trt = pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed")
    for path in (
        "Runtime.get_engine_validity",
        "ICudaEngine.create_runtime_config",
        "IRuntimeConfig.create_runtime_cache",
        "IRuntimeConfig.set_runtime_cache",
        "IRuntimeCache.deserialize",
        "IRuntimeCache.serialize",
        "IHostMemory",
    ):
        value: Any = trt
        for name in path.split("."):
            value = getattr(value, name)
    assert "runtime_config" in trt.ICudaEngine.create_execution_context.__doc__


def test_with_the_real_package_and_no_gpu_nothing_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA is asked for a device before TensorRT's runtime is touched, which would end the process."""
    trt = pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed")
    pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings is not installed")
    from livefilter.inference.cuda import open_cuda
    from livefilter.inference.hardware import find_gpu

    if not isinstance(find_gpu(), str):
        pytest.skip("this machine has an NVIDIA GPU")
    machine = Machine(tmp_path, TensorRTRtxEngine).build()
    with pytest.raises(BackendUnavailable, match="no NVIDIA driver"):
        TensorRTRtxEngine(machine.network, WIDTH, HEIGHT, store=machine.store, cuda=open_cuda, module=trt)


def test_the_network_is_known_by_its_contents(machine: Machine) -> None:
    """A style that was updated needs another engine."""
    machine.network.write_bytes(b"other onnx")
    assert hashlib.sha256(b"other onnx").hexdigest() == machine.key().onnx_sha256
    with pytest.raises(EngineMismatch, match="There is no TensorRT engine of style"):
        machine.open()


def test_an_engine_of_another_network_than_the_cards_is_not_loaded(machine: Machine) -> None:
    """Also when one was built for the file that lies there now."""
    meant = hashlib.sha256(b"onnx").hexdigest()
    machine.open(sha256=meant).close()
    machine.network.write_bytes(b"other onnx")
    machine.build()
    machine.open().close()
    with pytest.raises(StyleCorrupt, match="not the one its card names"):
        machine.open(sha256=meant)


def test_the_module_loads_without_cuda_or_tensorrt() -> None:
    """Listing backends needs neither package."""
    assert importlib.import_module("livefilter.tensorrt.engine").TensorRTEngine is TensorRTEngine
