"""The engine that changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.checks import closed, require_frame, require_size


class IdentityEngine(Engine):
    """Returns each frame as it came: for tests, and to measure everything around inference."""

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions | None = None) -> None:
        require_size(width, height)
        self.info = EngineInfo("identity", "none", "uint8", width, height)
        self._output: Image | None = np.empty((height, width, 3), np.uint8)

    def run(self, image: Image, strength: float = 1.0) -> Image:
        if self._output is None:
            raise closed(self.info)
        require_frame(image, self.info)
        np.copyto(self._output, image)
        return self._output

    def close(self) -> None:
        self._output = None
