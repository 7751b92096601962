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
# AnimeGANv2's generator takes seconds for a frame of 720p; its time grows with the number of pixels.
ANIMEGAN_FRAME = (256, 256)
_ANIMEGAN_RUNS = 5
_WARM_UP = 2


@dataclass(frozen=True)
class Latency:
    """The median time of one frame in milliseconds. engine: backend and precision, such as "openvino bfloat16"."""

    engine: str
    width: int
    height: int
    latency_ms: float

    @property
    def ns_per_pixel(self) -> float:
        """Nanoseconds for each pixel of a frame."""
        return self.latency_ms * 1e6 / (self.width * self.height)


@dataclass(frozen=True)
class Costs:
    """What was measured in one run: by network, and AnimeGANv2's generator by engine."""

    networks: dict[str, list[Latency]]
    animegan: dict[str, Latency]

    def times_faster(self, latency: Latency) -> float:
        """How many times less a pixel takes than in AnimeGANv2's generator with the same engine."""
        return self.animegan[latency.engine].ns_per_pixel / latency.ns_per_pixel


def measure_costs(networks: Iterable[Network], picture: Image, out: Path, runs: int) -> Costs:
    """Time every network on every backend that is installed; `out` gets AnimeGANv2's generator with random weights."""
    backends = [name for name in BACKENDS if why_unavailable(name) is None]
    animegan = write_animegan(out / FILE)
    yardstick = [_time(animegan, name, ANIMEGAN_FRAME, picture, min(runs, _ANIMEGAN_RUNS)) for name in backends]
    return Costs(
        {
            network.label: [_time(network.path, name, frame, picture, runs) for name in backends for frame in FRAMES]
            for network in networks
        },
        {latency.engine: latency for latency in yardstick},
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
