"""What a live run sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from livefilter.frame import Frame


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """How frames leave.

    width, height: pixels of every frame that is sent; frames of another size are fitted in with black bars.
    fps: frames per second that are sent, whether or not there is a new one.
    hold_s: seconds without a new frame after which the holding card is sent instead of the last one.
    due: tells whether a captured frame is to be styled; the others count as if they had not come.
    reserves: tells whether a styled frame may wait for one beat, so that late ones are not missed.
    idle_after_s: seconds without a watcher after which the input is released until there is one; None: never.
    """

    width: int
    height: int
    fps: float
    hold_s: float = 2.0
    idle_after_s: float | None = None
    due: Callable[[Frame], bool] = lambda frame: True
    reserves: Callable[[], bool] = lambda: True
