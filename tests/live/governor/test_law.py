"""The control law on a simulated machine: it settles, it recovers, and it keeps shares."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefilter.live.governor.law import RATES
from livefilter.live.governor.policy import Policy, Prefer, policy_for
from livefilter.live.governor.promise import Promise
from tests.live.governor.machine import LADDER, Machine, changes, play

PROMISE = Promise(30.0, 100.0)
TOP = len(LADDER) - 1
machines = st.builds(
    Machine,
    around_ms=st.floats(0.5, 6.0),
    unit_ms=st.floats(0.5, 40.0),
    power=st.floats(0.6, 1.35),
    noise=st.floats(0.0, 0.15),
    lag_ticks=st.integers(0, 3),
    offered_fps=st.sampled_from([15.0, 30.0, 60.0]),
    seed=st.integers(0, 1000),
)
policies = st.builds(
    policy_for,
    st.builds(Promise, st.sampled_from([15.0, 30.0]), st.sampled_from([60.0, 100.0, 250.0])),
    st.sampled_from(["auto", "looks", "speed", "cool"]),
    gaming=st.booleans(),
    share=st.floats(0.05, 0.6),
)
loads = st.floats(0.0, 0.85)
starts = st.integers(0, TOP)


def _policy(prefer: Prefer = "auto", *, gaming: bool = False) -> Policy:
    return policy_for(PROMISE, prefer, gaming=gaming)


@settings(max_examples=50, deadline=None)
@given(machine=machines, policy=policies, load=loads, start=starts)
def test_a_constant_load_makes_no_oscillation(machine: Machine, policy: Policy, load: float, start: int) -> None:
    """Under a load that does not change, the law settles: six changes a minute at most, and hardly one later on."""
    moments = play(machine, policy, start, 600.0, lambda at_s: load)
    made = [at_s for at_s, _rung, _rate in changes(moments)]
    assert all(sum(at <= other < at + 60 for other in made) <= 6 + len(RATES) for at in made[:1])
    assert all(sum(at <= other < at + 60 for other in made) <= 6 for at in made if at > 15)
    assert sum(at_s > 300 for at_s in made) <= 5


@settings(max_examples=50, deadline=None)
@given(machine=machines, policy=policies, before=loads, after=loads, start=starts)
def test_trouble_that_can_be_mended_is_mended_in_seconds(
    machine: Machine, policy: Policy, before: float, after: float, start: int
) -> None:
    """After a step of load, frames fit into their time again within four seconds, if they can at all."""
    moments = play(machine, policy, start, 130.0, lambda at_s: before if at_s < 100 else after)
    time_ms = min(1000.0 / policy.promise.fps, policy.promise.age_ms)
    if machine.frame_ms(0, after) * 1.2 * (1 + machine.noise) > policy.drop_at * time_ms:
        return  # no rung is small enough
    late = [moment for moment in moments if 104.0 <= moment.at_s < 106.0]
    assert min(moment.reading.frame_ms for moment in late) <= time_ms


@settings(max_examples=50, deadline=None)
@given(machine=machines, load=st.floats(0.3, 0.85), start=starts)
def test_the_picture_comes_back_after_the_load_has_gone(machine: Machine, load: float, start: int) -> None:
    """Two minutes after other programs have ended, the rung is at most one below what a climb in peace reaches."""
    disturbed = play(machine, _policy(), start, 180.0, lambda at_s: load if 30 <= at_s < 60 else 0.0)
    quiet = play(machine, _policy(), 0, 60.0, lambda at_s: 0.0)
    assert disturbed[-1].decision.rung >= quiet[-1].decision.rung - 1


@settings(max_examples=50, deadline=None)
@given(machine=machines, load=loads, start=starts, share=st.floats(0.05, 0.5))
def test_a_share_wins_over_everything_else(machine: Machine, load: float, start: int, share: float) -> None:
    """In gaming mode this program takes no more than its share, unless it is at the smallest size and rate."""
    gaming = policy_for(PROMISE, "auto", gaming=True, share=share)
    last = play(machine, gaming, start, 60.0, lambda at_s: load)[-25:]
    least = last[-1].decision.rung == 0 and last[-1].decision.rate_fps == PROMISE.fps * RATES[-1]
    shares = sorted(moment.reading.own_share for moment in last)
    assert shares[0] <= 1.05 * share or least


def test_a_step_down_comes_within_a_second() -> None:
    """When a frame suddenly takes three times as long, the size is smaller within a second, and once is enough."""
    moments = play(Machine(1.5, 4.0), _policy(), 3, 30.0, lambda at_s: 0.0 if at_s < 5 else 0.66)
    [(at_s, rung, rate)] = changes(moments)
    assert 5.0 < at_s <= 6.0
    assert (rung < 3, rate) == (True, 30.0)
    assert moments[-1].decision.why == "other programs"


def test_a_step_up_waits_for_ten_seconds_of_room() -> None:
    """On a machine with room from the start, the first climb comes after ten seconds and not before."""
    made = changes(play(Machine(1.0, 1.0), _policy(), 0, 40.0, lambda at_s: 0.0))
    assert made[0][0] == pytest.approx(10.5, abs=0.5)
    assert made[-1][1] == TOP


def test_one_slow_moment_changes_nothing() -> None:
    """A hiccup shorter than a third of a second costs no size."""
    assert not changes(play(Machine(1.5, 4.0), _policy(), 3, 9.0, lambda at_s: 0.7 if 5.0 <= at_s < 5.2 else 0.0))


def test_a_fixed_size_stays() -> None:
    """With a size that the user chose nothing changes, however late frames are."""
    moments = play(Machine(2.0, 20.0), _policy(), TOP, 60.0, lambda at_s: 0.5, fixed=True)
    assert not changes(moments)


def test_lateness_that_is_not_ours_costs_no_picture() -> None:
    """Frames that are old although styling takes next to nothing are left as large as they are."""
    machine = Machine(0.2, 0.2, offered_fps=30.0)
    strict = policy_for(Promise(30.0, 10.0), "auto", gaming=False)
    assert not changes(play(machine, strict, 0, 30.0, lambda at_s: 0.0))


def test_speed_leaves_more_room_than_looks() -> None:
    """On one machine "looks" settles at a larger size than "speed"."""
    settled = {
        prefer: play(Machine(1.5, 4.0), _policy(prefer), 0, 120.0, lambda at_s: 0.0)[-1].decision.rung
        for prefer in ("looks", "speed")
    }
    assert settled["looks"] > settled["speed"]


def test_gaming_takes_size_first_and_then_rate() -> None:
    """The share is reached by size; the rate yields only at the smallest one, and comes back first."""
    machine = Machine(3.0, 12.0)
    moments = play(machine, _policy(gaming=True), 2, 60.0, lambda at_s: 0.0)
    made = changes(moments)
    assert made[0][1:] == (0, 30.0)
    assert made[-1][1] == 0
    assert made[-1][2] < 30.0
    assert moments[-1].decision.why == "at most 15%"
