"""Wires the engine upgrade of a live run to the settings, the catalogue and the engine store."""

from __future__ import annotations

import logging
from collections.abc import Callable

from livefilter.config import Config
from livefilter.inference.base import EngineOptions, Sharing, shared_by
from livefilter.inference.selection import runs_on_gpu
from livefilter.inference.styler import Styler
from livefilter.live.engine_upgrade import EngineUpgrade, Wanted
from livefilter.registry import ENGINES
from livefilter.styles.catalogue import Catalogue, Network
from livefilter.tensorrt.builder import EngineBuilder, EngineRequest
from livefilter.tensorrt.flavour import Flavour
from livefilter.tensorrt.key import FrameSize, SizeRange
from livefilter.tensorrt.store import EngineStore, engines_folder

_log = logging.getLogger(__name__)


class StoreBuilder:
    """Builds into the usual engine folder, networks of one size (or "auto") in one form for one flavour on one GPU."""

    def __init__(self, catalogue: Catalogue, flavour: Flavour, gpu: int, network: str, form: str) -> None:
        self._catalogue = catalogue
        self._flavour, self._gpu, self._network, self._form = flavour, gpu, network, form
        self._report: Callable[[float], None] = lambda fraction: None
        self._builder = EngineBuilder(
            EngineStore(engines_folder()),
            lambda text: _log.info("%s", text),
            lambda fraction, _: self._report(fraction),
        )

    def build(self, wanted: Wanted, report: Callable[[float], None]) -> None:
        """See livefilter.live.engine_upgrade.Builder."""
        self._report = report
        style, network = self._catalogue.choose(wanted.style, self._network, gpu=True)
        size = FrameSize(wanted.width, wanted.height)
        self._builder.obtain(
            EngineRequest(
                network.path,
                network.label,
                style.licence,
                SizeRange(size, size, size),
                self._flavour,
                gpu=self._gpu,
                form=self._form,
                smaller=wanted.smaller,
            )
        )

    def cancel(self) -> None:
        """End a running build soon."""
        self._builder.cancel()


def engine_upgrade(
    config: Config,
    catalogue: Catalogue,
    backend: str,
    ready: str,
    open_ready: Callable[[str], Styler],
    width: int,
    height: int,
    notify: Callable[[str], None],
    shared: bool | Sharing = False,
) -> EngineUpgrade:
    """The upgrade of a live run from the backend `ready` to the engines of `backend`. shared: as of EngineOptions."""

    def network_of(style: str, gpu: bool) -> Network:
        return catalogue.choose(style, config.network, gpu=gpu)[1]

    engine = ENGINES.load(backend)
    return EngineUpgrade(
        lambda style: network_of(style, True),
        lambda style: network_of(style, runs_on_gpu(ready)),
        shared_by(engine, shared),
        open_ready,
        shared_by(ENGINES.load(ready), shared),
        StoreBuilder(catalogue, engine.flavour, config.gpu, config.network, "nv12" if config.nv12 else "bgr"),
        (width, height),
        config.process_size,
        EngineOptions(config.threads, config.gpu, config.cuda, config.nv12, precision=config.precision),
        notify,
        only=config.backend != "auto",
    )
