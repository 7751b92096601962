"""The delay of the picture, and the offset that follows it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefilter.metrics import Recent
from livefilter.obs.delay import EVERY_S, STEP_MS, OffsetLaw, picture_delay_s, total_offset_ms


def recent(interval_s: float, age_s: float, count: int, pause_s: float = 0.0) -> Recent:
    """Frames that are sent at a steady rate at one age, with a pause in the middle."""
    sent = [number * interval_s + (pause_s if number > count // 2 else 0.0) for number in range(count)]
    return Recent([], [], sent, sent, {"age": [age_s * 1000] * count})


@pytest.mark.parametrize(("interval_s", "age_s", "expected_s"), [(1 / 30, 0.05, 0.0667), (0.2, 0.25, 0.35)])
def test_a_slow_styles_pictures_are_late_by_half_their_interval_besides(
    interval_s: float, age_s: float, expected_s: float
) -> None:
    """A flash that comes at any moment is seen that late on average."""
    assert picture_delay_s(recent(interval_s, age_s, 60)) == pytest.approx(expected_s, abs=0.001)


def test_a_picture_that_stays_says_nothing() -> None:
    """A frozen one, a card, a run that has just begun."""
    assert picture_delay_s(recent(1 / 30, 0.05, 90, pause_s=20.0)) == pytest.approx(0.0667, abs=0.001)
    assert picture_delay_s(recent(5.0, 0.05, 10)) is None
    assert picture_delay_s(recent(1 / 30, 0.05, 10)) is None


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=200))
def test_offsets_change_seldom_and_never_by_little(delays: list[float]) -> None:
    """Whatever the delay does: steps of STEP_MS or more, EVERY_S apart, and within what was measured."""
    law = OffsetLaw()
    decided: list[tuple[float, int]] = []
    for second, delay in enumerate(delays):
        offset = law.follow(delay, float(second))
        if offset is not None:
            decided.append((float(second), offset))
            assert min(delays) - 1 <= offset <= max(delays) + 1
    for (before_s, before), (after_s, after) in itertools.pairwise(decided):
        assert after_s - before_s >= EVERY_S
        assert abs(after - before) >= STEP_MS


def test_an_offset_follows_a_change_and_not_a_hiccup() -> None:
    """One late second changes nothing; a delay that stays is followed within ten seconds."""
    law = OffsetLaw()
    offsets = [law.follow(delay, float(at)) for at, delay in enumerate([100.0] * 8 + [400.0] + [100.0] * 8)]
    assert [each for each in offsets if each is not None] == [100]
    offsets = [law.follow(250.0, 17.0 + at) for at in range(10)]
    assert [each for each in offsets if each is not None] == [250]


def test_the_users_offset_is_kept_and_obss_bounds_too() -> None:
    """What cannot be set is told."""
    told: list[str] = []
    assert total_offset_ms(120, -20, told.append) == 100
    assert told == []
    assert total_offset_ms(0, -2000, told.append) == -950
    assert "not -2000" in told[0]
