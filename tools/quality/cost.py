"""What a network costs: bytes, operations and milliseconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineOptions, Precision
from livefilter.inference.crisp import Crisp
from livefilter.inference.hardware import multiplies_bytes
from livefilter.inference.precision import form_of
from livefilter.inference.selection import why_unavailable
from livefilter.registry import ENGINES
from livefilter.styles.network import Network

BACKENDS = ("onnxruntime", "openvino")
FRAMES = ((640, 360), (1280, 720))
ANIMEGAN_FRAME = (640, 360)  # of 720p it takes ten seconds
_CRISP = Crisp()
_Key: TypeAlias = tuple[str, Precision]
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
        """Whether it is of the same backend and size of frame."""
        mine, theirs = (each.engine.partition(" ")[0] for each in (self, other))
        return (mine, self.width, self.height) == (theirs, other.width, other.height)


@dataclass(frozen=True)
class Costs:
    """What was measured in one run: by network, and AnimeGANv2's generator with the same engines and frames."""

    networks: dict[str, list[Latency]]
    animegan: list[Latency]

    def times_faster(self, latency: Latency) -> float | None:
        """How many times longer AnimeGANv2's generator takes for the same frame on this backend, if it was timed."""
        return next((each.latency_ms / latency.latency_ms for each in self.animegan if each.like(latency)), None)


def measure_costs(networks: Sequence[Network], picture: Image, animegan: Path, rounds: int) -> Costs:
    """Time every network on every backend that is installed, in turns, so that what else runs slows all alike; and
    their INT8 forms, where they have some and this processor multiplies bytes.

    animegan: a network of AnimeGANv2, timed once a round, on the smaller frame.
    """
    found: dict[str, list[Latency]] = {network.label: [] for network in networks}
    yardstick: list[Latency] = []
    for backend in [name for name in BACKENDS if why_unavailable(name) is None]:
        for frame in FRAMES:
            image = np.asarray(cv2.resize(picture, frame, interpolation=cv2.INTER_AREA), np.uint8)
            with ExitStack() as opened:
                engines = {
                    (network.label, form): _open(opened, backend, network, frame, form)
                    for network in networks
                    for form in _forms(network)
                }
                slow = _open(opened, backend, animegan, frame, "float") if frame == ANIMEGAN_FRAME else None
                taken, slow_taken = _in_turns(engines, slow, image, rounds)
                for key, engine in engines.items():
                    found[key[0]].append(_latency(engine, frame, taken[key]))
                if slow:
                    yardstick.append(_latency(slow, frame, slow_taken))
    return Costs(found, yardstick)


def _forms(network: Network) -> tuple[Precision, ...]:
    return ("float", "int8") if network.int8_path is not None and multiplies_bytes() else ("float",)


def _open(
    opened: ExitStack, backend: str, network: Path | Network, frame: tuple[int, int], precision: Precision
) -> Engine:
    kind = ENGINES.load(backend)
    file, options = form_of(network, kind, EngineOptions(precision=precision, soft=True))
    engine: Engine = kind(file, *frame, options)
    return opened.enter_context(engine)


def _in_turns(
    engines: Mapping[_Key, Engine], slow: Engine | None, image: Image, rounds: int
) -> tuple[dict[_Key, list[float]], list[float]]:
    taken: dict[_Key, list[float]] = {name: [] for name in engines}
    slow_taken: list[float] = []
    for _ in range(rounds):
        for name, engine in engines.items():
            taken[name] += [_run(engine, image) for _ in range(_WARM_UP + _RUNS)][_WARM_UP:]
        if slow:
            slow_taken.append(_run(slow, image))
    return taken, slow_taken


def _run(engine: Engine, image: Image) -> float:
    started = time.perf_counter()
    _CRISP.scaled(engine.run(image), (image.shape[1], image.shape[0]), engine.contrast)
    return 1000.0 * (time.perf_counter() - started)


def _latency(engine: Engine, frame: tuple[int, int], taken: Sequence[float]) -> Latency:
    name = f"{engine.info.backend} {engine.info.precision}"
    return Latency(name, *frame, statistics.median(taken))
