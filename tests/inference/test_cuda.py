"""Every implementation of Cuda keeps its promises: in memory everywhere, and on a GPU where there is one."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import inspect
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefilter.errors import BackendUnavailable, GpuFault, UnknownName
from livefilter.inference.cuda import Cuda, open_cuda
from livefilter.inference.cuda.base import CAPTURING
from livefilter.inference.cuda.bindings import BindingsCuda
from livefilter.inference.cuda.pycuda import PycudaCuda
from livefilter.inference.hardware import find_gpu
from tests.inference.fake_cuda import CUresult, FakeDriver
from tests.inference.fake_pycuda import FakePycuda

ROOT = Path(__file__).resolve().parents[2]
Opener = Callable[..., Cuda]


def open_bindings(driver: FakeDriver, gpu: int = 0) -> Cuda:
    """cuda-bindings over the in-memory CUDA."""
    return BindingsCuda(gpu, driver)


def open_pycuda(driver: FakeDriver, gpu: int = 0) -> Cuda:
    """Pycuda over the in-memory CUDA."""
    return PycudaCuda(gpu, driver, FakePycuda(driver))


@pytest.fixture(params=[open_bindings, open_pycuda], ids=["bindings", "pycuda"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Opens each implementation on an in-memory CUDA."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(
    params=[
        "bindings in memory",
        "pycuda in memory",
        pytest.param("bindings", marks=pytest.mark.gpu),
        pytest.param("pycuda", marks=pytest.mark.gpu),
    ]
)
def cuda(request: pytest.FixtureRequest) -> Any:
    """Each implementation, in memory and on the real GPU, closed at the end."""
    name = str(request.param)
    if name.endswith("in memory"):
        driver = FakeDriver()
        opened = (open_bindings if name.startswith("bindings") else open_pycuda)(driver)
        yield opened
        opened.close()
        assert driver.left == {}
        return
    found = find_gpu()
    if isinstance(found, str):
        pytest.skip(f"needs an NVIDIA GPU, but {found}")
    pytest.importorskip("cuda.bindings.driver" if name == "bindings" else "pycuda.driver")
    opened = open_cuda(0, name)
    yield opened
    opened.close()


def test_bytes_go_to_the_gpu_and_come_back(cuda: Cuda) -> None:
    """What is copied in and out again is the same, once it was waited for."""
    with cuda.current():
        given, taken, memory = cuda.host(1000, write_combined=True), cuda.host(1000), cuda.device(1000)
        given[:] = np.arange(1000) % 251
        cuda.copy_in(memory, given)
        cuda.copy_out(taken, memory)
        cuda.synchronize()
        assert np.array_equal(taken, np.arange(1000) % 251)
        assert cuda.stream > 0


def test_a_graph_repeats_what_was_captured_with_new_contents(cuda: Cuda) -> None:
    """Capturing runs nothing; each launch moves what the input holds at that moment."""
    with cuda.current():
        given, taken, memory = cuda.host(64, write_combined=True), cuda.host(64), cuda.device(64)
        taken[:] = 7

        def work() -> None:
            cuda.copy_in(memory, given)
            cuda.copy_out(taken, memory)

        graph = cuda.capture(work)
        cuda.synchronize()
        assert set(taken) == {7}
        for value in (1, 2, 3):
            given[:] = value
            cuda.launch(graph)
            cuda.wait()
            assert set(taken) == {value}


def test_graphs_are_recorded_one_after_the_other(cuda: Cuda) -> None:
    """Whoever records one in this process; also one that fails lets the next one go on."""
    held: list[bool] = []

    def fail() -> None:
        raise ZeroDivisionError

    with cuda.current():
        for work in (lambda: held.append(CAPTURING.locked()), fail, lambda: held.append(CAPTURING.locked())):
            with contextlib.suppress(ZeroDivisionError):
                cuda.capture(work)
            held.append(CAPTURING.locked())
    assert held == [True, False, False, True, False]


def test_a_capture_that_fails_leaves_the_stream_usable(cuda: Cuda) -> None:
    """The error is passed on and the stream records no more."""
    with cuda.current():
        given, memory = cuda.host(8), cuda.device(8)
        with pytest.raises(ZeroDivisionError):
            cuda.capture(lambda: [1 // 0].clear())
        cuda.copy_in(memory, given)
        cuda.synchronize()


def test_time_and_memory_are_told(cuda: Cuda) -> None:
    """The GPU's time is not negative; an allocation takes from the free memory."""
    with cuda.current():
        before = cuda.memory()
        given, memory = cuda.host(64 << 20), cuda.device(64 << 20)
        assert cuda.memory().free < before.free <= before.total
        assert cuda.time_ms(lambda: cuda.copy_in(memory, given)) > 0


def test_another_thread_can_go_on(cuda: Cuda) -> None:
    """The context belongs to whoever makes it current: engines are opened in one thread and run in another."""
    with cuda.current():
        given, taken, memory = cuda.host(8), cuda.host(8), cuda.device(8)
    results: list[list[int]] = []

    def run() -> None:
        with cuda.current():
            given[:] = 9
            cuda.copy_in(memory, given)
            cuda.copy_out(taken, memory)
            cuda.synchronize()
            results.append(taken.tolist())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert results == [[9] * 8]


def test_the_stream_does_not_wait_for_others_and_the_input_is_write_combined(opener: Opener) -> None:
    """The flags that make a frame fast reach CUDA, and only the input is write-combined."""
    driver = FakeDriver()
    cuda = opener(driver)
    with cuda.current():
        kept = [cuda.host(8, write_combined=True), cuda.host(8)]
    assert [stream.flags for stream in driver.streams.values()] == [1]
    assert [flags for _, flags in driver.pinned.values()] == [4, 0]
    del kept
    cuda.close()


def test_everything_is_freed_in_reverse_order_after_the_gpu_is_idle(opener: Opener) -> None:
    """Wait, graph, memory, event or stream, context; a second close does nothing."""
    driver = FakeDriver()
    cuda = opener(driver)
    with cuda.current():
        given, memory = cuda.host(8), cuda.device(8)
        cuda.launch(cuda.capture(functools.partial(cuda.copy_in, memory, given)))
        del given
    driver.calls.clear()
    cuda.close()
    cuda.close()
    freed = [name for name in driver.calls if "Ctx" not in name or "Primary" in name]
    assert freed[:3] == ["cuStreamSynchronize", "cuGraphExecDestroy", "cuGraphDestroy"]
    assert freed[3:5] == ["cuMemFree", "cuMemFreeHost"]
    assert set(freed[5:7]) == {"cuEventDestroy", "cuStreamDestroy"}
    assert freed[7:] == ["cuDevicePrimaryCtxRelease"]
    assert driver.left == {}


def test_a_closed_one_gives_no_memory(opener: Opener) -> None:
    """Memory that nobody would free is refused."""
    cuda = opener(FakeDriver())
    cuda.close()
    with pytest.raises(GpuFault), cuda.current():
        cuda.device(8)


def test_what_needs_a_context_fails_without(opener: Opener) -> None:
    """Outside `current` a call is refused, as CUDA refuses it."""
    cuda = opener(FakeDriver())
    with pytest.raises(GpuFault, match="CUDA_ERROR_INVALID_CONTEXT"):
        cuda.device(8)
    cuda.close()


def test_too_little_memory_is_told_and_loses_nothing(opener: Opener) -> None:
    """The error says so and how to get some; the context lives on."""
    cuda = opener(FakeDriver(memory=100))
    with cuda.current():
        with pytest.raises(GpuFault, match=r"CUDA_ERROR_OUT_OF_MEMORY\. Close other programs") as caught:
            cuda.device(101)
        assert not caught.value.lost
        cuda.device(99)
    cuda.close()


def test_a_lost_context_is_recognised_and_reset(opener: Opener) -> None:
    """The fault says that the context is lost; closing resets it, and a new one works."""
    driver = FakeDriver()
    cuda = opener(driver)
    with cuda.current():
        memory, given = cuda.device(8), cuda.host(8)
        driver.lose()
        with pytest.raises(GpuFault, match="CUDA_ERROR_ILLEGAL_ADDRESS") as caught:
            cuda.copy_in(memory, given)
    assert caught.value.lost
    del given
    cuda.close(lost=True)
    assert (driver.resets, driver.left) == (1, {})
    again = opener(driver)
    with again.current():
        again.device(8)
    again.close()
    assert driver.left == {}


def test_a_context_that_fails_half_way_is_given_back(opener: Opener) -> None:
    """When the stream cannot be made, nothing is left behind."""
    driver = FakeDriver()
    driver.fail["cuEventCreate"] = [int(CUresult.CUDA_ERROR_OUT_OF_MEMORY)]
    with pytest.raises(GpuFault, match="OUT_OF_MEMORY"):
        opener(driver)
    assert driver.left == {}


@pytest.mark.parametrize(
    ("driver", "gpu", "said"),
    [
        (FakeDriver(status=None), 0, "no NVIDIA driver.*580"),
        (FakeDriver(status=100), 0, "finds no GPU"),
        (FakeDriver(status=803), 0, "does not start.*SYSTEM_DRIVER_MISMATCH"),
        (FakeDriver(gpus=0), 0, "finds no GPU"),
        (FakeDriver(gpus=2), 2, "no GPU 2: this machine has GPUs 0 to 1.*--gpu"),
        (FakeDriver(capability=(6, 1)), 0, "too old.*6.1.*7.5"),
    ],
)
def test_a_machine_without_a_usable_gpu_is_told_why(opener: Opener, driver: FakeDriver, gpu: int, said: str) -> None:
    """Each of these is an error with its reason and its fix, before any context is made."""
    with pytest.raises(BackendUnavailable, match=said):
        opener(driver, gpu)
    assert "cuDevicePrimaryCtxRetain" not in driver.calls


def test_a_gpu_is_chosen_by_number(opener: Opener) -> None:
    """The second GPU has its own name."""
    cuda = opener(FakeDriver(gpus=2), 1)
    assert (cuda.gpu.number, cuda.gpu.name, cuda.gpu.capability) == (1, "Fake RTX 1", (8, 9))
    cuda.close()


def test_an_unknown_package_is_refused() -> None:
    """A typo is answered with the names there are."""
    with pytest.raises(UnknownName, match="bindings"):
        open_cuda(0, "bindngs")


def test_every_name_is_real_in_cuda_bindings() -> None:
    """What is called of cuda.bindings.driver exists there and takes as many arguments as the in-memory one."""
    real = pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings is not installed")
    used = set()
    for file in (ROOT / "livefilter" / "inference" / "cuda").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr.lower().startswith("cu"):
                used.add(node.attr)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("cu"):
                used.add(node.value)
    calls = sorted(name for name in used if name[2:3].isupper() and not name.startswith("CU"))
    assert len(calls) > 25
    for name in calls:
        signature = (getattr(real, name).__doc__ or "").splitlines()[0]
        count = 0 if "()" in signature else signature.count(",") + 1
        assert count == len(inspect.signature(getattr(FakeDriver, name)).parameters) - 1, signature
    for path in (
        "CUresult.CUDA_ERROR_ILLEGAL_ADDRESS",
        "CUstream_flags.CU_STREAM_NON_BLOCKING",
        "CUevent_flags.CU_EVENT_DISABLE_TIMING",
        "CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL",
        "CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR",
        "CU_MEMHOSTALLOC_WRITECOMBINED",
        "CUstream",
    ):
        value: Any = real
        for part in path.split("."):
            value = getattr(value, part)
    for status in CUresult:
        assert int(real.CUresult.__members__[status.name]) == int(status)


def test_the_real_package_says_that_there_is_no_driver() -> None:
    """With cuda-bindings installed and no driver, opening is an error with the fix, not a crash."""
    pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings is not installed")
    if not isinstance(find_gpu(), str):
        pytest.skip("this machine has an NVIDIA GPU")
    with pytest.raises(BackendUnavailable, match="driver"):
        open_cuda()


@pytest.mark.parametrize("through", ["bindings", "pycuda"])
def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch, through: str) -> None:
    """Without cuda-bindings, which pycuda needs too, the error is the command that installs it."""

    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(BackendUnavailable, match=r"pip install \"cuda-bindings"):
        open_cuda(implementation=through)
