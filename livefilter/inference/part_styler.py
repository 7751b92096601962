"""Styles a part of frames with an engine that is no larger than that part."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from livefilter.errors import EngineFailed, InvalidInput
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineFactory, EngineOptions
from livefilter.inference.crisp import Crisp
from livefilter.inference.geometry import Fit
from livefilter.inference.look import PLAIN, Look
from livefilter.inference.low_light import Lightening, lightening_of
from livefilter.inference.precision import form_of
from livefilter.inference.steady import Steady
from livefilter.inference.timings import Timings
from livefilter.registry import ENGINES
from livefilter.styles.network import Network


class PartStyler:
    """Draws a part of each frame as a Styler draws the whole, but for what is near the part's sides.

    backend: a registry name, or anything that is called and answers like an Engine class. whole: how the frames fit the
    network, see `fit_network`. width, height: of the part, in pixels of the frame as the network sees it, multiples of
    what the network takes, and no more than the whole as it is filled up.
    steady, low_light: as of Styler.
    Raises: what opening an engine raises; InvalidInput: the part does not fit.
    """

    def __init__(
        self,
        network: Network,
        backend: str | EngineFactory,
        whole: Fit,
        width: int,
        height: int,
        options: EngineOptions | None = None,
        *,
        steady: bool = False,
        low_light: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if not (0 < width <= whole.padded_width and 0 < height <= whole.padded_height):
            raise InvalidInput(f"A part of {width}x{height} is not within {whole}.")
        factory: EngineFactory = ENGINES.load(backend) if isinstance(backend, str) else backend
        file, options = form_of(network, factory, replace(options or EngineOptions(), soft=True))
        self._crisp = Crisp()
        self._engine: Engine | None = factory(file, width, height, options)
        self._whole, self._size = whole, (width, height)
        self._steady = Steady() if steady else None
        self._low_light = low_light
        self._clock = clock
        self._seen: Image = np.empty((whole.padded_height, whole.padded_width, 3), np.uint8)
        self._drawn: Image = np.zeros_like(self._seen)
        self._corner = (-1, -1)
        self.timings = Timings(0.0, 0.0, 0.0)

    @property
    def takes_strength(self) -> bool:
        """As of Styler."""
        return self._engine is not None and self._engine.takes_strength

    def draw(self, image: Image, left: int, top: int, look: Look = PLAIN) -> Image:
        """Style the part whose upper left corner is there, in the same pixels as the part's size.

        image: (H, W, 3) uint8 BGR. look: one that does not `finish`, or PLAIN.
        Returns: (H, W, 3) uint8 BGR, valid until the next call; around the part it holds parts of earlier frames as
            they were drawn, or black.
        Raises: EngineFailed.
        """
        engine, to = self._engine, self._whole
        if engine is None:
            raise EngineFailed("The styler is closed. Open a new one.")
        started = self._clock()
        width, height = self._size
        part = slice(top, top + height), slice(left, left + width)
        seen = self._filled(image)
        light = lightening_of(seen, look.strength).part(*part) if self._low_light else Lightening()
        given = light.lighter(np.ascontiguousarray(seen[part]))
        prepared = self._clock()
        styled = engine.run(given, look.strength)
        run = self._clock()
        if self._steady is not None:
            if (left, top) != self._corner:
                self._steady.forget()
            styled = self._steady(given, styled, look.strength, run)
        self._corner = (left, top)
        self._drawn[part] = light.darker(styled)
        shown = self._drawn[: to.height, : to.width]
        result = self._crisp.scaled(shown, (image.shape[1], image.shape[0]), engine.contrast, look.strength)
        done = self._clock()
        self.timings = Timings((prepared - started) * 1e3, (run - prepared) * 1e3, (done - run) * 1e3)
        return result

    def warm_up(self, width: int, height: int) -> None:
        """Run the engine once, on a frame of width x height, so that the first real one is not late."""
        self.draw(np.full((height, width, 3), 127, np.uint8), 0, 0)
        self._corner = (-1, -1)

    def close(self) -> None:
        """Free the engine. Can be called twice."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _filled(self, image: Image) -> Image:
        """The whole as the network would see it: scaled, and filled up at the right and at the bottom."""
        to = self._whole
        if (image.shape[1], image.shape[0]) != (to.width, to.height):
            method = cv2.INTER_AREA if to.width < image.shape[1] else cv2.INTER_CUBIC
            image = np.asarray(cv2.resize(image, (to.width, to.height), interpolation=method), np.uint8)
        right, bottom = to.padded_width - to.width, to.padded_height - to.height
        if not right and not bottom:
            return image
        cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REFLECT_101, dst=self._seen)
        return self._seen
