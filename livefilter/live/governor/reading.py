"""What the governor sees of a run and of its machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest second or less of a run, all of it since the last change.

    at_s: when it was taken, on any steady clock. rung: index of what styled.
    offered_fps, styled_fps: frames that came from the input, and that were styled.
    age_p95_ms: from capture to the end of sending; None when none was sent.
    frame_ms, slow_frame_ms: styling one frame, with scaling: the median, and what one frame in ten exceeds.
    inference_ms: the median of the network's part of frame_ms, which grows with the rung's cost.
    own_share, others_share: of the machine's CPU or GPU, the busier one, 0 to 1.
    throttled: the machine runs slower because it is hot.
    """

    at_s: float
    rung: int
    offered_fps: float
    styled_fps: float
    age_p95_ms: float | None
    frame_ms: float
    slow_frame_ms: float
    inference_ms: float
    own_share: float = 0.0
    others_share: float = 0.0
    throttled: bool = False
