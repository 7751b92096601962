"""Draw pictures of any size with a style's network, as the program does."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from livefilter.closeable import Closeable
from livefilter.frame import Image
from livefilter.inference.base import Engine
from livefilter.registry import ENGINES


class NetworkDrawing(Closeable):
    """A style's network in ONNX Runtime and float32, with one engine for each shape of picture it is given."""

    def __init__(self, network: Path) -> None:
        self._network = network
        self._engines: dict[tuple[int, int], Engine] = {}
        self._opened = ExitStack()

    def __call__(self, picture: Image) -> Image:
        """Style one (H, W, 3) uint8 BGR picture, H and W multiples of 8; the result is the caller's.

        Raises: StyleCorrupt, EngineFailed.
        """
        height, width = picture.shape[:2]
        if (height, width) not in self._engines:
            engine: Engine = ENGINES.load("onnxruntime")(self._network, width, height)
            self._engines[height, width] = self._opened.enter_context(engine)
        return self._engines[height, width].run(np.ascontiguousarray(picture)).copy()

    def close(self) -> None:
        """Close the engines. Can be called twice."""
        self._engines.clear()
        self._opened.close()
