"""PyTorch on an NVIDIA GPU: half precision, channels-last, one CUDA graph a frame or a batch of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from livefilter.errors import BackendUnavailable, EngineFailed, GpuFault
from livefilter.frame import Image
from livefilter.inference.base import EngineInfo, EngineOptions
from livefilter.inference.checks import closed, one_line, require_frame, require_network, require_size
from livefilter.inference.cuda.base import CAPTURING
from livefilter.inference.hardware import find_gpu
from livefilter.inference.look import PLAIN, ComposingEngine, Look
from livefilter.nv12 import CHROMA, CHROMA_OFFSET, LUMA, LUMA_OFFSET

_FIX = 'pip install "torch>=2.9,<3" "onnx>=1.16,<2" with the command for your CUDA version from https://pytorch.org'


class TorchCudaEngine(ComposingEngine):
    """Networks of livefilter's own kind, rebuilt from their ONNX files; others are refused with StyleCorrupt.

    device: what PyTorch calls the hardware; None is the GPU of the options. On "cpu" it computes in float32 and without
    a graph, which is how its arithmetic is compared with the other backends where there is no GPU.
    """

    backend = "torch"
    takes_batches = draws_smaller = True

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

        from livefilter.generator.network import crisped_larger
        from livefilter.generator.rebuild import generator_from_onnx

        options = options or EngineOptions()
        gpu, batch = options.gpu, options.batch
        self.nv12 = options.nv12
        self._torch: Any = torch
        self._crisped_larger = crisped_larger
        self._device = torch.device(device or f"cuda:{gpu}")
        on_gpu = self._device.type == "cuda"
        self._closed = False
        self._smaller, self._contrast = options.smaller, 0
        self._type = torch.float16 if on_gpu else torch.float32
        self._graph: Any = None
        self.info = EngineInfo(self.backend, "CPU", "float16" if on_gpu else "float32", width, height)
        generator: Any = generator_from_onnx(network, options.sha256)
        if not options.people:
            generator.without_person()
        if self._smaller > 1:  # and then edges are made crisp at the frame's size
            self._contrast = generator.design.crisp
            generator.design = replace(generator.design, crisp=0)
        self.takes_strength, self.gives_person = bool(generator.design.strength), bool(generator.design.person)
        try:
            self._generator: Any = generator.to(self._device, self._type, memory_format=torch.channels_last)
            self._given: Any = torch.zeros((batch, height, width, 3), dtype=torch.uint8, pin_memory=on_gpu)
            shape = (batch, height * 3 // 2, width) if self.nv12 else (batch, height, width, 3)
            self._taken: Any = torch.zeros(shape, dtype=torch.uint8, pin_memory=on_gpu)
            self._input: Any = torch.zeros_like(self._given, device=self._device)
            # A fourth plane for the strength, if the network takes one: the size of what is drawn, as in training.
            drawn = height // self._smaller, width // self._smaller
            self._strength: Any = torch.ones((batch, int(self.takes_strength), *drawn), device=self._device)
            self._strength = self._strength.to(self._type)
            self._people: Any = torch.zeros((batch, height // 2, width // 2), dtype=torch.uint8, pin_memory=on_gpu)
            self._mixing: Any = torch.zeros((3, width, 1), device=self._device)
            self._columns: Any = torch.zeros(width, dtype=torch.int64, device=self._device)
            self._luma: Any = torch.tensor(LUMA, dtype=torch.float32, device=self._device)
            self._chroma: Any = torch.tensor(CHROMA, dtype=torch.float32, device=self._device)
            self._show(PLAIN)
            if on_gpu:
                name = torch.cuda.get_device_name(self._device)
                self.info = EngineInfo(self.backend, f"{name} (GPU {gpu})", "float16", width, height)
                self._capture()
        except Exception as error:
            raise BackendUnavailable(
                f"torch cannot open {network.name} on {self._device}: {one_line(error)}. Close other programs that use "
                "the GPU, or use --backend onnxruntime."
            ) from error
        self._given_images = list(self._given.numpy())
        people = list(self._people.numpy()) if self.gives_person else [None] * batch
        self._styled: list[tuple[Image, Image | None]] = list(zip(self._taken.numpy(), people, strict=True))

    @property
    def person(self) -> Image | None:
        return self._styled[0][1]

    def compose(self, image: Image, look: Look) -> Image:
        return self.compose_batch([image], look)[0][0]

    def compose_batch(self, images: Sequence[Image], look: Look) -> list[tuple[Image, Image | None]]:
        if self._closed:
            raise closed(self.info)
        for given, image in zip(self._given_images, images, strict=True):
            require_frame(image, self.info)
            np.copyto(given, image)
        try:
            if look != self._look:
                self._show(look)
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
        self._graph = self._generator = self._input = self._mixing = self._columns = None

    @classmethod
    def unavailable(cls) -> str | None:
        gpu = find_gpu()
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
            stream.wait_stream(cuda.current_stream())  # on which the buffers are filled
            with cuda.stream(stream):
                for _ in range(3):
                    self._frame()
            stream.synchronize()
            graph = cuda.CUDAGraph()
            # Other threads may draw meanwhile, with engines of their own.
            with CAPTURING, cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                self._frame()
            stream.synchronize()
            self._graph = graph

    def _frame(self) -> None:
        torch = self._torch
        self._input.copy_(self._given, non_blocking=True)
        # A frame's bytes lie channels-last already, so that turning the axes moves nothing.
        planes = self._input.permute(0, 3, 1, 2).to(self._type)
        if self._smaller > 1:
            planes = torch.nn.functional.avg_pool2d(planes, self._smaller)
        drawn, likely = self._generator.draw(torch.cat([planes * (1 / 127.5) - 1, self._strength], 1))
        if self._smaller > 1:
            strength = self._strength[:, :, :1, :1].float() if self.takes_strength else 1.0
            drawn = self._crisped_larger(drawn.float(), self._contrast, self._smaller, strength)
        levels = drawn.float() * 127.5 + 128
        styled, original = levels.clamp(0, 255).floor().permute(0, 2, 3, 1), self._input.float()
        share, on_person, least = self._mixing
        if likely is not None:
            people = likely.float().sigmoid() * 255 + 0.5
            if self._smaller > 1:
                people = torch.nn.functional.interpolate(people, scale_factor=float(self._smaller), mode="bilinear")
            people = people.floor()
            self._people.copy_(people[:, 0].to(torch.uint8), non_blocking=True)
            mask = torch.nn.functional.interpolate(people / 255, scale_factor=2.0, mode="bilinear")[:, 0, :, :, None]
            share = share + (on_person - share) * mask
        mixed = (original + (styled - original) * share + 0.5).floor().maximum(least)
        finished = mixed.index_select(2, self._columns)
        if self.nv12:
            luma, colour = finished @ self._luma + LUMA_OFFSET, finished[:, ::2, ::2] @ self._chroma + CHROMA_OFFSET
            rows = len(finished), -1, self.info.width
            finished = torch.cat([luma.reshape(rows), colour.reshape(rows)], 1)
        self._taken.copy_(finished.to(torch.uint8), non_blocking=True)

    def _show(self, look: Look) -> None:
        """Send a look to the GPU, where it stays for the frames to come: it is no part of the graph."""
        rows = self._torch.from_numpy(look.columns(self.info.width, self.takes_strength))
        self._mixing.copy_(rows[:3])
        self._columns.copy_(rows[3, :, 0])
        self._strength.fill_(look.strength)
        self._look = look
