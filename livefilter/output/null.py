"""An output that shows frames to nobody."""

from __future__ import annotations

from livefilter.frame import Frame
from livefilter.output.base import Sink, SinkOptions


class NullSink(Sink):
    """Counts what it is sent: for benchmarks, and for trying an input without an output.

    sent: frames so far, repeats included.
    """

    def __init__(self, target: str, options: SinkOptions) -> None:
        self.name = f"null ({options.width}x{options.height}, shown to nobody)"
        self.sent = 0

    def send(self, frame: Frame) -> None:
        """Count the frame."""
        self.sent += 1

    def close(self) -> None:
        """Nothing to free."""
