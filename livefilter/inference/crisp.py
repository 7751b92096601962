"""Brings a drawing to the size at which viewers see it, with crisp edges."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image
from livefilter.inference.base import EngineFactory
from livefilter.styles.network import Network

# Edges of larger frames are made crisp at so many pixels, and enlarged: at 1920x1080 it would take 3 ms more.
_MOST_PIXELS = 1280 * 720
# The shorter side at which networks draw boldest what is enlarged crisply: live, with somebody near the camera, and in
# files, where somebody may be further away (docs/generator.md).
LIVE_LINES, FILE_LINES = 360, 480


class Crisp:
    """Scales drawings and makes their edges crisp by a soft toggle mapping (Kramer and Bruckner 1975).

    Each value moves away from the middle between the least and the greatest around it, but not beyond them, which
    networks with `crisp` do at their own size (livefilter.generator.network). On a processor it takes a quarter of the
    time here, and where a drawing is enlarged its edges are crisp at the size that viewers see.
    """

    def __init__(self) -> None:
        self._spare: list[Image] = []

    def scaled(self, drawn: Image, size: tuple[int, int], contrast: float = 0.0, strength: float = 1.0) -> Image:
        """A drawing at another size, or at its own.

        drawn: (H, W, 3) uint8; read only. size: width and height in pixels. contrast: how many times as steep edges
            become at the size of `drawn`; 0 leaves them. strength: of the drawing; what is hardly one keeps the edges
            that it gets by being enlarged.
        Returns: a new array.
        """
        own = drawn.shape[1], drawn.shape[0]
        if not contrast:
            return drawn.copy() if own == size else _resized(drawn, size)
        at = _crisp_at(own, size)
        if at != own:
            drawn = _resized(drawn, at, self._spares(at)[3])
        larger = 1.0 + max(0.0, at[0] / own[0] - 1.0) * min(1.0, strength)
        spares = self._spares(at)
        into = None if at == size else spares[2]
        crisp = self._crisp(drawn, reach(larger), contrast * larger, spares, into)
        return crisp if at == size else _resized(crisp, size)

    def _spares(self, size: tuple[int, int]) -> list[Image]:
        shape = size[1], size[0], 3
        if not self._spare or self._spare[0].shape != shape:
            self._spare = [np.empty(shape, np.uint8) for _ in range(4)]
        return self._spare

    def _crisp(self, drawn: Image, radius: int, contrast: float, spares: list[Image], into: Image | None) -> Image:
        least, greatest, moved, _ = spares
        window = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
        cv2.erode(drawn, window, dst=least)
        cv2.dilate(drawn, window, dst=greatest)
        cv2.addWeighted(least, 0.5, greatest, 0.5, 0.0, dst=moved)
        cv2.addWeighted(drawn, contrast, moved, 1.0 - contrast, 0.0, dst=moved)
        cv2.max(moved, least, dst=moved)
        return np.asarray(cv2.min(moved, greatest, dst=into), np.uint8)


def reach(larger: float) -> int:
    """How many pixels around it decide what becomes of one in a drawing that was enlarged so many times.

    From twice the size on the window reaches half as far again: that flattens what an enlarged shade would be.
    """
    return int(1.5 * larger)


def most_lines(network: Path | Network, engine: EngineFactory, most: int | None) -> int | None:
    """How many lines "auto" draws at most where a network's edges are made crisp after it; None elsewhere.

    Engines that draw smaller than their frames have one number for all, or each would be built twice.
    """
    by_engine = getattr(engine, "draws_smaller", False)
    if most is None or not isinstance(network, Network) or not (by_engine or getattr(engine, "leaves_crisp", False)):
        return None  # and the file is not read for it
    return (LIVE_LINES if by_engine else most) if network.is_crisp else None


def _crisp_at(own: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The size at which edges are made crisp, on the way from a drawing's own to another."""
    part = (_MOST_PIXELS / (size[0] * size[1])) ** 0.5
    if part >= 1.0:
        return size
    at = round(size[0] * part), round(size[1] * part)
    return at if at[0] > own[0] else own


def _resized(image: Image, size: tuple[int, int], into: Image | None = None) -> Image:
    # Cubic is sharper than linear and costs the same (0.3 ms to 1280x720); Lanczos costs 15 times as much.
    method = cv2.INTER_AREA if image.shape[1] > size[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, dst=into, interpolation=method), np.uint8)
