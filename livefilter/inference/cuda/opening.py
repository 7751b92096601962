"""Opens CUDA through the package of choice."""

from __future__ import annotations

from livefilter.errors import UnknownName
from livefilter.inference.cuda.base import Cuda

IMPLEMENTATIONS = ("bindings", "pycuda")


def open_cuda(gpu: int = 0, implementation: str = "bindings") -> Cuda:
    """Open a GPU by its number.

    implementation: "bindings" (cuda-bindings) or "pycuda".
    Raises: UnknownName; BackendUnavailable: no driver, no such GPU, one too old, or the package is missing; GpuFault.
    """
    if implementation == "bindings":
        from livefilter.inference.cuda.bindings import BindingsCuda

        return BindingsCuda(gpu)
    if implementation == "pycuda":
        from livefilter.inference.cuda.pycuda import PycudaCuda

        return PycudaCuda(gpu)
    raise UnknownName("CUDA package", implementation, IMPLEMENTATIONS)
