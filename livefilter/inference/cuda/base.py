"""What livefilter asks of CUDA."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NewType, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

HostBuffer: TypeAlias = NDArray[np.uint8]
Graph = NewType("Graph", object)  # an instantiated CUDA graph, to be given back to the Cuda that captured it
# Held while a graph is recorded: PyTorch waits for the whole GPU before, which no other recording survives.
CAPTURING = threading.Lock()
Driver: TypeAlias = Any  # the module cuda.bindings.driver, which carries no types, or a stand-in for it


@dataclass(frozen=True, slots=True)
class CudaDevice:
    """A GPU: its number among this machine's, its name, and its compute capability such as (8, 9)."""

    number: int
    name: str
    capability: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Memory:
    """A GPU's memory in bytes, whoever uses it."""

    free: int
    total: int


class Cuda(Protocol):
    """The primary context of one GPU, one non-blocking stream on it, and all memory that was asked for here.

    Ready when constructed. Everything but `current` and `close` is called inside `with cuda.current():`, in any thread,
    by one thread at a time. All of it raises GpuFault.
    """

    gpu: CudaDevice
    stream: int

    def current(self) -> AbstractContextManager[None]:
        """Make the context this thread's own, and give the thread back the one it had."""

    def host(self, size: int, write_combined: bool = False) -> HostBuffer:
        """Pinned memory of `size` bytes, valid until `close`; write-combined is for what the CPU only writes."""

    def device(self, size: int) -> int:
        """The address of `size` bytes on the GPU, valid until `close`."""

    def copy_in(self, device: int, host: HostBuffer) -> None:
        """Enqueue a copy of a whole host buffer to the GPU."""

    def copy_out(self, host: HostBuffer, device: int) -> None:
        """Enqueue a copy from the GPU that fills a whole host buffer."""

    def synchronize(self) -> None:
        """Wait until all that was enqueued is done."""

    def capture(self, work: Callable[[], None]) -> Graph:
        """Record what `work` enqueues on the stream, without running it; valid until `close`."""

    def launch(self, graph: Graph) -> None:
        """Enqueue a captured graph as one."""

    def wait(self) -> None:
        """Wait until the latest `launch` is done."""

    def time_ms(self, work: Callable[[], None]) -> float:
        """The GPU's own time for what `work` enqueues; waits for it."""

    def memory(self) -> Memory:
        """The GPU's memory at this moment."""

    def close(self, lost: bool = False) -> None:
        """Free everything in reverse order. Can be called twice.

        lost: the context is broken: it is reset instead, and with it whatever else in this process used that GPU.
        """
