"""Output times: always rising, true to the file or to the capture, and aligned anew after a break."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefilter.frame import Frame
from livefilter.output.video.timeline import Placement, Timeline
from tests.conftest import picture

IMAGE = picture(8, 8)


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def at(number: int, captured_at: float, media_s: float | None = None) -> Frame:
    """A frame at a time."""
    return Frame(IMAGE, number, captured_at, media_s)


def test_the_first_frame_is_at_zero_and_names_its_moment_in_the_file() -> None:
    """What is played beside it starts at that moment."""
    assert Timeline(hold_s=1, live=True).place(at(7, 900.0, 4.5)) == Placement(0.0, 4.5)


def test_files_keep_their_own_times() -> None:
    """The clock may jitter, the file does not."""
    timeline = Timeline(hold_s=1, live=True)
    timeline.place(at(0, 10.0, 2.0))
    placed = timeline.place(at(1, 10.07, 2.04))
    assert placed is not None
    assert placed.at_s == pytest.approx(0.04)


def test_live_frames_keep_the_times_of_their_capture() -> None:
    """However late they are sent."""
    timeline = Timeline(hold_s=1, live=True)
    timeline.place(at(0, 10.0))
    placed = timeline.place(at(1, 10.123))
    assert placed is not None
    assert placed.at_s == pytest.approx(0.123)


def test_a_repeated_frame_is_placed_again_only_after_a_long_hold() -> None:
    """A frozen camera still feeds a file or server now and then, and the next frame keeps its true time."""
    clock = Clock()
    timeline = Timeline(hold_s=1, live=True, now=clock)
    still = at(0, 10.0)
    timeline.place(still)
    clock.now += 0.9
    assert timeline.place(still) is None
    assert timeline.end_s == pytest.approx(0.9)
    clock.now += 0.2
    placed = timeline.place(still)
    assert placed is not None
    assert placed.at_s == pytest.approx(1.1)
    clock.now += 0.5
    after = timeline.place(at(1, 11.6))
    assert after is not None
    assert after.at_s == pytest.approx(1.6)


def test_a_card_with_an_old_number_is_a_new_picture() -> None:
    """The holding card carries the last frame's number but a time of its own."""
    timeline = Timeline(hold_s=1, live=True)
    timeline.place(at(3, 10.0, 1.0))
    placed = timeline.place(at(3, 12.5))
    assert placed is not None
    assert placed.at_s == pytest.approx(2.5)


@pytest.mark.parametrize("media_s", [0.0, 40.0])
def test_a_file_that_was_opened_anew_is_aligned_anew(media_s: float) -> None:
    """After a jump in the file the clock tells when the picture is shown, and the sound starts where it does."""
    timeline = Timeline(hold_s=1, live=True)
    timeline.place(at(0, 10.0, 5.0))
    placed = timeline.place(at(1, 13.0, media_s))
    assert placed is not None
    assert placed.at_s == pytest.approx(3.0)
    assert placed.media_s == media_s
    after = timeline.place(at(2, 13.5, media_s + 0.5))
    assert after is not None
    assert after.at_s == pytest.approx(3.5)
    assert after.media_s is None


def test_rendering_keeps_long_gaps_of_a_file() -> None:
    """A file is read faster than it plays, so the clock says nothing."""
    timeline = Timeline(hold_s=1, live=False)
    timeline.place(at(0, 10.0, 0.0))
    placed = timeline.place(at(1, 10.01, 60.0))
    assert placed == Placement(60.0, None)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.floats(0, 100),
            st.none() | st.floats(0, 100),
            st.floats(0, 3),
        ),
        min_size=1,
        max_size=30,
    ),
    st.booleans(),
)
def test_times_always_rise_by_a_millisecond_or_more(
    steps: list[tuple[int, float, float | None, float]], live: bool
) -> None:
    """Whatever numbers and times frames carry, no container is given a time that stands still or falls."""
    clock = Clock()
    timeline = Timeline(hold_s=1, live=live, now=clock)
    times = []
    for number, captured_at, media_s, passed in steps:
        clock.now += passed
        placed = timeline.place(at(number, captured_at, media_s))
        if placed is not None:
            times.append(placed.at_s)
    assert times[0] == 0.0
    assert all(after - before > 0.0009 for before, after in itertools.pairwise(times))
