"""Which of a camera's modes is asked for."""

from __future__ import annotations

from livefilter.capture.base import SourceOptions
from livefilter.capture.mode import Mode
from livefilter.capture.modes import ranked

# What a common webcam states: raw pictures do not fit through USB 2 at high sizes and rates.
WEBCAM = [
    Mode("YUYV", 640, 480, 30),
    Mode("YUYV", 1280, 720, 10),
    Mode("YUYV", 1920, 1080, 5),
    Mode("MJPG", 640, 480, 30),
    Mode("MJPG", 1280, 720, 30),
    Mode("MJPG", 1920, 1080, 30),
    Mode("H264", 1920, 1080, 60),
]


def names(modes: list[Mode]) -> list[str]:
    """The modes in short."""
    return [f"{mode.pixel_format} {mode.width}" for mode in modes]


def test_raw_pictures_come_first_where_they_keep_the_rate() -> None:
    """They have no blocks and need no decoding."""
    assert names(ranked(WEBCAM, SourceOptions(640, 480, 30))) == ["YUYV 640", "MJPG 640"]


def test_the_rate_comes_before_the_format() -> None:
    """At 1280x720 only MJPG gives 30; whoever wants 10 gets raw pictures."""
    assert names(ranked(WEBCAM, SourceOptions(1280, 720))) == ["MJPG 1280", "YUYV 1280"]
    assert names(ranked(WEBCAM, SourceOptions(1280, 720, 10))) == ["YUYV 1280", "MJPG 1280"]


def test_a_size_that_it_lacks_becomes_the_nearest() -> None:
    """Nobody is refused for 1280x800."""
    assert names(ranked(WEBCAM, SourceOptions(1280, 800)))[0] == "MJPG 1280"


def test_without_a_wish_it_is_the_largest_that_keeps_the_rate() -> None:
    """But not 4K, for which no style is fast enough."""
    assert names(ranked([*WEBCAM, Mode("MJPG", 3840, 2160, 30)], SourceOptions())) == ["MJPG 1920", "YUYV 1920"]


def test_grey_is_taken_only_where_there_is_nothing_else() -> None:
    """An infrared camera is still a camera; an unknown format is none."""
    grey = Mode("GREY", 640, 480, 30)
    assert ranked([grey, *WEBCAM], SourceOptions(640, 480))[0].pixel_format == "YUYV"
    assert ranked([grey], SourceOptions(640, 480)) == [grey]
    assert ranked([Mode("H264", 640, 480, 30)], SourceOptions(640, 480)) == []


def test_a_camera_that_states_no_rate_is_given_the_benefit_of_the_doubt() -> None:
    """It is measured in any case."""
    assert (
        names(ranked([Mode("YUYV", 640, 480, 0.0), Mode("MJPG", 640, 480, 15)], SourceOptions(640, 480)))[0]
        == "YUYV 640"
    )
