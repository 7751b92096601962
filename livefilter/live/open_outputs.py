"""Opens the outputs of a live run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from livefilter.live.outputs import Outputs
from livefilter.output import auto_outputs, open_sink
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.worker import WorkerSink

# Frames that wait for a disk or an encoder in a live run: two seconds at 720p, fewer large ones; then the oldest goes.
_QUEUED_FRAMES = 60
_QUEUED_BYTES = 256 * 2**20


def expand_outputs(outputs: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Replace "auto" by what this machine has, without naming anything twice; and what is to be said about it."""
    specs: list[str] = []
    notices: list[str] = []
    for output in outputs:
        found = [output]
        if output == "auto":
            found, missing = auto_outputs()
            notices.extend(missing)
        specs.extend(spec for spec in found if spec not in specs)
    return specs, notices


def open_threaded(spec: str, options: SinkOptions) -> Sink:
    """Open an output that never holds up whoever sends to it.

    Raises: InvalidInput, SinkUnavailable.
    """
    return _threaded(open_sink(spec, options), options)


def add_outputs(
    outputs: Outputs,
    specs: Sequence[str],
    sinks: Sequence[Sink],
    options: SinkOptions,
    opened: Callable[[Sink], object],
) -> None:
    """Send to the sinks, which `specs` name, and open again those that may come back.

    opened: told each sink that was opened again, before frames go to it.
    """

    def reopen(spec: str) -> Sink:
        sink = open_sink(spec, options)
        opened(sink)
        return _threaded(sink, options)

    for spec, sink in zip(specs, sinks, strict=True):
        outputs.add(_threaded(sink, options), functools.partial(reopen, spec) if sink.comes_back else None)


def _threaded(sink: Sink, options: SinkOptions) -> Sink:
    fitting = _QUEUED_BYTES // (options.width * options.height * 3)
    return WorkerSink(sink, min(_QUEUED_FRAMES, fitting)) if sink.slow else sink
