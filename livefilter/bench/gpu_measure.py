"""Times, differences and floors on an NVIDIA GPU."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livefilter.frame import Image
from livefilter.inference.base import Engine
from livefilter.metrics import percentiles

_WARM_RUNS = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two pictures are apart: grey levels at the 99.9th percentile and at most, and PSNR in dB."""

    levels_999: float
    levels_max: int
    psnr_db: float


def difference(reference: Image, found: Image) -> Difference:
    """Compare two pictures of one shape."""
    apart = np.abs(reference.astype(np.int16) - found)
    error = float(np.mean(np.square(apart, dtype=np.float64)))
    psnr = 99.0 if error == 0 else min(99.0, 10 * float(np.log10(255**2 / error)))
    return Difference(float(np.percentile(apart, 99.9)), int(apart.max()), round(psnr, 2))


def frame_times(run: Callable[[Image], Image], image: Image, limit_s: float, frames: int = 500) -> dict[str, float]:
    """From frame in to frame out, in milliseconds: p50, p95, p99, and frames a second at the median."""
    for _ in range(_WARM_RUNS):
        run(image)
    times: list[float] = []
    end = time.perf_counter() + limit_s
    while len(times) < frames and (len(times) < _WARM_RUNS or time.perf_counter() < end):
        started = time.perf_counter()
        run(image)
        times.append(time.perf_counter() - started)
    return summary([value * 1e3 for value in times])


def engine_times(engine: Engine, limit_s: float, runs: int = 200) -> dict[str, float] | None:
    """The GPU's time for the network alone, in milliseconds; None where the backend does not tell."""
    engine_ms: Callable[[], float] | None = getattr(engine, "engine_ms", None)
    if engine_ms is None:
        return None
    end = time.perf_counter() + limit_s
    times = [engine_ms() for _ in range(_WARM_RUNS)]
    times.clear()
    while len(times) < runs and (len(times) < _WARM_RUNS or time.perf_counter() < end):
        times.append(engine_ms())
    return summary(times)


def release_unused() -> None:
    """Give back what PyTorch keeps of the GPU's memory for later use, so that what is free can be compared."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()


def summary(times_ms: Sequence[float]) -> dict[str, float]:
    """Percentiles of times in milliseconds, their number, and frames a second at the median."""
    found = {name: round(value, 4) for name, value in asdict(percentiles(np.asarray(times_ms, np.float64))).items()}
    return found | {"fps": round(1000 / float(np.median(times_ms)), 1)}


def as_module(network: Path) -> Any:
    """A network as PyTorch's module: of our own kind, drawing at full strength, or the benchmark's own AnimeGANv2.

    Raises: StyleCorrupt: another kind.
    """
    from livefilter.bench.animegan import FILE, random_animegan
    from livefilter.generator.network import at_strength
    from livefilter.generator.rebuild import generator_from_onnx

    return random_animegan() if network.name == FILE else at_strength(generator_from_onnx(network))


def eager_torch(network: Path, gpu: int) -> Callable[[Image], Image]:
    """PyTorch as it is usually run: float32, layer by layer, a new tensor at each step.

    Raises: StyleCorrupt: see `as_module`.
    """
    import torch

    device = torch.device("cuda", gpu)
    generator = as_module(network).to(device)

    def run(image: Image) -> Image:
        with torch.no_grad():
            planes = torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1
            styled = ((generator(planes) + 1) * 127.5).clamp(0, 255)[0].permute(1, 2, 0).byte()
            return np.asarray(styled.cpu().numpy(), np.uint8)

    return run


def network_work(network: Path, width: int, height: int) -> tuple[float, float]:
    """GFLOP of one frame, and the MB that its convolutions read and write in half precision when all else is fused.

    Raises: StyleCorrupt: see `as_module`.
    """
    import torch

    from livefilter.generator.conv import Conv

    macs = values = 0

    def count(layer: Any, given: Any, made: Any) -> None:
        nonlocal macs, values
        macs += made.numel() * layer.weight[0].numel()
        values += given[0].numel() + made.numel() + layer.weight.numel()

    module = as_module(network)
    for layer in module.modules():
        if isinstance(layer, (Conv, torch.nn.Conv2d)):
            layer.register_forward_hook(count)
    with torch.no_grad():  # on "meta" shapes are followed and nothing is computed
        module.to("meta")(torch.empty((1, 3, height, width), device="meta"))
    return 2 * macs / 1e9, values * 2 / 1e6


def measured_rates(gpu: int) -> tuple[float, float]:
    """What this GPU does at best: half-precision matrix products in TFLOP/s, and copies in GB/s read and written."""
    import torch

    device = torch.device("cuda", gpu)
    size, bytes_copied = 8192, 1 << 30
    matrix = torch.randn((size, size), device=device, dtype=torch.float16)
    matrix_ms = _cuda_ms(lambda: matrix @ matrix, gpu)
    source = torch.empty(bytes_copied, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    copy_ms = _cuda_ms(lambda: target.copy_(source), gpu)
    return 2 * size**3 / matrix_ms / 1e9, 2 * bytes_copied / copy_ms / 1e6


def _cuda_ms(work: Callable[[], Any], gpu: int) -> float:
    return cuda_times(work, gpu, 20)["p50_ms"]


def cuda_times(work: Callable[[], Any], gpu: int, runs: int) -> dict[str, float]:
    """The GPU's own time for what PyTorch enqueues in `work`, in milliseconds."""
    import torch

    cuda: Any = torch.cuda
    times = []
    with cuda.device(gpu):
        for _ in range(runs):
            start, stop = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
            start.record()
            work()
            stop.record()
            stop.synchronize()
            times.append(start.elapsed_time(stop))
    return summary(times)
