"""The output side of a measurement."""

from __future__ import annotations

import time
from collections.abc import Sequence

from livefilter.bench.recorder import Recorder
from livefilter.frame import Frame
from livefilter.output.base import Sink


class ProbeSink(Sink):
    """Times what the outputs behind it cost, and notes each frame's age and beat.

    repeats: pass repeated frames on, as a live run does; a throughput run sends each frame once in every loop.
    """

    def __init__(self, sinks: Sequence[Sink], fps: float, recorder: Recorder, *, repeats: bool) -> None:
        self.name = ", ".join(sink.name for sink in sinks)
        self._sinks = sinks
        self._fps = fps
        self._recorder = recorder
        self._repeats = repeats
        self._beat = -1

    def send(self, frame: Frame) -> None:
        beat = self._beat if frame.media_s is None else round(frame.media_s * self._fps)
        is_new, self._beat = beat != self._beat, beat
        if not is_new and not self._repeats:
            return
        started = time.perf_counter()
        for sink in self._sinks:
            sink.send(frame)
        ended = time.perf_counter()
        if is_new:
            self._recorder.note("output", ended - started)
            self._recorder.note("age", ended - frame.captured_at)
        self._recorder.note_sent(ended, beat if is_new else None)

    def close(self) -> None:
        for sink in self._sinks:
            sink.close()
