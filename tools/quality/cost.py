"""What a network costs: bytes, operations and milliseconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from livefilter.bench.animegan import FILE, write_animegan
from livefilter.frame import Image
from livefilter.inference.base import Engine
from livefilter.inference.selection import why_unavailable
from livefilter.registry import ENGINES
from livefilter.styles.network import Network

BACKENDS = ("onnxruntime", "openvino")
FRAMES = ((640, 360), (1280, 720))
# AnimeGANv2's generator takes seconds for a frame of 720p.
_ANIMEGAN_RUNS = 3
_WARM_UP = 2


@dataclass(frozen=True)
class Latency:
    """The median time of one frame in milliseconds. engine: backend and precision, such as "openvino bfloat16"."""

    engine: str
    width: int
    height: int
    latency_ms: float

    def like(self, other: Latency) -> bool:
        """Whether it is of the same engine and size of frame."""
        return (self.engine, self.width, self.height) == (other.engine, other.width, other.height)


@dataclass(frozen=True)
class Costs:
    """What was measured in one run: by network, and AnimeGANv2's generator with the same engines and frames."""

    networks: dict[str, list[Latency]]
    animegan: list[Latency]

    def times_faster(self, latency: Latency) -> float:
        """How many times longer AnimeGANv2's generator takes for the same frame with the same engine."""
        return next(each.latency_ms / latency.latency_ms for each in self.animegan if each.like(latency))


def measure_costs(networks: Iterable[Network], picture: Image, out: Path, runs: int) -> Costs:
    """Time every network on every backend that is installed; `out` gets AnimeGANv2's generator with random weights."""
    backends = [name for name in BACKENDS if why_unavailable(name) is None]
    animegan = write_animegan(out / FILE)

    def timed(path: Path, times: int) -> list[Latency]:
        return [_time(path, name, frame, picture, times) for name in backends for frame in FRAMES]

    return Costs(
        {network.label: timed(network.path, runs) for network in networks}, timed(animegan, min(runs, _ANIMEGAN_RUNS))
    )


def _time(network: Path, backend: str, frame: tuple[int, int], picture: Image, runs: int) -> Latency:
    image = np.asarray(cv2.resize(picture, frame, interpolation=cv2.INTER_AREA), np.uint8)
    taken = []
    opened: Engine = ENGINES.load(backend)(network, *frame)
    with opened as engine:
        for _ in range(_WARM_UP + runs):
            started = time.perf_counter()
            engine.run(image)
            taken.append(1000.0 * (time.perf_counter() - started))
        name = f"{engine.info.backend} {engine.info.precision}"
    return Latency(name, *frame, statistics.median(taken[_WARM_UP:]))
