"""ONNX Runtime on graphics cards and other accelerators: an execution provider each."""

from __future__ import annotations

import sys
from typing import Any

from livefilter.errors import BackendUnavailable
from livefilter.inference import provider_plugin, providers
from livefilter.inference.hardware import describe_cpu, find_gpu
from livefilter.inference.onnxruntime import OnnxRuntimeEngine
from livefilter.user_folders import cache_folder


class OnnxRuntimeCuda(OnnxRuntimeEngine):
    """ONNX Runtime on an NVIDIA GPU through CUDA and cuDNN."""

    backend = "onnxruntime-cuda"
    provider = providers.CUDA
    fix = providers.CUDA_FIX

    def _device(self, threads: int) -> str:
        gpu = find_gpu(self._gpu)
        if isinstance(gpu, str):
            raise BackendUnavailable(f"{self.backend} cannot run, because {gpu}. Choose another with --gpu.")
        return f"{gpu.name} (GPU {self._gpu})"

    def _provider_options(self) -> dict[str, str]:
        return {"device_id": str(self._gpu)}

    @classmethod
    def unavailable(cls) -> str | None:
        missing = cls._without_gpu() or providers.not_installed(cls.backend, cls.provider, cls.fix)
        return missing or providers.start_failure(cls.backend, cls.provider, cls.fix)

    @classmethod
    def _without_gpu(cls) -> str | None:
        gpu = find_gpu()
        if not isinstance(gpu, str):
            return None
        return (
            f"{cls.backend} needs an NVIDIA GPU, but {gpu}. Install the driver "
            "from https://www.nvidia.com/drivers if there is such a GPU, or use --backend auto."
        )


class OnnxRuntimeTensorRT(OnnxRuntimeCuda):
    """ONNX Runtime on an NVIDIA GPU through TensorRT in half precision; what it builds is kept in a cache folder."""

    backend = "onnxruntime-tensorrt"
    provider = providers.TENSORRT
    precision = "float16"
    fix = providers.TENSORRT_FIX
    takes_batches = False  # it would build for minutes beside the streams

    def _provider_options(self) -> dict[str, str]:
        cache = _cache_folder("tensorrt")
        return {
            **super()._provider_options(),
            "trt_fp16_enable": "1",
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": cache,
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": cache,
        }


class OnnxRuntimeTensorRTRtx(OnnxRuntimeCuda):
    """ONNX Runtime on a GeForce RTX or RTX PRO through TensorRT-RTX, in the precision of the style's file.

    What it compiles is kept in a cache folder.
    """

    backend = "onnxruntime-tensorrt-rtx"
    provider = providers.TENSORRT_RTX
    fix = provider_plugin.FIX
    takes_batches = False

    @classmethod
    def unavailable(cls) -> str | None:
        missing = cls._without_gpu() or provider_plugin.plugin_failure(cls.backend)
        return missing or providers.start_failure(cls.backend, cls.provider, cls.fix)

    def _provider_options(self) -> dict[str, str]:
        return super()._provider_options() | {"nv_runtime_cache_path": _cache_folder("tensorrt-rtx")}


class OnnxRuntimeDirectML(OnnxRuntimeEngine):
    """ONNX Runtime on any DirectX 12 GPU under Windows."""

    backend = "onnxruntime-directml"
    provider = providers.DIRECTML
    fix = providers.DIRECTML_FIX

    def _device(self, threads: int) -> str:
        return "GPU 0 through DirectML"

    def _session_options(self, threads: int) -> Any:
        options = super()._session_options(threads)
        options.enable_mem_pattern = False  # DirectML refuses memory patterns
        return options

    @classmethod
    def unavailable(cls) -> str | None:
        if sys.platform != "win32":
            return f"{cls.backend} runs on Windows only. Use --backend auto."
        return super().unavailable()


class OnnxRuntimeCoreML(OnnxRuntimeEngine):
    """ONNX Runtime on a Mac's GPU and neural engine."""

    backend = "onnxruntime-coreml"
    provider = providers.COREML

    def _device(self, threads: int) -> str:
        return f"{describe_cpu(threads)} and its GPU through Core ML"

    def _provider_options(self) -> dict[str, str]:
        return {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL", "RequireStaticInputShapes": "1"}

    @classmethod
    def unavailable(cls) -> str | None:
        if sys.platform != "darwin":
            return f"{cls.backend} runs on macOS only. Use --backend auto."
        return super().unavailable()


def _cache_folder(name: str) -> str:
    """Where a provider keeps what it compiles: native code, so nobody else may write there."""
    folder = cache_folder() / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder)
