"""Does a built engine draw on this GPU what another backend draws?"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image
from livefilter.generator.smaller import save_smaller
from livefilter.inference.base import Engine, EngineFactory, EngineOptions
from livefilter.nv12 import nv12_to_bgr
from livefilter.tensorrt.precision_check import measure

# Two runtimes round differently and NV12 has half the colour, so only averages over blocks are compared; a network
# that is wired, ordered or rounded wrongly is far beyond these.
_BLOCK = 4
_LIMIT_LEVELS = 8.0
_LIMIT_PSNR_DB = 35.0


@contextlib.contextmanager
def beside(ready: EngineFactory, network: Path, width: int, height: int, options: EngineOptions) -> Iterator[Engine]:
    """Another backend's engine that is to draw what a built one draws; one that cannot draw smaller than its frames is
    given a network that does.

    Raises: LivefilterError.
    """
    with tempfile.TemporaryDirectory() as folder:
        if options.smaller > 1 and not getattr(ready, "draws_smaller", False):
            network = save_smaller(network, options.smaller, Path(folder) / network.name)
            options = replace(options, smaller=1, sha256="")
        with ready(network, width, height, options) as engine:
            yield engine


def disagreement(engine: Engine, other: Engine, pictures: Mapping[str, Image]) -> str:
    """What the two draw differently, in words, for the picture that differs most; empty when they agree.

    pictures: by name, (H, W, 3) uint8 BGR of the size of both engines. An engine may give NV12.
    Raises: EngineFailed.
    """
    figures = []
    for name, picture in pictures.items():
        drawn = _averaged(engine.run(picture))
        figures.append(measure(name, _averaged(other.run(picture)), drawn))
    worst = min(figures, key=lambda figure: figure.psnr_db)
    if worst.levels_p99_9 <= _LIMIT_LEVELS and worst.psnr_db >= _LIMIT_PSNR_DB:
        return ""
    return (
        f"it draws something else than {other.info.backend} ({worst.levels_p99_9:.0f} grey levels and "
        f"{worst.psnr_db:.1f} dB apart on the {worst.picture})"
    )


def _averaged(image: Image) -> Image:
    bgr = nv12_to_bgr(image)
    size = (max(1, bgr.shape[1] // _BLOCK), max(1, bgr.shape[0] // _BLOCK))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
