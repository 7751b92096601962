"""Serves a style with the best backend that is ready while its TensorRT engine is built, then with the engine."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from livefilter.errors import BuildCancelled, EngineError, EngineMismatch, LivefilterError
from livefilter.inference.base import Engine, EngineFactory, EngineOptions
from livefilter.inference.crisp import LIVE_LINES
from livefilter.inference.smaller import fit_drawn, most_by_engine
from livefilter.inference.styler import AUTO_SIZES, Styler
from livefilter.styles.network import Network
from livefilter.tensorrt.key import frames_of

_log = logging.getLogger(__name__)
_CLOSE_S = 15.0
_SHOWN_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Wanted:
    """An engine that is to be built: of a style, for frames that the network takes."""

    style: str
    width: int
    height: int
    smaller: int = 1

    def __str__(self) -> str:
        frames = frames_of(f"{self.width}x{self.height}", 1, self.smaller)
        return f"the TensorRT engine of {self.style} for {frames}"


class Builder(Protocol):
    """Builds an engine, as livefilter.tensorrt.builder.EngineBuilder does for `builder_of` in compose."""

    def build(self, wanted: Wanted, report: Callable[[float], None]) -> None:
        """Build, or find that it is there. Raises: LivefilterError."""

    def cancel(self) -> None:
        """End a running build soon."""


class EngineUpgrade:
    """Opens styles; from `start` to `close` engines that are missing are built one by one on a thread of their own.

    network, ready_network: of a style, for the engine and for `ready`.
    engine: opens a built engine. open_ready: a warm styler on the best ready backend.
    ready: that backend, for frames whose size changes. size: what frames are, and process_size of the settings.
    only: the user named the backend, so that errors other than a missing engine are raised.
    notify: told what goes on, for the user to read.
    """

    def __init__(
        self,
        network: Callable[[str], Network],
        ready_network: Callable[[str], Network],
        engine: EngineFactory,
        open_ready: Callable[[str], Styler],
        ready: EngineFactory,
        builder: Builder,
        size: tuple[int, int],
        process_size: int | Literal["auto"],
        options: EngineOptions,
        notify: Callable[[str], None],
        *,
        only: bool = False,
    ) -> None:
        self._network, self._ready_network = network, ready_network
        self._engine, self._open_ready, self._ready = engine, open_ready, ready
        self._builder = builder
        self._size = size
        self._process_size = process_size
        self._options = options
        self._notify = notify
        self._only = only
        self._wanted: queue.SimpleQueue[Wanted | None] = queue.SimpleQueue()
        self._queued: set[Wanted] = set()
        self._done: set[Wanted] = set()
        self._told: set[str] = set()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, reload: Callable[[str], None]) -> None:
        """Begin to build what is missing. reload: told the style whose engine is ready, on the building thread."""
        # A daemon, because TensorRT may take long to notice that it is cancelled.
        self._thread = threading.Thread(target=self._build_all, args=(reload,), name="engine-upgrade", daemon=True)
        self._thread.start()

    def open(self, style: str) -> Styler:
        """A warm styler: on the style's engine, or on the best ready backend, and then the engine is built.

        Raises: LivefilterError: neither can be opened.
        """
        network = self._network(style)
        wanted, size = self._first(style, network)
        most = LIVE_LINES if size == "auto" else None
        styler = Styler(network, _Opener(partial(self._opened, wanted)), size, self._options, most=most)
        try:
            styler.warm_up(*self._size)
        except EngineError as error:
            styler.close()
            if not isinstance(error, EngineMismatch):
                if self._only:
                    raise
                self._notify(str(error))
                return self._open_ready(style)
            ready = self._open_ready(style)
            if isinstance(error, _Refused) or wanted in self._done:
                self._tell_once(str(error))  # it was built, and does not suit this GPU
            elif wanted in self._queued:
                self._notify(f"Styling with {ready.engine_info.backend}: {wanted} is still being built")
            else:
                self._queue(wanted, f"Styling with {ready.engine_info.backend} meanwhile")
            return ready
        return styler

    def close(self) -> None:
        """Cancel what is being built. Can be called twice."""
        self._closing.set()
        self._builder.cancel()
        self._wanted.put(None)
        if self._thread is not None:
            self._thread.join(_CLOSE_S)
            if self._thread.is_alive():
                _log.warning("The engine build does not end; it is left behind")
            self._thread = None

    def _first(self, style: str, network: Network) -> tuple[Wanted, int | Literal["auto"]]:
        """The engine for the frames that there are, and the process_size at which a Styler asks for it.

        No time is measured, for each size would need an engine of its own.
        """
        short, asked = min(self._size), self._process_size
        smaller = asked == "auto" and network.is_crisp
        usual = most_by_engine(short) if smaller else min(short, AUTO_SIZES[-1])
        lines = usual if asked == "auto" else asked
        chosen, times = fit_drawn(*self._size, lines, network.accepts, by_engine=smaller)
        return Wanted(style, chosen.padded_width, chosen.padded_height, times), "auto" if smaller else lines

    def _opened(self, first: Wanted, network: Path, width: int, height: int, options: EngineOptions) -> Engine:
        wanted = Wanted(first.style, width, height, options.smaller)
        try:
            return self._trusted(wanted, self._engine(network, width, height, options))
        except EngineMismatch:
            if wanted == first:
                raise  # `open` knows what to do
            self._queue(wanted, "The size of the frames has changed")
            return self._ready(self._ready_network(first.style).path, width, height, options)

    def _trusted(self, wanted: Wanted, engine: Engine) -> Engine:
        """The engine, if a trial on this machine found that it draws what it should.

        Raises: EngineMismatch: it was not tried yet, or it must not draw.
        """
        verdict = engine.verdict()
        if verdict == "":
            return engine
        engine.close()
        if verdict is None:
            raise EngineMismatch(f"{_capital(wanted)} was not tried on this machine yet.")
        raise _Refused(f"{_capital(wanted)} is not used, because {verdict}.")

    def _try(self, wanted: Wanted) -> None:
        """Run an engine once beside the ready backend, with the same network, and keep what that shows.

        Raises: LivefilterError.
        """
        from livefilter.live.engine_trial import beside, disagreement  # both load ONNX, which no other run needs
        from livefilter.tensorrt.check_pictures import check_pictures

        network = self._network(wanted.style).path
        options = replace(self._options, smaller=wanted.smaller)
        with self._engine(network, wanted.width, wanted.height, options) as engine:
            if engine.verdict() is not None:
                return
            options = replace(options, nv12=False)
            with beside(self._ready, network, wanted.width, wanted.height, options) as ready:
                pictures = check_pictures(wanted.width, wanted.height)
                engine.keep_verdict(disagreement(engine, ready, pictures))

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._notify(text)

    def _queue(self, wanted: Wanted, meanwhile: str) -> None:
        if wanted in self._queued:
            return
        self._queued.add(wanted)
        self._notify(f"{meanwhile}: {wanted} is not there yet and is being built")
        self._wanted.put(wanted)

    def _build_all(self, reload: Callable[[str], None]) -> None:
        while (wanted := self._wanted.get()) is not None and not self._closing.is_set():
            try:
                self._builder.build(wanted, self._reporter(wanted))
                self._done.add(wanted)
                self._try(wanted)
            except BuildCancelled:
                return
            except LivefilterError as error:
                self._notify(f"Staying without {wanted}: {error}")
            except Exception as error:  # whatever TensorRT throws, the running style goes on
                _log.exception("%s could not be built", wanted)
                self._notify(f"Staying without {wanted}: {error}")
            else:
                reload(wanted.style)  # which tells why, should the engine not be taken

    def _reporter(self, wanted: Wanted) -> Callable[[float], None]:
        shown = 0.0

        def report(fraction: float) -> None:
            nonlocal shown
            if fraction - shown >= _SHOWN_EVERY and not self._closing.is_set():
                shown = fraction
                self._notify(f"Building {wanted}: {fraction:.0%}")

        return report


class _Opener:
    """Opens engines for a Styler, who may ask for any that TensorRT can be."""

    draws_smaller = True

    def __init__(self, opened: EngineFactory) -> None:
        self._opened = opened

    def __call__(self, network: Path, width: int, height: int, options: EngineOptions) -> Engine:
        return self._opened(network, width, height, options)


class _Refused(EngineMismatch):
    """A trial found that the engine must not draw."""


def _capital(wanted: Wanted) -> str:
    text = str(wanted)
    return text[0].upper() + text[1:]
