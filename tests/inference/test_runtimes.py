"""What only one runtime does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort
import platformdirs
import pytest

from livefilter.errors import BackendUnavailable, EngineFailed
from livefilter.inference import hardware, onnxruntime_gpu, provider_plugin, providers
from livefilter.inference.base import EngineOptions
from livefilter.inference.hardware import Gpu
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.inference.onnxruntime_gpu import OnnxRuntimeCuda, OnnxRuntimeTensorRT, OnnxRuntimeTensorRTRtx
from livefilter.inference.openvino import OpenVINOEngine
from tests.inference.networks import write_failing_network, write_style_network

GPU = hardware.Gpu("NVIDIA Test Card", "8.9", "580.1", "13.0")


class StartingCuda(OnnxRuntimeCuda):
    """CUDA on a machine where everything seems to be there."""

    @classmethod
    def unavailable(cls) -> str | None:
        return None


class StartingRtx(OnnxRuntimeTensorRTRtx):
    """TensorRT-RTX likewise, with the CPU's own device in the place of the GPU's."""

    provider = providers.CPU

    @classmethod
    def unavailable(cls) -> str | None:
        return None


def white(size: int = 16) -> Any:
    """A white square frame."""
    return np.full((size, size, 3), 255, np.uint8)


def test_a_failing_run_is_translated(tmp_path: Path) -> None:
    """An error of ONNX Runtime becomes one line with the backend, the size and a way out; the next good run works."""
    with OnnxRuntimeCpu(write_failing_network(tmp_path / "failing.onnx"), 16, 16) as engine:
        with pytest.raises(EngineFailed, match=r"onnxruntime failed on a frame of 16x16 .*Try --backend") as caught:
            engine.run(white())
        assert "\n" not in str(caught.value)
        assert "ONNXRuntimeError" not in str(caught.value)
        assert engine.run(white() * 0).max() == 0


def test_a_failing_openvino_run_is_translated(tmp_path: Path) -> None:
    """An error of OpenVINO becomes one line with the backend and a way out."""
    pytest.importorskip("openvino")

    class Failing:
        def start_async(self) -> None:
            raise RuntimeError("Exception from src/core.cpp:84:\nout of memory\n")

    with OpenVINOEngine(write_style_network(tmp_path / "network.onnx"), 16, 16) as engine:
        engine._request = Failing()
        with pytest.raises(EngineFailed, match=r"openvino failed .*: out of memory\. Try --backend onnxruntime"):
            engine.run(white())


@pytest.mark.parametrize("engine_class", [OnnxRuntimeCpu, OpenVINOEngine])
def test_threads_are_those_asked_for(tmp_path: Path, engine_class: Any) -> None:
    """The number of CPU threads in the options is the one that runs and is shown."""
    if reason := engine_class.unavailable():
        pytest.skip(reason)
    network = write_style_network(tmp_path / "network.onnx")
    with engine_class(network, 16, 16, EngineOptions(threads=1)) as engine:
        assert engine.info.device.endswith("(1 thread)")


def test_openvino_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason holds the command."""
    monkeypatch.setitem(sys.modules, "openvino", None)
    command = f'{sys.executable} -m pip install "livefilter[openvino]"'
    assert OpenVINOEngine.unavailable() == f"openvino is not installed. Install it: {command}"


def test_cuda_that_is_listed_without_a_gpu_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    """GPU builds of ONNX Runtime list CUDA everywhere; the driver's word counts."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: [providers.TENSORRT, providers.CUDA])
    monkeypatch.setattr(onnxruntime_gpu, "find_gpu", lambda index=0: "the NVIDIA driver finds no GPU")
    for backend in (OnnxRuntimeCuda, OnnxRuntimeTensorRT, OnnxRuntimeTensorRTRtx):
        assert "but the NVIDIA driver finds no GPU" in str(backend.unavailable())


def test_a_gpu_without_the_gpu_build_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU and the plain ONNX Runtime, the command that swaps them is given."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: [providers.CPU])
    monkeypatch.setattr(onnxruntime_gpu, "find_gpu", lambda index=0: GPU)
    assert "pip uninstall -y onnxruntime" in str(OnnxRuntimeCuda.unavailable())
    assert "tensorrt" in str(OnnxRuntimeTensorRT.unavailable())


def test_a_provider_that_fell_back_to_the_cpu_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ONNX Runtime opens a CPU session when CUDA does not start; that session is never used."""
    monkeypatch.setattr(onnxruntime_gpu, "find_gpu", lambda index: Gpu(GPU.name, "8.9", "580.1"))
    real = providers.create_session
    monkeypatch.setattr(
        providers, "create_session", lambda network, options, _: real(network, options, [(providers.CPU, {})])
    )
    with pytest.raises(BackendUnavailable, match=r"did not start on NVIDIA Test Card.*CPUExecutionProvider"):
        StartingCuda(write_style_network(tmp_path / "network.onnx"), 16, 16)


def test_a_gpu_that_is_not_there_is_not_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """--gpu 3 on a machine with one GPU is an error of every provider that runs on NVIDIA's."""
    monkeypatch.setattr(
        onnxruntime_gpu, "find_gpu", lambda index: f"the NVIDIA driver has no GPU {index}: the last one is 0"
    )
    for backend in (StartingCuda, StartingRtx):
        with pytest.raises(BackendUnavailable, match=r"because the NVIDIA driver has no GPU 3.*--gpu"):
            backend(write_style_network(tmp_path / "network.onnx"), 16, 16, EngineOptions(gpu=3))


@pytest.fixture
def fresh_plugin() -> Iterator[None]:
    """Nothing is remembered of a plugin that was asked for before, nor afterwards."""
    provider_plugin.plugin_failure.cache_clear()
    yield
    provider_plugin.plugin_failure.cache_clear()


@pytest.mark.usefixtures("fresh_plugin")
def test_a_missing_plugin_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU but without the package of TensorRT-RTX's provider, the command that installs it is given."""
    monkeypatch.setattr(onnxruntime_gpu, "find_gpu", lambda index=0: GPU)
    monkeypatch.setattr(provider_plugin, "PACKAGE", "no_such_plugin")
    reason = str(OnnxRuntimeTensorRTRtx.unavailable())
    assert reason.startswith("onnxruntime-tensorrt-rtx is not installed (no-such-plugin is missing)")
    assert "onnxruntime-ep-nv-tensorrt-rtx" in reason


@pytest.mark.usefixtures("fresh_plugin")
def test_a_plugin_that_does_not_load_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ONNX Runtime's own words on a library that is none, in one line, with the command that installs it again."""
    library = tmp_path / "plugin.so"
    library.write_bytes(b"no library")
    (tmp_path / "broken_plugin.py").write_text(f"def get_library_path():\n    return {str(library)!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(onnxruntime_gpu, "find_gpu", lambda index=0: GPU)
    monkeypatch.setattr(provider_plugin, "PACKAGE", "broken_plugin")
    reason = str(OnnxRuntimeTensorRTRtx.unavailable())
    assert reason.startswith("onnxruntime-tensorrt-rtx does not load: Failed to load library")
    assert reason.endswith(f"Install it again: {provider_plugin.FIX}")
    assert "\n" not in reason


@pytest.mark.usefixtures("fresh_plugin")
def test_a_plugin_without_a_gpu_that_it_supports_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that loads and offers no device is not available."""
    monkeypatch.setitem(sys.modules, "a_plugin", SimpleNamespace(get_library_path=lambda: "a", __spec__="a"))
    monkeypatch.setattr(provider_plugin, "PACKAGE", "a_plugin")
    monkeypatch.setattr(ort, "register_execution_provider_library", lambda name, path: None)
    assert "finds no GPU that it supports" in str(provider_plugin.plugin_failure("rtx"))


def test_a_plugin_runs_on_its_own_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sessions of a plugin are opened on the device of that number, and draw; here it is ONNX Runtime's CPU device."""
    monkeypatch.setattr(onnxruntime_gpu, "find_gpu", lambda index: Gpu(GPU.name, "8.9", "580.1"))
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name, appauthor: str(tmp_path / name))
    monkeypatch.setattr(providers, "TENSORRT_RTX", providers.CPU)
    monkeypatch.setattr(provider_plugin, "PROVIDER", providers.CPU)
    network = write_style_network(tmp_path / "network.onnx")
    with StartingRtx(network, 16, 16) as engine, OnnxRuntimeCpu(network, 16, 16) as reference:
        assert engine.info.device == "NVIDIA Test Card (GPU 0)"
        np.testing.assert_array_equal(engine.run(white()), reference.run(white()))
    with pytest.raises(ValueError, match="offers no GPU 1: the last one is 0"):
        providers.create_session(str(network), providers.quiet_options(), [(providers.CPU, {"device_id": "1"})])


def test_starting_a_provider_is_really_tried() -> None:
    """A provider that starts has no failure to report, as the CPU shows."""
    assert providers.start_failure("cpu", providers.CPU, "nothing") is None


def test_a_provider_without_its_libraries_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ONNX Runtime says when a library is missing is passed on with the command that installs it."""

    def fail(*_: object) -> None:
        raise RuntimeError("libcublasLt.so.13: cannot open shared object file")

    monkeypatch.setattr(providers, "load_nvidia_libraries", lambda tensorrt: None)
    monkeypatch.setattr(providers, "create_session", fail)
    reason = providers.start_failure("test-cuda", providers.CUDA, "pip install it")
    assert reason == (
        "test-cuda does not start: libcublasLt.so.13: cannot open shared object file. "
        "Install what it needs: pip install it"
    )


def test_the_cpu_is_called_by_its_name() -> None:
    """The name shown is one line and names the threads."""
    assert hardware.cpu_name().strip() == hardware.cpu_name() != ""
    assert hardware.describe_cpu(1).endswith(" (1 thread)")
    assert hardware.describe_cpu(8).endswith(" (8 threads)")
    assert hardware.usable_cores() >= 1
