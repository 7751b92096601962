"""What a camera offers, and what of it to ask for."""

from __future__ import annotations

from collections.abc import Iterable

from livefilter.capture.base import SourceOptions
from livefilter.capture.mode import Mode

DEFAULT_FPS = 30.0
# Of two modes that keep the rate: what needs the least work and loses the least. MJPG is decoded, and has blocks.
_PREFERRED = ("NV12", "YUYV", "UYVY", "YVYU", "YU12", "YV12", "NV21", "BGR3", "RGB3", "MJPG", "JPEG", "GREY")


def wanted_fps(options: SourceOptions) -> float:
    """The rate that a camera should keep, frames per second."""
    return options.fps or DEFAULT_FPS


def understood(modes: Iterable[Mode]) -> list[Mode]:
    """Those whose pictures can be read here."""
    return [mode for mode in modes if mode.pixel_format in _PREFERRED]


def ranked(modes: Iterable[Mode], options: SourceOptions) -> list[Mode]:
    """The understood modes of the size nearest to the wanted one, the best first.

    Without a wanted size it is the largest that keeps the rate, up to 1920x1080.
    """
    target = wanted_fps(options)
    known = understood(modes)
    colourful = [mode for mode in known if mode.pixel_format != "GREY"] or known
    if not colourful:
        return []
    if options.width and options.height:
        # A larger picture than wanted can be scaled down; a smaller one lacks what was asked for.
        nearest = min(colourful, key=lambda mode: _size_distance(mode, options.width, options.height))
    else:
        fit = [mode for mode in colourful if mode.width <= 1920 and mode.height <= 1080] or colourful
        nearest = max(fit, key=lambda mode: (min(_rate(mode), target), mode.width * mode.height))
    same = [mode for mode in colourful if (mode.width, mode.height) == (nearest.width, nearest.height)]
    best: dict[str, Mode] = {}
    for mode in sorted(same, key=lambda mode: mode.fps):
        best[mode.pixel_format] = mode
    return sorted(best.values(), key=lambda mode: (-min(_rate(mode), target), _PREFERRED.index(mode.pixel_format)))


def _rate(mode: Mode) -> float:
    return mode.fps or DEFAULT_FPS


def _size_distance(mode: Mode, width: int, height: int) -> tuple[int, float]:
    return abs(mode.width - width) + abs(mode.height - height), -min(_rate(mode), DEFAULT_FPS)
