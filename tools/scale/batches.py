"""What it brings to share an engine, and to draw several pictures at once: `python -m tools.scale.batches`.

    python -m tools.scale.batches [STYLE [SIZE [BACKEND [THREADS [STREAMS]]]]]

Everything is done in turn, so that all has the same machine, and printed as rows of docs/scale.md. First milliseconds
for each picture in batches of 1, 2 and 4, the median of all rounds and the best one. Then STREAMS that each bring a
picture as soon as their last one is drawn: with engines of their own, with a shared one, and with a shared one and
batches: pictures per second, and what one waited at the 95th percentile, in milliseconds, medians of all rounds.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineFactory, EngineOptions
from livefilter.inference.engine_pool import EnginePool
from livefilter.inference.selection import runs_on_gpu
from livefilter.registry import ENGINES
from livefilter.styles.catalogue import Catalogue

_BATCHES = (1, 2, 4)
_ROUNDS, _EACH = 15, 12


def batch_ms(engines: Sequence[Engine], pictures: Sequence[Image]) -> str:
    """A row of milliseconds for each picture, of engines for 1, 2 and 4."""
    each: dict[int, list[float]] = {batch: [] for batch in _BATCHES}
    for _ in range(_ROUNDS):
        for batch, engine in zip(_BATCHES, engines, strict=True):
            began = time.perf_counter()
            engine.run_batch(pictures[:batch], [1.0] * batch)
            each[batch].append((time.perf_counter() - began) * 1000 / batch)
    return " | ".join(f"{statistics.median(each[batch]):.1f} ({min(each[batch]):.1f})" for batch in _BATCHES)


def streams_row(ways: Sequence[Sequence[Engine]], picture: Image) -> str:
    """A row of pictures per second and of the longest waits, of engines for each stream in several ways."""
    found: list[list[tuple[float, float]]] = [[] for _ in ways]
    for _ in range(_ROUNDS):
        for engines, each in zip(ways, found, strict=True):
            each.append(_round(engines, picture))
    middles = [[statistics.median(figures) for figures in zip(*each, strict=True)] for each in found]
    return " | ".join(f"{rate:.1f}/s, {wait_ms:.0f} ms" for rate, wait_ms in middles)


def _round(engines: Sequence[Engine], picture: Image) -> tuple[float, float]:
    waits: list[float] = []

    def stream(engine: Engine) -> None:
        for _ in range(_EACH):
            began = time.perf_counter()
            engine.run(picture)
            waits.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=stream, args=(engine,)) for engine in engines]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(waits) / (time.perf_counter() - began), float(np.percentile(waits, 95))


def main() -> None:
    """Measure and print."""
    defaults = ("hayao", "360", "openvino", "1", "4")
    style, size_text, backend, threads, count = (*sys.argv[1:], *defaults[len(sys.argv) - 1 :])[:5]
    size = int(size_text)
    factory: EngineFactory = ENGINES.load(backend)
    network = Catalogue().choose(style, "auto", gpu=runs_on_gpu(backend))[1]

    def options(batch: int = 1) -> EngineOptions:
        return EngineOptions(int(threads), sha256=network.sha256, shared=True, batch=batch)

    def do_now(work: Callable[[], None]) -> None:
        work()

    pictures = list(np.random.default_rng(1).integers(0, 256, (max(_BATCHES), size, size, 3), np.uint8))
    with contextlib.ExitStack() as opened:

        def engine(batch: int) -> Engine:
            return opened.enter_context(factory(network.path, size, size, options(batch)))

        def pooled(pool: EnginePool) -> list[Engine]:
            return [
                opened.enter_context(pool.open(factory, network.path, size, size, options())) for _ in range(int(count))
            ]

        name = f"{style} {network.size} {size}x{size}, {backend}"
        sys.stdout.write(f"| {name} | {batch_ms([engine(batch) for batch in _BATCHES], pictures)} |\n")
        ways = [
            [engine(1) for _ in range(int(count))],
            pooled(EnginePool(lambda work: None)),
            pooled(EnginePool(do_now)),
        ]
        sys.stdout.write(f"| {name}, {count} streams | {streams_row(ways, pictures[0])} |\n")


if __name__ == "__main__":
    main()
