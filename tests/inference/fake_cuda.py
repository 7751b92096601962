# ruff: noqa: N802 - the names are CUDA's
"""An in-memory CUDA: stands for the module cuda.bindings.driver, keeps its rules, computes only when waited for.

What is enqueued runs only when somebody waits, so a result that was read too early is wrong. Calls without a context,
memory that was freed or is too small, and work that may not be captured are errors, as on a GPU.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np


class CUresult(enum.IntEnum):
    """The statuses that tests need."""

    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1
    CUDA_ERROR_OUT_OF_MEMORY = 2
    CUDA_ERROR_NO_DEVICE = 100
    CUDA_ERROR_INVALID_CONTEXT = 201
    CUDA_ERROR_INVALID_HANDLE = 400
    CUDA_ERROR_ILLEGAL_ADDRESS = 700
    CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803
    CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900


OK = CUresult.CUDA_SUCCESS
Operation = Callable[[], None]


@dataclass
class Stream:
    """What was enqueued and has not run, and what is being recorded."""

    flags: int
    waiting: list[Operation] = field(default_factory=list)
    recording: list[Operation] | None = None


class FakeDriver:
    """One machine with its GPUs.

    calls: the names called, in order. fail: name -> statuses that its next calls give. status: what cuInit gives;
    None is a machine without a driver library.
    """

    CU_MEMHOSTALLOC_WRITECOMBINED = 4
    CUresult = CUresult
    CUstream_flags = SimpleNamespace(CU_STREAM_NON_BLOCKING=1)
    CUevent_flags = SimpleNamespace(CU_EVENT_DISABLE_TIMING=2)
    CUstreamCaptureMode = SimpleNamespace(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL=1)
    CUdevice_attribute = SimpleNamespace(
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR=0, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR=1
    )

    def __init__(
        self, capability: tuple[int, int] = (8, 9), gpus: int = 1, memory: int = 1 << 30, status: int | None = 0
    ) -> None:
        self.calls: list[str] = []
        self.fail: dict[str, list[int]] = {}
        self.device: dict[int, np.ndarray[Any, Any]] = {}
        self.pinned: dict[int, tuple[np.ndarray[Any, Any], int]] = {}
        self.streams: dict[int, Stream] = {}
        self.events: dict[int, tuple[int, int] | None] = {}
        self.graphs: dict[int, list[Operation]] = {}
        self.executables: dict[int, list[Operation]] = {}
        self.retained = 0
        self.resets = 0
        self.lost = False
        self._capability, self._gpus, self._total, self._status = capability, gpus, memory, status
        self._current = threading.local()
        self._next = 1000
        for name in [name for name in dir(FakeDriver) if name.startswith("cu")]:
            setattr(self, name, self._watched(name, getattr(self, name)))

    @property
    def left(self) -> dict[str, int]:
        """What was taken and not given back."""
        kinds = ("device", "pinned", "streams", "events", "graphs", "executables")
        counts = {kind: len(getattr(self, kind)) for kind in kinds} | {"retained": self.retained}
        return {kind: count for kind, count in counts.items() if count}

    def lose(self) -> None:
        """Break the context: every call fails until it is reset."""
        self.lost = True

    def CUstream(self, handle: int) -> int:
        return handle

    def enqueue(self, stream: int, operation: Operation) -> None:
        """Add work to a stream, as a kernel launch does."""
        found = self.streams[stream]
        (found.waiting if found.recording is None else found.recording).append(operation)

    def read(self, address: int, size: int) -> np.ndarray[Any, Any]:
        """The GPU's memory at an address; an error if it is not all there."""
        memory = self.device[address]
        assert size <= memory.size, f"{size} bytes are used of a buffer of {memory.size}"
        return memory[:size]

    def cuInit(self, flags: int) -> tuple[Any, ...]:
        if self._status is None:
            raise RuntimeError("the driver library cannot be found")
        return (CUresult(self._status),)

    def cuDeviceGetCount(self) -> tuple[Any, ...]:
        return OK, self._gpus

    def cuDeviceGet(self, number: int) -> tuple[Any, ...]:
        return OK, number

    def cuDeviceGetName(self, length: int, device: int) -> tuple[Any, ...]:
        return OK, f"Fake RTX {device}".encode().ljust(length, b"\0")

    def cuDeviceGetAttribute(self, attribute: int, device: int) -> tuple[Any, ...]:
        return OK, self._capability[attribute]

    def cuDevicePrimaryCtxRetain(self, device: int) -> tuple[Any, ...]:
        self.retained += 1
        return OK, 500 + device

    def cuDevicePrimaryCtxRelease(self, device: int) -> tuple[Any, ...]:
        self.retained -= 1
        return (OK,)

    def cuDevicePrimaryCtxReset(self, device: int) -> tuple[Any, ...]:
        self.lost = False
        self.resets += 1
        for table in (self.device, self.pinned, self.streams, self.events, self.graphs, self.executables):
            table.clear()
        return (OK,)

    def cuCtxPushCurrent(self, context: int) -> tuple[Any, ...]:
        self._stack().append(context)
        return (OK,)

    def cuCtxPopCurrent(self) -> tuple[Any, ...]:
        return OK, self._stack().pop()

    def cuMemHostAlloc(self, size: int, flags: int) -> tuple[Any, ...]:
        memory = np.zeros(size, np.uint8)
        self.pinned[memory.ctypes.data] = (memory, flags)
        return OK, memory.ctypes.data

    def cuMemFreeHost(self, address: int) -> tuple[Any, ...]:
        self._idle()
        del self.pinned[address]
        return (OK,)

    def cuMemAlloc(self, size: int) -> tuple[Any, ...]:
        if sum(memory.size for memory in self.device.values()) + size > self._total:
            return CUresult.CUDA_ERROR_OUT_OF_MEMORY, None
        memory = np.zeros(size, np.uint8)
        self.device[memory.ctypes.data] = memory
        return OK, memory.ctypes.data

    def cuMemFree(self, address: int) -> tuple[Any, ...]:
        self._idle()
        del self.device[address]
        return (OK,)

    def cuMemGetInfo(self) -> tuple[Any, ...]:
        return OK, self._total - sum(memory.size for memory in self.device.values()), self._total

    def cuStreamCreate(self, flags: int) -> tuple[Any, ...]:
        return OK, self._new(self.streams, Stream(flags))

    def cuStreamDestroy(self, stream: int) -> tuple[Any, ...]:
        del self.streams[stream]
        return (OK,)

    def cuStreamSynchronize(self, stream: int) -> tuple[Any, ...]:
        found = self.streams[stream]
        if found.recording is not None:
            return (CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,)
        self._run(found, len(found.waiting))
        return (OK,)

    def cuMemcpyHtoDAsync(self, device: int, host: int, size: int, stream: int) -> tuple[Any, ...]:
        source, _ = self.pinned[host]
        assert size == source.size
        self.read(device, size)
        self.enqueue(stream, lambda: np.copyto(self.read(device, size), self.pinned[host][0]))
        return (OK,)

    def cuMemcpyDtoHAsync(self, host: int, device: int, size: int, stream: int) -> tuple[Any, ...]:
        assert size == self.pinned[host][0].size
        self.read(device, size)
        self.enqueue(stream, lambda: np.copyto(self.pinned[host][0], self.read(device, size)))
        return (OK,)

    def cuEventCreate(self, flags: int) -> tuple[Any, ...]:
        return OK, self._new(self.events, None)

    def cuEventDestroy(self, event: int) -> tuple[Any, ...]:
        del self.events[event]
        return (OK,)

    def cuEventRecord(self, event: int, stream: int) -> tuple[Any, ...]:
        assert self.streams[stream].recording is None
        self.events[event] = (stream, len(self.streams[stream].waiting))
        return (OK,)

    def cuEventSynchronize(self, event: int) -> tuple[Any, ...]:
        recorded = self.events[event]
        if recorded is not None:
            self._run(self.streams[recorded[0]], recorded[1])
        return (OK,)

    def cuEventElapsedTime(self, start: int, stop: int) -> tuple[Any, ...]:
        return OK, 1.5

    def cuStreamBeginCapture(self, stream: int, mode: int) -> tuple[Any, ...]:
        assert mode == 1
        assert not self.streams[stream].waiting, "capture began before earlier work was done"
        self.streams[stream].recording = []
        return (OK,)

    def cuStreamEndCapture(self, stream: int) -> tuple[Any, ...]:
        recorded, self.streams[stream].recording = self.streams[stream].recording, None
        return OK, self._new(self.graphs, recorded)

    def cuGraphInstantiate(self, graph: int, flags: int) -> tuple[Any, ...]:
        return OK, self._new(self.executables, list(self.graphs[graph]))

    def cuGraphUpload(self, executable: int, stream: int) -> tuple[Any, ...]:
        return (OK,)

    def cuGraphLaunch(self, executable: int, stream: int) -> tuple[Any, ...]:
        for operation in self.executables[executable]:
            self.enqueue(stream, operation)
        return (OK,)

    def cuGraphExecDestroy(self, executable: int) -> tuple[Any, ...]:
        del self.executables[executable]
        return (OK,)

    def cuGraphDestroy(self, graph: int) -> tuple[Any, ...]:
        del self.graphs[graph]
        return (OK,)

    def cuGetErrorString(self, status: enum.IntEnum) -> tuple[Any, ...]:
        return OK, status.name.removeprefix("CUDA_ERROR_").replace("_", " ").lower().encode()

    def _watched(self, name: str, call: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
        def watched(*arguments: Any) -> tuple[Any, ...]:
            self.calls.append(name)
            failures = self.fail.get(name)
            if failures:
                return CUresult(failures.pop(0)), None
            free_of_context = name.startswith(("cuInit", "cuDevice", "cuGetError", "cuCtx"))
            if self.lost and not free_of_context:
                return CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, None
            if not free_of_context and not self._stack():
                return CUresult.CUDA_ERROR_INVALID_CONTEXT, None
            return call(*arguments)

        return watched

    def _stack(self) -> list[int]:
        if not hasattr(self._current, "stack"):
            self._current.stack = []
        return self._current.stack  # type: ignore[no-any-return]

    def _new(self, table: dict[int, Any], value: Any) -> int:
        self._next += 1
        table[self._next] = value
        return self._next

    def _run(self, stream: Stream, count: int) -> None:
        ready, stream.waiting = stream.waiting[:count], stream.waiting[count:]
        for event, recorded in self.events.items():
            if recorded is not None and self.streams[recorded[0]] is stream:
                self.events[event] = (recorded[0], max(0, recorded[1] - count))
        for operation in ready:
            operation()

    def _idle(self) -> None:
        assert not any(stream.waiting for stream in self.streams.values()), "memory is freed while work is under way"
