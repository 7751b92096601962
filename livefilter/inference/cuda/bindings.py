"""CUDA through cuda-bindings, NVIDIA's own package: a wheel, no compiler."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from livefilter.errors import GpuFault
from livefilter.inference.cuda.base import Cuda, Driver, Graph, HostBuffer, Memory
from livefilter.inference.cuda.driver_calls import GraphCalls, call, find_device, load_driver

_log = logging.getLogger(__name__)


class BindingsCuda(Cuda):
    """See Cuda.

    gpu: its number. driver: the module cuda.bindings.driver; None imports it.
    Raises: BackendUnavailable; GpuFault.
    """

    def __init__(self, gpu: int = 0, driver: Driver | None = None) -> None:
        self._driver: Driver = driver or load_driver()
        self._device, self.gpu = find_device(self._driver, gpu)
        self._owned: ExitStack | None = ExitStack()
        self._context = self._call("cuDevicePrimaryCtxRetain", self._device)
        self._handle: Any = None
        try:
            with self.current():
                flag = self._driver.CUstream_flags.CU_STREAM_NON_BLOCKING
                self._handle = self._own("cuStreamDestroy", self._call("cuStreamCreate", int(flag)))
                untimed = self._driver.CUevent_flags.CU_EVENT_DISABLE_TIMING
                self._done = self._own("cuEventDestroy", self._call("cuEventCreate", int(untimed)))
        except GpuFault as error:
            self.close(error.lost)
            raise
        self.stream = int(self._handle)
        self._graphs = GraphCalls(self._driver, self.stream)

    @contextmanager
    def current(self) -> Iterator[None]:
        self._require_open()
        self._call("cuCtxPushCurrent", self._context)
        try:
            yield
        finally:
            self._driver.cuCtxPopCurrent()  # a lost context cannot be popped cleanly, and that hides no error

    def host(self, size: int, write_combined: bool = False) -> HostBuffer:
        flags = int(self._driver.CU_MEMHOSTALLOC_WRITECOMBINED) if write_combined else 0
        address = int(self._own("cuMemFreeHost", self._call("cuMemHostAlloc", size, flags)))
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))

    def device(self, size: int) -> int:
        return int(self._own("cuMemFree", self._call("cuMemAlloc", size)))

    def copy_in(self, device: int, host: HostBuffer) -> None:
        self._call("cuMemcpyHtoDAsync", device, host.ctypes.data, host.nbytes, self._handle)

    def copy_out(self, host: HostBuffer, device: int) -> None:
        self._call("cuMemcpyDtoHAsync", host.ctypes.data, device, host.nbytes, self._handle)

    def synchronize(self) -> None:
        self._call("cuStreamSynchronize", self._handle)

    def capture(self, work: Callable[[], None]) -> Graph:
        return self._graphs.capture(work)

    def launch(self, graph: Graph) -> None:
        self._graphs.launch(graph)
        self._call("cuEventRecord", self._done, self._handle)

    def wait(self) -> None:
        self._call("cuEventSynchronize", self._done)

    def time_ms(self, work: Callable[[], None]) -> float:
        with ExitStack() as events:
            marks = []
            for _ in range(2):
                marks.append(self._call("cuEventCreate", 0))
                events.callback(self._driver.cuEventDestroy, marks[-1])
            self._call("cuEventRecord", marks[0], self._handle)
            work()
            self._call("cuEventRecord", marks[1], self._handle)
            self._call("cuEventSynchronize", marks[1])
            return float(self._call("cuEventElapsedTime", *marks))

    def memory(self) -> Memory:
        free, total = self._call("cuMemGetInfo")
        return Memory(int(free), int(total))

    def close(self, lost: bool = False) -> None:
        owned = self._owned
        if owned is None:
            return
        if lost:
            # Nothing of a lost context can be freed one by one; pinned memory goes with it.
            self._owned = None
            owned.pop_all()
            self._driver.cuDevicePrimaryCtxRelease(self._device)
            status = self._driver.cuDevicePrimaryCtxReset(self._device)[0]
            _log.warning("The CUDA context of %s was reset (status %s)", self.gpu.name, int(status))
            return
        try:
            with self.current():
                if hasattr(self, "_graphs"):
                    self._driver.cuStreamSynchronize(self._handle)  # nothing is freed while the GPU works with it
                    self._graphs.close()
                owned.close()
        finally:
            self._owned = None
            self._driver.cuDevicePrimaryCtxRelease(self._device)

    def _own(self, free: str, handle: Any) -> Any:
        self._require_open().callback(getattr(self._driver, free), handle)
        return handle

    def _require_open(self) -> ExitStack:
        if self._owned is None:
            raise GpuFault(f"CUDA on {self.gpu.name} is closed. Open it again.")
        return self._owned

    def _call(self, name: str, *arguments: Any) -> Any:
        return call(self._driver, name, *arguments)
