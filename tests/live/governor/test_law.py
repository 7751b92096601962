"""The control law on a simulated machine: it settles, it recovers, and it keeps shares."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefilter.live.governor.law import ControlLaw
from livefilter.live.governor.policy import Policy, Prefer, policy_for
from livefilter.live.governor.promise import Promise
from livefilter.live.governor.rung import Rung
from livefilter.live.governor.steps import RATES, steps_for
from tests.live.governor.machine import LADDER, SIZES, Machine, changes, play

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
    st.builds(
        lambda fps, age_ms, *, named: Promise(fps if named else 0.0, age_ms).at(fps),
        st.sampled_from([15.0, 30.0, 60.0]),
        st.sampled_from([60.0, 100.0, 250.0]),
        named=st.booleans(),
    ),
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
    """After a step of load, frames fit into their time again within ten seconds, if they can at all."""
    moments = play(machine, policy, start, 130.0, lambda at_s: before if at_s < 100 else after)
    whole_ms = min(1000.0 / policy.promise.fps, policy.promise.age_ms)
    if machine.frame_ms(0, after) * 1.2 * (1 + machine.noise) > policy.drop_at * whole_ms:
        return  # no rung is small enough
    late = [moment for moment in moments if 110.0 <= moment.at_s < 112.0]
    times_ms = [min(1000.0 / moment.decision.rate_fps, policy.promise.age_ms) for moment in late]
    assert any(moment.reading.frame_ms <= time_ms for moment, time_ms in zip(late, times_ms, strict=True))


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


def test_the_rate_yields_before_drawings_get_coarse() -> None:
    """Where 240 lines at the whole rate are too much, half of the frames are drawn in 240 lines; all come back."""
    policy = policy_for(Promise().at(30.0), "auto", gaming=False)
    moments = play(Machine(2.0, 8.0), policy, 2, 90.0, lambda at_s: 0.55 if 10 <= at_s < 40 else 0.0)
    busy = next(moment.decision for moment in moments if moment.at_s > 39)
    assert (SIZES[busy.rung], busy.rate_fps, busy.why) == (240, 15.0, "other programs")
    assert min(moment.decision.rung for moment in moments) == SIZES.index(240)
    assert moments[-1].decision.rate_fps == 30.0


def test_fewer_lines_are_the_last_resort() -> None:
    """Where 240 lines allow 10 drawings a second for four seconds, there are 15 of fewer; a burst costs none."""
    policy = policy_for(Promise().at(30.0), "auto", gaming=False)
    moments = play(Machine(2.0, 15.0), policy, 2, 90.0, lambda at_s: 0.75 if 10 <= at_s < 12 or at_s >= 50 else 0.0)
    coarse = [moment.at_s for moment in moments if SIZES[moment.decision.rung] < 240]
    assert 54.0 <= coarse[0] <= 56.0
    assert (SIZES[moments[-1].decision.rung], moments[-1].decision.rate_fps) == (192, 15.0)


def test_an_age_that_fewer_lines_do_not_mend_costs_none() -> None:
    """Frames that are too old at 192 lines as well are drawn at 240."""
    strict = policy_for(Promise(0.0, 40.0).at(30.0), "auto", gaming=False)
    moments = play(Machine(2.0, 8.0), strict, 2, 90.0, lambda at_s: 0.6)
    assert min(moment.reading.age_p95_ms or 0.0 for moment in moments) > 40.0
    assert min(SIZES[moment.decision.rung] for moment in moments) == 240


@pytest.mark.parametrize("policy", [_policy("auto"), policy_for(Promise().at(30.0), "speed", gaming=False)])
def test_a_rate_that_was_asked_for_stays(policy: Policy) -> None:
    """Who names a rate, or prefers speed, gets it with fewer lines."""
    last = play(Machine(2.0, 8.0), policy, 2, 60.0, lambda at_s: 0.5)[-1].decision
    assert (SIZES[last.rung], last.rate_fps) == (192, 30.0)


def test_a_share_leaves_fifteen_drawings_at_240_lines_too() -> None:
    """A share takes size and rate in the same order as a busy machine, and then goes further."""
    rungs = [steps_for(LADDER[:3], 0.5).all[index] for index in range(8)]
    assert [(SIZES[step.rung], round(30 * step.rate)) for step in reversed(rungs)] == [
        (288, 30), (240, 30), (240, 20), (240, 15), (192, 15), (192, 10), (192, 8), (192, 5),
    ]  # fmt: skip
    assert steps_for(LADDER[:3], 0.5).least == 3


def test_small_frames_lose_no_drawings_for_lines_that_they_do_not_have() -> None:
    """Where even the frame itself has fewer than 240 lines, sizes yield first."""
    small = steps_for([Rung("lite", size, float(size)) for size in (120, 180)], 0.5).all
    assert [(step.rung, round(30 * step.rate)) for step in small[:-5:-1]] == [(1, 30), (0, 30), (0, 20), (0, 15)]


def test_a_promise_without_a_rate_may_come_down_to_fifteen() -> None:
    """Only a rate that nobody named yields, and one of at most 15 does not."""
    assert [Promise().at(fps).least_fps for fps in (10.0, 30.0, 60.0)] == [10.0, 15.0, 15.0]
    assert policy_for(Promise(24.0).at(30.0), "auto", gaming=False).least_fps == 0.0


def test_another_promise_keeps_the_size_and_finds_its_rate() -> None:
    """When a rate is named while it yields, the whole rate is back at once."""
    law = ControlLaw(LADDER, policy_for(Promise().at(30.0), "auto", gaming=False), SIZES.index(240))
    machine, at_s = Machine(2.0, 8.0), 0.0
    while law.decision.rate_fps == 30.0:
        law.step(machine.read(at_s, law.decision, law.decision.rung, 0.5))
        at_s += 0.2
    law.obey(_policy())
    assert (SIZES[law.decision.rung], law.decision.rate_fps) == (240, 30.0)
