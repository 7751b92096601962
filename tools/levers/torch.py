"""Ways to run one network with PyTorch: types, memory layouts, compilers and graphs, one beside the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from livefilter.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class TorchWay:
    """half: float16 in place of float32. last: channels-last. compiled: a mode of torch.compile, "" for none.

    graph: recorded as a CUDA graph.
    """

    half: bool = True
    last: bool = True
    compiled: str = ""
    graph: bool = False


WAYS = {
    "float32": TorchWay(half=False, last=False),
    "half": TorchWay(last=False),
    "half, channels-last": TorchWay(),
    "half, graph": TorchWay(last=False, graph=True),
    "half, channels-last, graph": TorchWay(graph=True),
    "torch.compile, graph": TorchWay(compiled="default", graph=True),
    "torch.compile, channels-first, graph": TorchWay(last=False, compiled="default", graph=True),
    "torch.compile with max-autotune, graph": TorchWay(compiled="max-autotune-no-cudagraphs", graph=True),
}


def prepare(module: Any, way: TorchWay, device: str, width: int, height: int) -> tuple[Callable[[], None], Any, Any]:
    """Make a network ready to run one way: what runs it once, its input and its output.

    module: (1, 3, height, width) in [-1, 1] to the same; it is changed. device: as PyTorch names it.
    Raises: InvalidInput: a graph without a GPU.
    """
    import torch

    if way.graph and not device.startswith("cuda"):
        raise InvalidInput(f"A CUDA graph needs a GPU, and {device} is none.")
    kind = torch.float16 if way.half else torch.float32
    layout = torch.channels_last if way.last else torch.contiguous_format
    run: Any = module.to(device, kind, memory_format=layout)
    given = torch.zeros((1, 3, height, width), device=device, dtype=kind).contiguous(memory_format=layout)
    taken = torch.zeros_like(given)
    if way.compiled:
        run = torch.compile(run, mode=way.compiled)

    def once() -> None:
        with torch.no_grad():
            taken.copy_(run(given))

    once()
    if not way.graph:
        return once, given, taken
    cuda: Any = torch.cuda
    with cuda.device(device):
        stream = cuda.Stream()
        with cuda.stream(stream):
            for _ in range(3):
                once()
        stream.synchronize()
        graph = cuda.CUDAGraph()
        with cuda.graph(graph, stream=stream):
            once()
        cuda.synchronize()
    replay: Callable[[], None] = graph.replay
    return replay, given, taken
