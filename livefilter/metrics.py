"""Per-stage latency, rates and drops, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
STAGES = ("capture", "preprocess", "inference", "postprocess", "output", "age")


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of one stage over the newest samples, in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    samples: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the run looks like now.

    input_fps, styled_fps, output_fps: frames per second over the newest seconds: captured, styled, sent.
    latency: stage name -> Latency; "age" is the time from capture to the end of sending.
    captured, styled, sent: frames since the start; sent counts repeats as well.
    dropped: frames that a newer one replaced before they were styled or sent.
    """

    input_fps: float
    styled_fps: float
    output_fps: float
    latency: dict[str, Latency]
    captured: int
    styled: int
    sent: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Recent:
    """What happened between two moments of the metrics' clock.

    captured, styled, sent: moments of frames, in seconds of that clock; new: of those sent for the first time.
    durations_ms: stage -> milliseconds.
    """

    captured: list[float]
    styled: list[float]
    sent: list[float]
    new: list[float]
    durations_ms: dict[str, list[float]]


class Metrics:
    """Collects from every stage's thread; `snapshot` may be called from any other."""

    def __init__(
        self, samples: int = 900, window_s: float = 5.0, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._window_s = window_s
        self._durations: dict[str, deque[tuple[float, float]]] = {stage: deque(maxlen=samples) for stage in STAGES}
        self._times: dict[str, deque[float]] = {kind: deque(maxlen=2000) for kind in ("captured", "styled", "sent")}
        self._counts = {"captured": 0, "styled": 0, "sent": 0, "dropped": 0}

    def record(self, stage: str, seconds: float) -> None:
        """Add one duration of a stage of `STAGES`, in seconds."""
        with self._lock:
            self._durations[stage].append((self._clock(), seconds))

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Record how long the block took, when it did not fail."""
        started = self._clock()
        yield
        self.record(stage, self._clock() - started)

    def count(self, kind: str) -> None:
        """Count one frame that was "captured", "styled" or "sent", now."""
        with self._lock:
            self._counts[kind] += 1
            self._times[kind].append(self._clock())

    def set_dropped(self, dropped: int) -> None:
        """Set the number of frames dropped since the start."""
        with self._lock:
            self._counts["dropped"] = dropped

    def snapshot(self) -> Snapshot:
        """The figures of this moment."""
        with self._lock:
            now = self._clock()
            rates = {kind: self._rate(times, now) for kind, times in self._times.items()}
            durations = {
                stage: np.array([seconds for _at, seconds in values]) * 1000.0
                for stage, values in self._durations.items()
                if values
            }
            counts = dict(self._counts)
        return Snapshot(
            input_fps=rates["captured"],
            styled_fps=rates["styled"],
            output_fps=rates["sent"],
            latency={stage: percentiles(values_ms) for stage, values_ms in durations.items()},
            captured=counts["captured"],
            styled=counts["styled"],
            sent=counts["sent"],
            dropped=counts["dropped"],
        )

    def since(self, at_s: float) -> Recent:
        """What was recorded from a moment of the clock on, as far as it is still kept."""
        with self._lock:
            times = {kind: _tail(stamps, at_s, lambda stamp: stamp) for kind, stamps in self._times.items()}
            samples = {stage: _tail(values, at_s, lambda value: value[0]) for stage, values in self._durations.items()}
        new = [at for at, _seconds in samples["age"]]
        durations = {stage: [seconds * 1000.0 for _at, seconds in values] for stage, values in samples.items()}
        return Recent(times["captured"], times["styled"], times["sent"], new, durations)

    def _rate(self, times: deque[float], now: float) -> float:
        while times and times[0] < now - self._window_s:
            times.popleft()
        span_s = now - times[0] if times else 0.0
        return (len(times) - 1) / span_s if len(times) > 1 and span_s > 0 else 0.0


def _tail(items: deque[Item], at_s: float, moment: Callable[[Item], float]) -> list[Item]:
    """The newest items that are not older than `at_s`, in order."""
    found = list(takewhile(lambda item: moment(item) >= at_s, reversed(items)))
    return found[::-1]


def percentiles(values_ms: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Latency:
    """p50, p95 and p99 of a non-empty array of milliseconds."""
    p50, p95, p99 = np.percentile(values_ms, [50, 95, 99])
    return Latency(float(p50), float(p95), float(p99), len(values_ms))
