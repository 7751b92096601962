"""Whether several pictures at once are faster than one after the other: `python -m tools.scale.batches [STYLE [SIZE]]`.

Times the network of a style on OpenVINO for batches of 1, 2 and 4 pictures of SIZE x SIZE, on one thread and in turn,
and prints milliseconds for each picture, the median of all rounds and the best one, as a row of docs/scale.md.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from typing import Any

import numpy as np

from livefilter.styles.catalogue import Catalogue

_BATCHES = (1, 2, 4)
_ROUNDS = 15


def compiled(style: str, size: int, batch: int) -> Any:
    """A request with its pictures in it."""
    core = importlib.import_module("openvino").Core()
    model = core.read_model(str(Catalogue().get(style).networks["lite"].path))
    shapes = {port.get_any_name(): port.partial_shape for port in model.inputs}
    half = [batch, size // 2, size // 2, 1]
    model.reshape({name: [batch, size, size, 3] if name == "frame" else half for name in shapes})
    settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": 1}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    chance = np.random.default_rng(1)
    for port in model.inputs:
        values = chance.integers(0, 255, list(port.shape)) if port.get_any_name() == "frame" else np.ones(half)
        request.get_tensor(port.get_any_name()).data[:] = values
    return request


def main() -> None:
    """Time them in turn, so that all have the same machine."""
    style, size = (*sys.argv[1:], *("hayao", "360")[len(sys.argv) - 1 :])[:2]
    requests = {batch: compiled(style, int(size), batch) for batch in _BATCHES}
    each: dict[int, list[float]] = {batch: [] for batch in _BATCHES}
    for _ in range(_ROUNDS):
        for batch, request in requests.items():
            began = time.perf_counter()
            request.start_async()
            request.wait()
            each[batch].append((time.perf_counter() - began) * 1000 / batch)
    middle = " | ".join(f"{statistics.median(each[batch]):.1f} ({min(each[batch]):.1f})" for batch in _BATCHES)
    sys.stdout.write(f"| {style} {size}x{size} | {middle} |\n")


if __name__ == "__main__":
    main()
