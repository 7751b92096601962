"""What a network costs: bytes, operations and milliseconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image
from livefilter.inference.base import Engine
from livefilter.inference.selection import why_unavailable
from livefilter.registry import ENGINES
from livefilter.styles.network import Network

BACKENDS = ("onnxruntime", "openvino")
FRAMES = ((640, 360), (1280, 720))
ANIMEGAN_FRAME = (640, 360)  # of 720p it takes ten seconds
_WARM_UP = 2
_RUNS = 7  # of each network in a round


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

    def times_faster(self, latency: Latency) -> float | None:
        """How many times longer AnimeGANv2's generator takes for the same frame and engine, if it was timed."""
        return next((each.latency_ms / latency.latency_ms for each in self.animegan if each.like(latency)), None)


def measure_costs(networks: Sequence[Network], picture: Image, animegan: Path, rounds: int) -> Costs:
    """Time every network on every backend that is installed, in turns, so that what else runs slows all alike.

    animegan: a network of AnimeGANv2, timed once a round, on the smaller frame.
    """
    found: dict[str, list[Latency]] = {network.label: [] for network in networks}
    yardstick: list[Latency] = []
    for backend in [name for name in BACKENDS if why_unavailable(name) is None]:
        for frame in FRAMES:
            image = np.asarray(cv2.resize(picture, frame, interpolation=cv2.INTER_AREA), np.uint8)
            files = {network.label: network.path for network in networks}
            with ExitStack() as opened:
                engines = {name: _open(opened, backend, path, frame) for name, path in files.items()}
                slow = _open(opened, backend, animegan, frame) if frame == ANIMEGAN_FRAME else None
                taken, slow_taken = _in_turns(engines, slow, image, rounds)
                for name, engine in engines.items():
                    found[name].append(_latency(engine, frame, taken[name]))
                if slow:
                    yardstick.append(_latency(slow, frame, slow_taken))
    return Costs(found, yardstick)


def _open(opened: ExitStack, backend: str, network: Path, frame: tuple[int, int]) -> Engine:
    engine: Engine = ENGINES.load(backend)(network, *frame)
    return opened.enter_context(engine)


def _in_turns(
    engines: Mapping[str, Engine], slow: Engine | None, image: Image, rounds: int
) -> tuple[dict[str, list[float]], list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in engines}
    slow_taken: list[float] = []
    for _ in range(rounds):
        for name, engine in engines.items():
            taken[name] += [_run(engine, image) for _ in range(_WARM_UP + _RUNS)][_WARM_UP:]
        if slow:
            slow_taken.append(_run(slow, image))
    return taken, slow_taken


def _run(engine: Engine, image: Image) -> float:
    started = time.perf_counter()
    engine.run(image)
    return 1000.0 * (time.perf_counter() - started)


def _latency(engine: Engine, frame: tuple[int, int], taken: Sequence[float]) -> Latency:
    name = f"{engine.info.backend} {engine.info.precision}"
    return Latency(name, *frame, statistics.median(taken))
