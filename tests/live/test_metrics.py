"""Figures of a run."""

from __future__ import annotations

import numpy as np
import pytest

from livefilter.metrics import Metrics, percentiles
from tests.fakes import FakeClock


def test_rates_are_of_the_newest_seconds() -> None:
    """A run that slows down from 50 to 10 fps shows 10, and 0 once nothing comes any more."""
    clock = FakeClock(0.0)
    metrics = Metrics(window_s=2.0, clock=clock)
    for step in [0.02] * 200 + [0.1] * 40:
        clock.now += step
        metrics.count("captured")
    assert metrics.snapshot().input_fps == pytest.approx(10, rel=0.06)
    assert metrics.snapshot().captured == 240
    clock.now += 5
    assert metrics.snapshot().input_fps == 0


def test_percentiles_are_in_milliseconds() -> None:
    """p50, p95 and p99 of 1..100 ms."""
    found = percentiles(np.arange(1.0, 101.0))
    assert (found.p50_ms, found.samples) == (50.5, 100)
    assert found.p95_ms == pytest.approx(95.05)
    metrics = Metrics()
    metrics.record("inference", 0.010)
    assert metrics.snapshot().latency["inference"].p50_ms == pytest.approx(10)


def test_memory_is_bounded() -> None:
    """Old samples make room: a million frames leave no more than the ring holds."""
    metrics = Metrics(samples=100)
    for _ in range(5000):
        metrics.record("age", 0.001)
        metrics.count("sent")
    assert metrics.snapshot().latency["age"].samples == 100
    assert metrics.snapshot().sent == 5000


def test_a_failing_block_is_not_measured() -> None:
    """A stage that raised has no duration."""
    metrics = Metrics()
    with pytest.raises(ValueError, match="no"), metrics.measure("output"):
        raise ValueError("no")
    assert "output" not in metrics.snapshot().latency
