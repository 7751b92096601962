"""What a stream takes of a machine."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_WINDOW_S, _SHORTEST_S = 5.0, 2.0
_FASTEST = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """cores: of the CPU, all the time. gpu: share of one GPU's time, 0 where it takes none."""

    cores: float
    gpu: float = 0.0


class CoreMeter:
    """How many cores this process has taken over the last seconds.

    clock: seconds that have passed. spent: seconds that the cores have worked for it, all threads together.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, spent: Callable[[], float] = time.process_time
    ) -> None:
        self._clock, self._spent = clock, spent
        self._seen: deque[tuple[float, float]] = deque([(clock(), spent())])

    def cores(self) -> float | None:
        """None in the first seconds."""
        self._seen.append((self._clock(), self._spent()))
        (at, spent), (now, by_now) = self._seen[0], self._seen[-1]
        while len(self._seen) > 2 and now - self._seen[1][0] >= _WINDOW_S:
            self._seen.popleft()
        return (by_now - spent) / (now - at) if now - at >= _SHORTEST_S else None


def cost_of(told: Mapping[str, Any]) -> Cost | None:
    """What a stream would take if no frame were late, from what its process tells; None before it is known."""
    figures, cores = told.get("figures"), told.get("cores")
    if not figures or cores is None or not figures["styled_fps"]:
        return None
    wanted_fps = min(figures["input_fps"], told.get("fps") or _FASTEST)
    late = max(1.0, wanted_fps / figures["styled_fps"])
    inference = figures["latency"].get("inference")
    # Of an engine that streams share, what it takes; the stream's own time is that of waiting for others, too.
    frame_ms = told.get("engine", {}).get("frame_ms", inference["p50_ms"] if inference else 0.0)
    gpu = frame_ms / 1000 * wanted_fps if told.get("on_gpu") else 0.0
    return Cost(cores * late, gpu)
