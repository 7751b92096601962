"""The beat of the output."""

from __future__ import annotations

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefilter.output.clock import SteadyClock
from tests.fakes import FakeClock


class FakeEvent(threading.Event):
    """Never set; waiting moves the fake time."""

    def __init__(self, time: FakeClock) -> None:
        super().__init__()
        self._time = time

    def wait(self, timeout: float | None = None) -> bool:
        self._time.now += timeout or 0.0
        return False


@given(st.floats(1, 240), st.integers(2, 300), st.floats(0, 0.9))
def test_the_rate_is_exact_whatever_sending_costs(fps: float, ticks: int, load: float) -> None:
    """As long as sending takes less than a period, n ticks take n - 1 periods: no drift."""
    time = FakeClock()
    stopping = FakeEvent(time)
    clock = SteadyClock(fps, now=time)
    started = []
    for _ in range(ticks):
        assert clock.wait(stopping)
        started.append(time.now)
        time.now += load / fps
    assert started[-1] - started[0] == pytest.approx((ticks - 1) / fps, rel=1e-6)


def test_missed_ticks_are_skipped_not_sent_in_a_burst() -> None:
    """After a stall of ten periods the next ticks are a full period apart again."""
    time = FakeClock()
    stopping = FakeEvent(time)
    clock = SteadyClock(10, now=time)
    clock.wait(stopping)
    time.now += 1.03
    clock.wait(stopping)
    first = time.now
    clock.wait(stopping)
    second = time.now
    clock.wait(stopping)
    assert second - first <= 0.1 + 1e-9
    assert time.now - second == pytest.approx(0.1)


@given(st.floats(0, 0.03))
def test_the_phase_moves_to_just_after_frames_are_ready(offset: float) -> None:
    """Frames of a source of the same rate end up waiting a few ms; after the first no tick strays by over 1 %."""
    time = FakeClock()
    stopping = FakeEvent(time)
    clock = SteadyClock(30, now=time)
    period = 1 / 30
    waited = 0.0
    before = None
    for tick in range(800):
        clock.wait(stopping)
        if before is not None and tick > 1:
            assert abs((time.now - before) / period - 1) < 0.01
        before = time.now
        waited = (time.now - 100.0 - offset) % period
        clock.aim(waited)
    assert 0.001 < waited < 0.006


def test_frames_of_varying_age_are_not_missed() -> None:
    """When the moment at which frames are ready varies by 10 ms, the beat moves back until hardly any is missed."""
    time = FakeClock()
    stopping = FakeEvent(time)
    clock = SteadyClock(30, now=time)
    period, rng, missed = 1 / 30, random.Random(7), 0
    ready = [100.0 + n * period + rng.uniform(0, 0.010) for n in range(3000)]
    taken = 0
    for tick in range(2000):
        clock.wait(stopping)
        arrived = taken
        while ready[arrived] <= time.now:
            arrived += 1
        if arrived > taken:
            clock.aim(time.now - ready[arrived - 1])
        if tick > 1000:
            missed += arrived - taken != 1
        taken = arrived
    assert missed <= 10


def test_stop_ends_the_wait() -> None:
    """A set event makes wait return False at once."""
    stopping = threading.Event()
    clock = SteadyClock(0.01)
    assert clock.wait(stopping)
    stopping.set()
    assert not clock.wait(stopping)
