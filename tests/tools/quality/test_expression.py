"""What is made of landmarks."""

from __future__ import annotations

import pytest

from tools.quality.expression import Openings, correlations


def found(clip: str, person: float, drawn: float | None) -> Openings:
    """Eyes and mouth of one frame."""
    return Openings(clip, 100.0, (person, 2 * person), {"lite": None if drawn is None else (drawn, drawn)})


def test_clips_are_told_apart() -> None:
    """A person with wider eyes than another is no expression: each clip's mean is taken off."""
    frames = [found("a", 0.1, 0.4), found("a", 0.2, 0.3), found("b", 0.5, 0.9), found("b", 0.6, 0.8)]
    assert correlations(frames, "lite")["eyes"] == pytest.approx(-1.0)
    same = [found("a", 0.1, 0.5), found("a", 0.2, 0.7), found("b", 0.5, 0.1), found("b", 0.6, 0.3)]
    figures = correlations(same, "lite")
    assert figures["eyes"] == figures["mouth"] == pytest.approx(1.0)


def test_drawings_without_a_face_count_as_lost() -> None:
    """They tell nothing of the expression, and are not passed over."""
    frames = [found("a", 0.1, 0.1), found("a", 0.2, 0.2), found("a", 0.3, 0.3), found("a", 0.9, None)]
    figures = correlations(frames, "lite")
    assert figures["found"] == 0.75
    assert figures["frames"] == 4
    assert figures["eyes"] == pytest.approx(1.0)


def test_a_face_that_never_changes_has_no_correlation() -> None:
    """An artist that draws every eye alike gets 0, not an error."""
    assert correlations([found("a", 0.1, 0.3), found("a", 0.2, 0.3)], "lite")["eyes"] == 0.0
