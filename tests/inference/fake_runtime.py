"""A TensorRT runtime over the in-memory CUDA, whose one network is the negative of a frame."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.inference.fake_cuda import FakeDriver


class _Logger:
    Severity = SimpleNamespace(ERROR=1)

    def __init__(self) -> None:
        pass


class FakeRuntime:
    """Stands for the module tensorrt or tensorrt_rtx.

    width, height: of the one engine that it knows. refuses: it loads no plan, and says so. runs: how often the network
    was enqueued. alive: how many engines and contexts exist. compiled: what a context found in the kernel cache.
    """

    __name__ = "fake_tensorrt"
    __version__ = "11.0"
    ILogger = _Logger
    TensorIOMode = SimpleNamespace(INPUT="in", OUTPUT="out")
    DataType = SimpleNamespace(UINT8="uint8", HALF="half")

    def __init__(self, driver: FakeDriver, width: int, height: int, refuses: bool = False, needs: int = 1000) -> None:
        self.driver = driver
        self.shape = (1, height, width, 3)
        self.dtype = "uint8"
        self.refuses, self.needs = refuses, needs
        self.enqueue_works = True
        self.runs = 0
        self.alive = 0
        self.compiled: list[bytes] = []

    def Runtime(self, logger: Any) -> Any:  # noqa: N802
        assert "cuCtxPushCurrent" in self.driver.calls, "the runtime crashes before CUDA has a context"

        def load(plan: bytes) -> Any:
            if self.refuses:
                logger.log(1, "compute capability\n is not supported")
                return None
            return _Engine(self)

        return SimpleNamespace(deserialize_cuda_engine=load, get_engine_validity=lambda plan: ("INVALID", "CC"))


class _Engine:
    num_io_tensors = 2

    def __init__(self, runtime: FakeRuntime) -> None:
        self._runtime = runtime
        self.device_memory_size_v2 = runtime.needs
        runtime.alive += 1

    def __del__(self) -> None:
        assert self._runtime.driver.retained, "the engine outlived the CUDA context"
        self._runtime.alive -= 1

    def get_tensor_name(self, index: int) -> str:
        return ("frame", "styled")[index]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self._runtime.shape

    def get_tensor_dtype(self, name: str) -> str:
        return self._runtime.dtype

    def get_tensor_mode(self, name: str) -> str:
        return {"frame": "in", "styled": "out"}[name]

    def create_runtime_config(self) -> Any:
        held: list[bytes] = []

        def deserialize(data: bytes) -> bool:
            held.append(data)
            return data == b"kernels"

        cache = SimpleNamespace(deserialize=deserialize, serialize=lambda: b"kernels", held=held)
        config = SimpleNamespace(create_runtime_cache=lambda: cache)
        config.set_runtime_cache = lambda given: setattr(config, "cache", given)
        return config

    def create_execution_context(self, config: Any = None) -> Any:
        if config is not None:
            self._runtime.compiled += config.cache.held
        return _Context(self, self._runtime)


class _Context:
    def __init__(self, engine: _Engine, runtime: FakeRuntime) -> None:
        self._engine, self._runtime = engine, runtime
        self._addresses: dict[str, int] = {}
        self._memory = runtime.driver.cuMemAlloc(runtime.needs)[1]
        runtime.alive += 1

    def __del__(self) -> None:
        assert self._runtime.driver.retained, "the execution context outlived the CUDA context"
        if self._memory in self._runtime.driver.device:
            self._runtime.driver.cuMemFree(self._memory)
        self._runtime.alive -= 1

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        driver, size = self._runtime.driver, int(np.prod(self._runtime.shape))
        given, taken = driver.read(self._addresses["frame"], size), driver.read(self._addresses["styled"], size)

        def compute() -> None:
            self._runtime.runs += 1
            np.subtract(255, given, out=taken)

        driver.calls.append("execute_async_v3")
        driver.enqueue(stream, compute)
        return self._runtime.enqueue_works
