"""Opens one style on the backend that the settings name."""

from __future__ import annotations

import logging

from livefilter.config import Config
from livefilter.errors import EngineMismatch
from livefilter.inference.base import EngineOptions, Sharing
from livefilter.inference.crisp import LIVE_LINES
from livefilter.inference.selection import BUILT_AHEAD, choose_backend, runs_on_gpu
from livefilter.inference.styler import Styler
from livefilter.styles.catalogue import Catalogue

_log = logging.getLogger(__name__)


def open_styler(
    config: Config,
    catalogue: Catalogue,
    style: str,
    width: int,
    height: int,
    budget_ms: float | None = None,
    *,
    nv12: bool = False,
    shared: bool | Sharing = False,
    steady: bool = False,
    people: bool = False,
    most: int | None = LIVE_LINES,
    best: bool = False,
    settled: bool = False,
) -> Styler:
    """Load and warm up a style for frames of width x height.

    budget_ms: time that a frame may take, for process_size "auto"; None styles at the frame's own size. most: as of
        Styler.
    settled: a process_size that is a number is what "auto" has come to, and no wish of the user's.
    nv12: let an engine that can do so give NV12. steady: as of Styler.
    shared, people: as of EngineOptions. best: on processors, too, take the network that draws best where none is named.
    Raises: UnknownName, StyleCorrupt, BackendUnavailable; EngineMismatch: the named backend has no engine.
    """
    options = EngineOptions(
        config.threads, config.gpu, config.cuda, nv12, shared=shared, precision=config.precision, people=people
    )

    def on(backend: str) -> Styler:
        _style, network = catalogue.choose(style, config.network, gpu=best or runs_on_gpu(backend))
        return Styler(
            network,
            backend,
            config.process_size,
            options,
            budget_ms=budget_ms,
            most=most if config.process_size == "auto" or settled else None,
            steady=steady,
            low_light=config.low_light,
        )

    backend, _reason = choose_backend(config.backend)
    styler = on(backend)
    try:
        styler.warm_up(width, height)
    except EngineMismatch as error:
        if config.backend != "auto":
            raise
        ready, _reason = choose_backend("auto", without=BUILT_AHEAD)
        _log.warning("%s Styling with %s now.", error, ready)
        styler = on(ready)
        styler.warm_up(width, height)
    return styler
