"""Figures are computed from raw samples and rounds as a person would by hand."""

from __future__ import annotations

import pytest

from livefilter.bench.figures import age_ratios, latency_ms, ratios, select, spread, summarise
from livefilter.bench.machine import Usage
from livefilter.bench.recorder import Window
from tests.bench.made import figures, result


def test_a_window_becomes_rates_drops_and_percentiles() -> None:
    """New frames and repeats are counted apart; beats between the first and last that were not sent are drops."""
    window = Window(
        duration_s=2.0,
        stages={"inference": [0.010, 0.020, 0.030]},
        sends=[0.0, 0.1, 0.2, 0.35],
        beats=[4, 5, 8],
        styled=3,
    )
    found = summarise(window, Usage(), 10.0, "pipeline", "live")
    assert (found.new_fps, found.sent_fps) == (1.5, 2.0)
    assert (found.new_frames, found.styled_frames) == (3, 3)
    assert (found.dropped_frames, found.dropped_percent) == (2, 40.0)
    assert found.latency["inference"].p50_ms == pytest.approx(20.0)
    assert found.jitter_p95_ms == pytest.approx(45.0)  # intervals 100, 100 and 150 ms at a period of 100


def test_a_window_without_a_frame_has_dropped_everything() -> None:
    """A loop that sent nothing in the window is a result too, not an error."""
    found = summarise(Window(duration_s=2.0), Usage(), 30.0, "naive", "live")
    assert (found.new_fps, found.dropped_frames, found.dropped_percent) == (0.0, 60, 100.0)
    assert found.jitter_p95_ms is None
    assert found.latency == {}


def test_jitter_is_a_figure_of_live_runs_only() -> None:
    """Flat out there is no period to stray from."""
    window = Window(duration_s=1.0, sends=[0.0, 0.1], beats=[0, 1])
    assert summarise(window, Usage(), 30.0, "pipeline", "throughput").jitter_p95_ms is None


def test_ratios_come_from_pairs_of_rounds() -> None:
    """Each round of the pipeline is divided by the naive round beside it, never by another one's."""
    rounds = result(rounds=3).rounds
    assert ratios(rounds, "throughput") == [2.0, 3.0, 4.0]
    assert ratios(rounds, "live") == [1.2, 1.2, 1.2]
    assert age_ratios(rounds) == [1.5, 2.0, 2.5]
    over = spread(ratios(rounds, "throughput"))
    assert (over.median, over.low, over.high) == (3.0, 2.0, 4.0)


def test_an_unpaired_round_makes_no_ratio() -> None:
    """An interrupted run may lack the last naive round, and a loop that sent nothing divides nothing."""
    rounds = [figures("pipeline", "throughput", 60.0), figures("naive", "throughput", 0.0)]
    assert ratios(rounds, "throughput") == []
    assert ratios(rounds[:1], "throughput") == []


def test_latency_is_the_median_of_rounds() -> None:
    """One disturbed round does not move the figure; a stage that nobody measured has none."""
    rounds = [figures("pipeline", "live", 30.0, age_ms=age) for age in (10.0, 12.0, 500.0)]
    assert latency_ms(rounds, "age", "p50") == 12.0
    assert latency_ms(rounds, "age", "p99") == 21.0
    assert latency_ms(rounds, "unknown", "p50") is None
    assert select(rounds, "naive", "live") == []
