"""Styles frames of any size with an engine of a fixed size."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from livefilter.errors import EngineFailed, InvalidInput
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineFactory, EngineInfo, EngineOptions, shared_by
from livefilter.inference.crisp import Crisp, most_lines
from livefilter.inference.geometry import ANY, FLOOR, Fit
from livefilter.inference.look import PLAIN, ComposingEngine, Look, blend, share_of
from livefilter.inference.low_light import Lightening, lightening_of
from livefilter.inference.precision import form_of
from livefilter.inference.smaller import fit_drawn, most_by_engine
from livefilter.inference.steady import Steady
from livefilter.inference.timings import Timings
from livefilter.nv12 import cut
from livefilter.registry import ENGINES
from livefilter.styles.network import Network

_log = logging.getLogger(__name__)

# Styling may take this share of a frame's time in a live run; the rest is for capture, output and whatever else runs.
LIVE_SHARE = 0.5
AUTO_SIZES = (240, 288, 360, 480, 540, 720)
_MEASURED_SIZE = 360
_MEASURED_RUNS = 7


class Styler:
    """Styles frames of any size, undistorted, through an engine that is rebuilt when their size changes.

    network: a network of a style, or any ONNX file that takes and gives what theirs do.
    backend: a registry name, or anything that is called and answers like an Engine class.
    process_size: shorter side in pixels at which frames are styled, or "auto".
    budget_ms: what a frame may take with "auto"; the largest of AUTO_SIZES that fits is taken. None takes the
        frame's own size.
    most: the largest size that "auto" takes where edges are made crisp after enlarging (`livefilter.inference.crisp`):
        there more lines make a drawing more like the photo. Given, engines that can draw smaller than their frames do,
        be process_size "auto" or a number that "auto" came to (`livefilter.inference.smaller`).
    steady: frames follow each other, so keep the drawing still where the scene is (not where a GPU composes).
    low_light: draw dark frames from a lighter copy (not where a GPU composes).
    Raises, here or at the first frame: UnknownName, BackendUnavailable, StyleCorrupt, InvalidInput.
    """

    def __init__(
        self,
        network: Path | Network,
        backend: str | EngineFactory,
        process_size: int | Literal["auto"] = "auto",
        options: EngineOptions | None = None,
        *,
        budget_ms: float | None = None,
        most: int | None = None,
        steady: bool = False,
        low_light: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if process_size != "auto" and process_size < FLOOR:
            raise InvalidInput(f"process_size {process_size} is too small: it must be auto or at least {FLOOR} pixels.")
        self.timings = Timings(0.0, 0.0, 0.0)
        self.size_reason: str | None = None
        self.network_size = network.size if isinstance(network, Network) else ""
        self._accepts = network.accepts if isinstance(network, Network) else ANY
        self._process_size = process_size
        factory: EngineFactory = ENGINES.load(backend) if isinstance(backend, str) else backend
        self._network, self._options = form_of(network, factory, replace(options or EngineOptions(), soft=True))
        self._factory = shared_by(factory, self._options.shared)
        self._budget_ms = budget_ms
        self._most = most_lines(network, factory, most)
        self._by_engine = self._most is not None and getattr(factory, "draws_smaller", False)
        self._smaller = 1
        self._clock = clock
        self._steady = Steady() if steady else None
        self._low_light = low_light
        self._crisp = Crisp()
        self._engine: Engine | None = None
        self._frame_size = (0, 0)
        self._fit = Fit(0, 0, 0, 0)
        self._scaled: Image = np.empty((0, 0, 3), np.uint8)
        self._padded: Image = self._scaled
        self._closed = False

    @property
    def engine_info(self) -> EngineInfo:
        """What the current engine runs on.

        Raises: EngineFailed: there is none before the first frame or `warm_up`.
        """
        if self._engine is None:
            raise EngineFailed("The styler has no engine yet. Call warm_up(width, height) or style a frame first.")
        return self._engine.info

    @property
    def working_size(self) -> int:
        """The shorter side in pixels at which frames are styled now."""
        return max(FLOOR, min(self._fit.width, self._fit.height) // self._smaller)

    def auto_sizes(self, short: int) -> list[int]:
        """The sizes among which "auto" chooses for frames with a shorter side of `short` pixels."""
        most = most_by_engine(short) if self._by_engine else self._most
        largest = min(short, most or AUTO_SIZES[-1])
        return [size for size in AUTO_SIZES if size < largest] + [largest]

    @property
    def takes_strength(self) -> bool:
        """Whether the network draws at a strength itself, so that nothing of the photo is blended in but at 0."""
        return self._engine is not None and self._engine.takes_strength

    @property
    def gives_person(self) -> bool:
        """Whether the network tells where people are."""
        return self._engine is not None and self._engine.gives_person

    @property
    def person(self) -> Image | None:
        """Where people are in the newest frame: (h, w) uint8 at half of the size at which it was styled, 255 for
        certain; valid until the next frame. None where the network does not tell.
        """
        mask = self._engine.person if self._engine is not None else None
        return None if mask is None else mask[: (self._fit.height + 1) // 2, : (self._fit.width + 1) // 2]

    def composes(self, width: int, height: int) -> bool:
        """Whether the next frame of width x height can be given a look: the GPU does it, at the frame's full size.

        Only asks: while no engine is open for that size the answer is no.
        """
        ready = isinstance(self._engine, ComposingEngine) and self._frame_size == (width, height)
        return ready and (self._fit.width, self._fit.height) == (width, height)

    def __call__(self, image: Image, look: Look = PLAIN) -> Image:
        """Style one frame.

        image: (H, W, 3) uint8 BGR of any size; read only. look: one that does not `finish`, or PLAIN, unless this
            size `composes`; a strength that the network does not take is then left to the caller.
        Returns: a new array of the same shape, owned by the caller; NV12 where the engine was opened for that.
        Raises: EngineFailed; InvalidInput: no such picture; and what opening an engine raises.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise InvalidInput(f"A frame must be uint8 BGR of shape (H, W, 3), not {image.dtype} of {image.shape}.")
        self._prepare(image.shape[1], image.shape[0])
        return self._style(image, look)

    def draw(self, image: Image, strength: float) -> Image:
        """Style one frame at a strength, by the network itself or by blending; at 0 it is the original.

        image: as __call__. strength: 0 to 1.5; where the network does not take it, all above 1 is 1.
        Returns: `image` itself or a new array of its shape.
        """
        styled = self(image, Look(strength=strength, finish=False))
        return blend(image, styled, share_of(strength, self.takes_strength))

    def warm_up(self, width: int, height: int) -> None:
        """Open the engine for frames of width x height and run it, so that the first real frame is not late."""
        self._prepare(width, height)
        self._style(np.full((height, width, 3), 127, np.uint8))
        if self._steady is not None:
            self._steady.forget()

    def cancel(self) -> None:
        """Cut short the frame that is being styled, where the engine can. Any thread may call it."""
        engine = self._engine
        if engine is not None:
            engine.cancel()

    def close(self) -> None:
        """Free the engine. Can be called twice."""
        self._closed = True
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _prepare(self, width: int, height: int) -> None:
        if self._closed:
            raise EngineFailed("The styler is closed. Open a new one.")
        if (width, height) == self._frame_size and self._engine is not None:
            return
        if self._accepts.size is not None:
            self._open(width, height, None)
            self.size_reason = (
                f"Styling at {self._fit.width}x{self._fit.height}, because this network takes {self._accepts}"
            )
        elif self._process_size != "auto":
            self._open(width, height, self._process_size)
        elif self._budget_ms is None:
            self._open(width, height, self.auto_sizes(min(width, height))[-1] if self._most else None)
        else:
            self._open_within(width, height, self._budget_ms)

    def _open(self, width: int, height: int, process_size: int | None) -> None:
        chosen, times = self._fit_of(width, height, process_size)
        if self._engine is None or (chosen, times) != (self._fit, self._smaller):
            if self._engine is not None:
                self._engine.close()
                self._engine = None
            self._engine = self._factory(
                self._network, chosen.padded_width, chosen.padded_height, replace(self._options, smaller=times)
            )
            if getattr(self._engine, "nv12", False) and (width % 2 or height % 2):
                raise InvalidInput(
                    f"Frames of {width}x{height} cannot be NV12, which counts colour in pairs of pixels. "
                    "Leave out --nv12."
                )
            self._scaled = np.empty((chosen.height, chosen.width, 3), np.uint8)
            self._padded = np.empty((chosen.padded_height, chosen.padded_width, 3), np.uint8)
            at = chosen.padded_width // times, chosen.padded_height // times
            _log.info("Styling %dx%d frames at %dx%d", width, height, *at)
        self._fit, self._smaller, self._frame_size = chosen, times, (width, height)

    def _fit_of(self, width: int, height: int, size: int | None) -> tuple[Fit, int]:
        return fit_drawn(width, height, size, self._accepts, by_engine=self._by_engine)

    def _open_within(self, width: int, height: int, budget_ms: float) -> None:
        """Measure at one size, and open the largest size that should fit the budget.

        A network's time grows with its pixels; what is around it depends on the frame, which stays as large.
        """
        self._open(width, height, _MEASURED_SIZE)
        measured = self._fit.pixels / self._smaller**2
        image = np.full((height, width, 3), 127, np.uint8)
        self._style(image)
        runs: list[Timings] = []
        for _ in range(_MEASURED_RUNS):
            self._style(image)
            runs.append(self.timings)
        inference_ms = statistics.median(run.inference_ms for run in runs)
        around_ms = statistics.median(run.total_ms - run.inference_ms for run in runs)

        def predicted_ms(size: int) -> float:
            fit, times = self._fit_of(width, height, size)
            return around_ms + inference_ms * fit.pixels / times**2 / measured

        short = min(width, height)
        sizes = self.auto_sizes(short)
        affordable = [size for size in sizes if predicted_ms(size) <= budget_ms]
        size = max(affordable) if affordable else min(sizes)
        self._open(width, height, size)
        verdict = "within" if affordable else "the rate may drop, for that is more than"
        at = f"{self._fit.width // self._smaller}x{self._fit.height // self._smaller}"
        self.size_reason = (
            f"Styling at {at}: about {predicted_ms(size):.1f} ms a frame, "
            f"{verdict} the {budget_ms:.1f} ms set aside for it"
        )

    def _style(self, image: Image, look: Look = PLAIN) -> Image:
        engine, to = self._engine, self._fit
        if engine is None:
            raise EngineFailed("The styler is closed. Open a new one.")
        started = self._clock()
        given = self._fill(self._scale(image))
        light = Lightening()
        if self._low_light and not isinstance(engine, ComposingEngine):
            light = lightening_of(given, look.strength)
            given = light.lighter(given)
        prepared = self._clock()
        if isinstance(engine, ComposingEngine):
            styled = engine.compose(given, look)
        else:
            styled = engine.run(given, look.strength)
        run = self._clock()
        if self._steady is not None and not isinstance(engine, ComposingEngine):
            styled = self._steady(given, styled, look.strength, run)
        styled = light.darker(styled)
        if styled.ndim == 2:
            result = cut(styled, (to.width, to.height), self._frame_size)
        else:
            shown = styled[: to.height, : to.width]
            result = self._crisp.scaled(shown, self._frame_size, engine.contrast, look.strength)
        done = self._clock()
        self.timings = Timings((prepared - started) * 1e3, (run - prepared) * 1e3, (done - run) * 1e3)
        return result

    def _scale(self, image: Image) -> Image:
        to = self._fit
        if (to.width, to.height) == self._frame_size:
            return image if image.flags.c_contiguous else np.ascontiguousarray(image)
        method = cv2.INTER_AREA if to.width < self._frame_size[0] else cv2.INTER_CUBIC
        cv2.resize(image, (to.width, to.height), dst=self._scaled, interpolation=method)
        return self._scaled

    def _fill(self, image: Image) -> Image:
        """Fill up to the engine's size by mirroring at the right and at the bottom, so that the edge looks natural."""
        to = self._fit
        right, bottom = to.padded_width - to.width, to.padded_height - to.height
        if not right and not bottom:
            return image
        cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REFLECT_101, dst=self._padded)
        return self._padded
