"""How many times smaller than its frames a GPU draws them, so that lines are few and bold, and edges crisp."""

from __future__ import annotations

from pathlib import Path

from livefilter.errors import StyleCorrupt
from livefilter.inference.crisp import LIVE_LINES
from livefilter.inference.geometry import Fit, fit_network
from livefilter.styles.accepts import Accepts
from livefilter.styles.network_edit import without_crisp
from livefilter.styles.network_file import read_network

# Fewer would cost faces that are small in the frame their eyes.
_LEAST_LINES = 320


def times_smaller(short: int) -> int:
    """The whole factor by which frames with a shorter side of `short` pixels come nearest to LIVE_LINES when drawn.

    1 where even half of them would be less than 320 lines.
    """
    return min(range(1, max(1, short // _LEAST_LINES) + 1), key=lambda times: abs(short / times - LIVE_LINES))


def most_by_engine(short: int) -> int:
    """How many lines such an engine draws of frames with a shorter side of `short` pixels."""
    return short // times_smaller(short)


def usual_smaller(network: Path, width: int, height: int) -> int:
    """What a live run asks of an engine for frames of this size if nobody names a size: 1 for a network of others."""
    try:
        crisp = without_crisp(read_network(network))[1] > 0
    except (StyleCorrupt, ValueError):
        return 1  # whoever opens the file says what is wrong with it
    return times_smaller(min(width, height)) if crisp else 1


def asked_smaller(short: int, lines: int | None) -> int:
    """How many times smaller than frames with a shorter side of `short` pixels so many lines are; 1 if not a whole
    number of times."""
    times = max(1, short // lines) if lines is not None else 1
    return times if short // times == lines else 1


def fit_drawn(width: int, height: int, lines: int | None, accepts: Accepts, *, by_engine: bool) -> tuple[Fit, int]:
    """The size at which an engine takes a frame, and how many times smaller it draws that.

    lines: as process_size of `fit_network`. by_engine: if they are a whole part of the frame's, the engine takes the
        frame in its own size, filled up, and comes down to them itself.
    """
    times = asked_smaller(min(width, height), lines) if by_engine else 1
    if times == 1:
        return fit_network(width, height, lines, accepts), 1
    return fit_network(width, height, None, Accepts(accepts.multiple * times)), times
