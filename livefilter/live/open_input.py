"""Opens the input of a run, and says how to open it again."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass

from livefilter.capture import find_input, open_source
from livefilter.capture.base import Source, SourceOptions
from livefilter.capture.paced import PacedSource


@dataclass(frozen=True, slots=True)
class OpenInput:
    """An input that is open; whoever opened it owns its source.

    reopen: opens the same one again after it was lost, as a camera may be; None for one that only ends.
    notice: what took the place of what was asked for, and why.
    """

    source: Source
    reopen: Callable[[], Source] | None = None
    notice: str | None = None


def open_input(spec: str, options: SourceOptions, *, paced: bool = True) -> OpenInput:
    """Open what was named after --input.

    paced: give the pictures of a file at its own rate, and not as fast as they are asked for.
    Raises: InvalidInput, SourceUnavailable.
    """
    source, notice = find_input(spec, options)
    info = source.info
    if not info.live:
        return OpenInput(PacedSource(source) if paced else source, notice=notice)
    again = dataclasses.replace(options, mode=info.mode)
    return OpenInput(source, functools.partial(open_source, info.reopen_target or spec, again), notice)
