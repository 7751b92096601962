"""pycuda.driver over the in-memory CUDA: objects that free what they hold when their last reference goes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.inference.fake_cuda import FakeDriver


class PycudaError(Exception):
    """pycuda.driver.Error."""


class FakePycuda:
    """Stands for the module pycuda.driver."""

    Error = PycudaError
    event_flags = SimpleNamespace(DISABLE_TIMING=2)
    host_alloc_flags = SimpleNamespace(WRITECOMBINED=4)

    def __init__(self, driver: FakeDriver) -> None:
        self.driver = driver
        self.Context = SimpleNamespace(pop=lambda: self.call("cuCtxPopCurrent"))

    def call(self, name: str, *arguments: Any) -> Any:
        """Call the driver as pycuda does: a failure is an exception that has only CUDA's sentence."""
        status, *values = getattr(self.driver, name)(*arguments)
        if status != 0:
            raise PycudaError(f"{name} failed: {self.driver.cuGetErrorString(status)[1].decode()}")
        return values[0] if len(values) == 1 else tuple(values)

    def init(self) -> None:
        self.call("cuInit", 0)

    def Device(self, number: int) -> Any:  # noqa: N802
        def retain_primary_context() -> Any:
            context = self.call("cuDevicePrimaryCtxRetain", number)
            return SimpleNamespace(
                push=lambda: self.call("cuCtxPushCurrent", context),
                detach=lambda: self.call("cuDevicePrimaryCtxRelease", number),
            )

        return SimpleNamespace(retain_primary_context=retain_primary_context)

    def Stream(self, flags: int = 0) -> Any:  # noqa: N802
        return _Stream(self, flags)

    def Event(self, flags: int = 0) -> Any:  # noqa: N802
        return _Event(self, flags)

    def mem_alloc(self, size: int) -> Any:
        return _Allocation(self, self.call("cuMemAlloc", size))

    def pagelocked_empty(self, shape: int, dtype: Any, order: str = "C", mem_flags: int = 0) -> Any:
        address = self.call("cuMemHostAlloc", shape, mem_flags)
        buffer = self.driver.pinned[address][0].view(_Pinned)
        buffer.pycuda, buffer.address = self, address
        return buffer

    def memcpy_htod_async(self, dest: int, src: Any, stream: Any) -> None:
        self.call("cuMemcpyHtoDAsync", dest, src.ctypes.data, src.nbytes, stream.handle)

    def memcpy_dtoh_async(self, dest: Any, src: int, stream: Any) -> None:
        self.call("cuMemcpyDtoHAsync", dest.ctypes.data, src, dest.nbytes, stream.handle)

    def mem_get_info(self) -> Any:
        return self.call("cuMemGetInfo")


class _Pinned(np.ndarray[Any, Any]):
    pycuda: FakePycuda | None = None
    address = 0

    def __del__(self) -> None:
        if self.pycuda is not None and self.address in self.pycuda.driver.pinned:
            self.pycuda.driver.cuMemFreeHost(self.address)


class _Allocation:
    def __init__(self, pycuda: FakePycuda, address: int) -> None:
        self._pycuda, self._address = pycuda, address

    def __int__(self) -> int:
        return self._address

    def free(self) -> None:
        self._pycuda.call("cuMemFree", self._address)


class _Stream:
    def __init__(self, pycuda: FakePycuda, flags: int) -> None:
        self._pycuda = pycuda
        self.handle = pycuda.call("cuStreamCreate", flags)

    def synchronize(self) -> None:
        self._pycuda.call("cuStreamSynchronize", self.handle)

    def __del__(self) -> None:
        if self.handle in self._pycuda.driver.streams:
            self._pycuda.driver.cuStreamDestroy(self.handle)


class _Event:
    def __init__(self, pycuda: FakePycuda, flags: int) -> None:
        self._pycuda = pycuda
        self.handle = pycuda.call("cuEventCreate", flags)

    def record(self, stream: Any) -> None:
        self._pycuda.call("cuEventRecord", self.handle, stream.handle)

    def synchronize(self) -> None:
        self._pycuda.call("cuEventSynchronize", self.handle)

    def time_till(self, other: Any) -> float:
        return float(self._pycuda.call("cuEventElapsedTime", self.handle, other.handle))

    def __del__(self) -> None:
        if self.handle in self._pycuda.driver.events:
            self._pycuda.driver.cuEventDestroy(self.handle)
