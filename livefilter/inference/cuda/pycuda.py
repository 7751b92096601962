"""CUDA through pycuda; graphs, which it lacks, through cuda-bindings."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from livefilter.errors import BackendUnavailable, GpuFault
from livefilter.inference.cuda.base import Cuda, Driver, Graph, HostBuffer, Memory
from livefilter.inference.cuda.driver_calls import GraphCalls, fault, find_device, load_driver

_log = logging.getLogger(__name__)
_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING, for which pycuda has no name


class PycudaCuda(Cuda):
    """See Cuda. pycuda.autoinit is never used: it makes a context of its own, which TensorRT's is not.

    gpu: its number. driver, pycuda: the modules cuda.bindings.driver and pycuda.driver; None imports them.
    Raises: BackendUnavailable; GpuFault.
    """

    def __init__(self, gpu: int = 0, driver: Driver | None = None, pycuda: Any = None) -> None:
        self._driver: Driver = driver or load_driver()
        self._device, self.gpu = find_device(self._driver, gpu)
        self._pycuda = pycuda or _load_pycuda()
        # Each object here is freed by pycuda when its last reference goes; the order is ours.
        self._owned: list[Any] | None = []
        with self._translated("pycuda.driver.init"):
            self._pycuda.init()
            self._context = self._pycuda.Device(gpu).retain_primary_context()
        try:
            with self.current(), self._translated("pycuda.driver.Stream"):
                self._handle = self._pycuda.Stream(_NON_BLOCKING)
                self._done = self._pycuda.Event(self._pycuda.event_flags.DISABLE_TIMING)
        except GpuFault as error:
            self.close(error.lost)
            raise
        self.stream = int(self._handle.handle)
        self._graphs = GraphCalls(self._driver, self.stream)

    @contextmanager
    def current(self) -> Iterator[None]:
        self._require_open()
        with self._translated("pycuda.driver.Context.push"):
            self._context.push()
        try:
            yield
        finally:
            try:
                self._pycuda.Context.pop()
            except self._pycuda.Error as error:  # a lost context cannot be popped cleanly
                _log.debug("pop: %s", error)

    def host(self, size: int, write_combined: bool = False) -> HostBuffer:
        flags = int(self._pycuda.host_alloc_flags.WRITECOMBINED) if write_combined else 0
        with self._translated("pycuda.driver.pagelocked_empty"):
            buffer: HostBuffer = self._pycuda.pagelocked_empty(size, np.uint8, "C", flags)
        self._own(buffer)
        return buffer

    def device(self, size: int) -> int:
        with self._translated("pycuda.driver.mem_alloc"):
            memory = self._pycuda.mem_alloc(size)
        self._own(memory)
        return int(memory)

    def copy_in(self, device: int, host: HostBuffer) -> None:
        with self._translated("pycuda.driver.memcpy_htod_async"):
            self._pycuda.memcpy_htod_async(device, host, self._handle)

    def copy_out(self, host: HostBuffer, device: int) -> None:
        with self._translated("pycuda.driver.memcpy_dtoh_async"):
            self._pycuda.memcpy_dtoh_async(host, device, self._handle)

    def synchronize(self) -> None:
        with self._translated("pycuda.driver.Stream.synchronize"):
            self._handle.synchronize()

    def capture(self, work: Callable[[], None]) -> Graph:
        return self._graphs.capture(work)

    def launch(self, graph: Graph) -> None:
        self._graphs.launch(graph)
        with self._translated("pycuda.driver.Event.record"):
            self._done.record(self._handle)

    def wait(self) -> None:
        with self._translated("pycuda.driver.Event.synchronize"):
            self._done.synchronize()

    def time_ms(self, work: Callable[[], None]) -> float:
        with self._translated("pycuda.driver.Event"):
            start, stop = self._pycuda.Event(), self._pycuda.Event()
            start.record(self._handle)
            work()
            stop.record(self._handle)
            stop.synchronize()
            return float(start.time_till(stop))

    def memory(self) -> Memory:
        with self._translated("pycuda.driver.mem_get_info"):
            free, total = self._pycuda.mem_get_info()
        return Memory(int(free), int(total))

    def close(self, lost: bool = False) -> None:
        if self._owned is None:
            return
        owned = self._owned
        with ExitStack() as last:
            last.callback(self._leave, lost)
            if not lost:
                last.enter_context(self.current())
                if hasattr(self, "_graphs"):
                    self._handle.synchronize()  # nothing is freed while the GPU works with it
                    self._graphs.close()
            while owned:
                memory = owned.pop()
                if not lost and hasattr(memory, "free"):
                    memory.free()
                del memory
            self._done = self._handle = None

    def _leave(self, lost: bool) -> None:
        self._owned = None
        self._context.detach()
        if lost:
            status = self._driver.cuDevicePrimaryCtxReset(self._device)[0]
            _log.warning("The CUDA context of %s was reset (status %s)", self.gpu.name, int(status))

    def _own(self, memory: Any) -> None:
        self._require_open().append(memory)

    def _require_open(self) -> list[Any]:
        if self._owned is None:
            raise GpuFault(f"CUDA on {self.gpu.name} is closed. Open it again.")
        return self._owned

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except self._pycuda.Error as error:
            raise fault(self._driver, name, self._status(str(error))) from error

    def _status(self, text: str) -> int:
        """CUDA's number for an error, of which pycuda gives only the sentence: "cuMemAlloc failed: out of memory"."""
        said = text.partition("failed: ")[2].partition(" - ")[0]
        return next(
            (int(status) for status in self._driver.CUresult.__members__.values() if self._sentence(status) == said),
            999,
        )

    def _sentence(self, status: Any) -> str:
        found = self._driver.cuGetErrorString(status)[1]
        return found.decode(errors="replace") if isinstance(found, bytes) else str(found)


def _load_pycuda() -> Any:
    try:
        return importlib.import_module("pycuda.driver")
    except (ImportError, OSError) as error:
        raise BackendUnavailable(
            f"pycuda cannot be loaded ({error}). Install it (it is compiled; the CUDA toolkit is needed): "
            'pip install "pycuda>=2025.1", or leave out --cuda pycuda.'
        ) from error
