"""Opens the outputs of a live run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack

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


def open_sinks(specs: Sequence[str], options: SinkOptions) -> list[Sink]:
    """Open every output; when one cannot be opened the others are closed again.

    Raises: InvalidInput, SinkUnavailable.
    """
    with ExitStack() as opened:
        sinks = [opened.enter_context(open_sink(spec, options)) for spec in specs]
        opened.pop_all()
    return sinks


def threaded(sink: Sink, options: SinkOptions) -> Sink:
    """The sink as one that never holds up whoever sends to it."""
    fitting = _QUEUED_BYTES // (options.width * options.height * 3)
    return WorkerSink(sink, min(_QUEUED_FRAMES, fitting)) if sink.slow else sink


def open_outputs(
    specs: Sequence[str],
    options: SinkOptions,
    *,
    strict: bool,
    notify: Callable[[str], object],
    reopened: Callable[[Sink], object],
) -> tuple[Outputs, list[Sink]]:
    """Open the outputs of a run, and again those that come back after they were lost.

    strict, notify: as of Outputs. reopened: told each sink that was opened again, before frames go to it.
    Returns: the outputs, which own the sinks, and these as they are without the threads around them.
    Raises: InvalidInput, SinkUnavailable.
    """

    def reopen(spec: str) -> Sink:
        sink = open_sink(spec, options)
        reopened(sink)
        return threaded(sink, options)

    sinks, outputs = open_sinks(specs, options), Outputs(strict=strict, notify=notify)
    for spec, sink in zip(specs, sinks, strict=True):
        outputs.add(threaded(sink, options), functools.partial(reopen, spec) if sink.comes_back else None)
    return outputs, sinks
