"""PyTorch on an NVIDIA GPU: half precision, channels-last, one CUDA graph a frame."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from livefilter.errors import BackendUnavailable, EngineFailed, GpuFault
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.checks import closed, one_line, require_frame, require_network, require_size
from livefilter.inference.hardware import find_nvidia_gpu

_FIX = 'pip install "torch>=2.8,<3" "onnx>=1.16,<2" with the command for your CUDA version from https://pytorch.org'


class TorchCudaEngine(Engine):
    """Networks of livefilter's own kind, rebuilt from their ONNX files; others are refused with StyleCorrupt.

    device: what PyTorch calls the hardware; None is the GPU of the options. On "cpu" it computes in float32 and without
    a graph, which is how its arithmetic is compared with the other backends where there is no GPU.
    """

    backend = "torch"

    def __init__(
        self,
        network: Path,
        width: int,
        height: int,
        options: EngineOptions | None = None,
        *,
        device: str | None = None,
    ) -> None:
        require_size(width, height)
        missing = self.unavailable() if device is None else None
        if missing:
            raise BackendUnavailable(missing)
        require_network(network)
        import torch

        from livefilter.generator.rebuild import generator_from_onnx

        gpu = (options or EngineOptions()).gpu
        self._torch: Any = torch
        self._device = torch.device(device or f"cuda:{gpu}")
        on_gpu = self._device.type == "cuda"
        self._closed = False
        self._type = torch.float16 if on_gpu else torch.float32
        self._graph: Any = None
        self.info = EngineInfo(self.backend, "CPU", "float16" if on_gpu else "float32", width, height)
        generator: Any = generator_from_onnx(network)
        try:
            self._generator: Any = generator.to(self._device, self._type, memory_format=torch.channels_last)
            self._given: Any = torch.zeros((height, width, 3), dtype=torch.uint8, pin_memory=on_gpu)
            self._taken: Any = torch.zeros_like(self._given, pin_memory=on_gpu)
            self._input: Any = torch.zeros_like(self._given, device=self._device)
            if on_gpu:
                name = torch.cuda.get_device_name(self._device)
                self.info = EngineInfo(self.backend, f"{name} (GPU {gpu})", "float16", width, height)
                self._capture()
        except Exception as error:
            raise BackendUnavailable(
                f"torch cannot open {network.name} on {self._device}: {one_line(error)}. Close other programs that use "
                "the GPU, or use --backend onnxruntime."
            ) from error
        self._given_image = self._given.numpy()
        self._styled: Image = self._taken.numpy()

    def run(self, image: Image) -> Image:
        if self._closed:
            raise closed(self.info)
        require_frame(image, self.info)
        np.copyto(self._given_image, image)
        try:
            if self._graph is None:
                with self._torch.inference_mode():
                    self._frame()
            else:
                with self._torch.cuda.device(self._device):
                    self._graph.replay()
                    self._torch.cuda.current_stream().synchronize()
        except RuntimeError as error:
            message = f"torch failed on a frame on {self.info.device}: {one_line(error)}. Restart livefilter."
            raise (GpuFault(message, lost=True) if self._graph else EngineFailed(message)) from error
        return self._styled

    def close(self) -> None:
        self._closed = True
        self._graph = self._generator = self._input = None

    @classmethod
    def unavailable(cls) -> str | None:
        gpu = find_nvidia_gpu()
        if isinstance(gpu, str):
            return (
                f"{cls.backend} needs an NVIDIA GPU, but {gpu}. Install the driver "
                "from https://www.nvidia.com/drivers if there is such a GPU, or use --backend auto."
            )
        if importlib.util.find_spec("torch") is None or importlib.util.find_spec("onnx") is None:
            return f"{cls.backend} needs PyTorch and onnx, which are not installed. Install them: {_FIX}"
        import torch

        if not torch.cuda.is_available():
            return f"PyTorch {torch.__version__} does not reach the GPU. Install a build for CUDA: {_FIX}"
        return None

    def _capture(self) -> None:
        """Run a few times, as PyTorch asks for, then record one frame."""
        cuda = self._torch.cuda
        with cuda.device(self._device), self._torch.inference_mode():
            stream = cuda.Stream()
            with cuda.stream(stream):
                for _ in range(3):
                    self._frame()
            stream.synchronize()
            graph = cuda.CUDAGraph()
            with cuda.graph(graph, stream=stream):
                self._frame()
            cuda.synchronize()
            self._graph = graph

    def _frame(self) -> None:
        torch = self._torch
        self._input.copy_(self._given, non_blocking=True)
        # A frame's bytes lie channels-last already, so that turning the axes moves nothing.
        planes = self._input.permute(2, 0, 1)[None].to(self._type) * (1 / 127.5) - 1
        levels = self._generator(planes).float() * 127.5 + 128
        styled = levels.clamp(0, 255)[0].permute(1, 2, 0).to(torch.uint8)
        self._taken.copy_(styled, non_blocking=True)
