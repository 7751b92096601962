"""The style of a person is drawn on the part of a frame that people are in, where the room has a style of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from livefilter.errors import EngineError
from livefilter.frame import Image
from livefilter.inference.geometry import Fit, fit_network
from livefilter.inference.look import Look
from livefilter.inference.part_styler import PartStyler
from livefilter.inference.timings import Timings
from livefilter.live.beside import Beside
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.styles.accepts import Accepts

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawn:
    """A picture, (H, W, 3) uint8 BGR, and what drawing it took."""

    image: Image
    timings: Timings


Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels

# Around the people, in pixels as the network sees them: it draws otherwise near the sides of what it is given.
_MARGIN = 32
# A part has one of a few lengths, so that engines serve long: eighths of the frame's.
_EIGHTHS = range(3, 8)
# A part of more than this share of the frame saves too little.
_MOST = 0.8
# A smaller part has to be large enough for so long before it is taken.
_CALM_S = 5.0


@dataclass(frozen=True)
class Part:
    """What is drawn: by the network of that size of a style, of frames of that size, shorter side drawn at `size`.

    frame: (width, height) in pixels. width, height: of the part, in pixels as the network sees them.
    """

    style: str
    network: str
    size: int
    frame: tuple[int, int]
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Place:
    """A part of a frame, in pixels as the network sees them."""

    left: int
    top: int
    width: int
    height: int


class Window:
    """Which part of a frame to draw; it moves and changes its size seldom.

    whole: how frames fit the network. multiple: of pixels, in which sizes and places go.
    """

    def __init__(self, whole: Fit, multiple: int) -> None:
        self._whole, self._multiple = (whole.padded_width, whole.padded_height), multiple
        self._seen = whole.width, whole.height
        self._size: tuple[int, int] | None = None
        self._corner = (0, 0)
        self._calm_since_s = 0.0

    def around(self, box: Box, frame: tuple[int, int], now_s: float) -> Place | None:
        """The part around a box, which is in pixels of a frame of that size; None: it would be too large."""
        scales = self._seen[0] / frame[0], self._seen[1] / frame[1]
        # Unlike around the part, there is nothing beyond the frame that would be missed.
        near = [(int(box[side] * scale), int(box[2 + side] * scale) + 1) for side, scale in enumerate(scales)]
        ends = [
            (max(0, low - _MARGIN), min(whole, high + _MARGIN))
            for (low, high), whole in zip(near, self._whole, strict=True)
        ]
        wanted = self._lengths(ends)
        held = self._size
        if held is None or wanted[0] > held[0] or wanted[1] > held[1]:
            self._size, self._calm_since_s = wanted if held is None else _larger(wanted, held), now_s
        elif wanted == held:
            self._calm_since_s = now_s
        elif now_s - self._calm_since_s >= _CALM_S:
            self._size, self._calm_since_s = wanted, now_s
        width, height = self._size or wanted
        if width * height > _MOST * self._whole[0] * self._whole[1]:
            return None
        left, top = (
            self._begin(*each) for each in zip(near, ends, self._corner, (width, height), self._whole, strict=True)
        )
        self._corner = left, top
        return Place(left, top, width, height)

    def _lengths(self, ends: Sequence[tuple[int, int]]) -> tuple[int, int]:
        across, down = (
            _length(high - low, whole, self._multiple) for (low, high), whole in zip(ends, self._whole, strict=True)
        )
        return across, down

    def _begin(self, near: tuple[int, int], ends: tuple[int, int], at: int, length: int, whole: int) -> int:
        """Where the part begins: where it did, while the people are in it with half a margin; else in their middle."""
        slack, step = _MARGIN // 2, self._multiple
        first, last = at == 0 or near[0] - slack >= at, at + length == whole or near[1] + slack <= at + length
        if at + length <= whole and first and last:
            return at
        begin = round((ends[0] + ends[1] - length) / 2 / step) * step
        begin = min(begin, ends[0] // step * step)
        begin = max(begin, -(-(ends[1] - length) // step) * step)
        return min(max(0, begin), whole - length)


class PersonCrop:
    """Draws parts of frames with networks that are loaded beside them; nothing where there is none yet.

    load: opens one; called on a thread of its own. accepts: what the network of a style takes, by style and size.
    """

    def __init__(
        self,
        load: Callable[[Part], PartStyler],
        accepts: Callable[[str, str], Accepts],
        clock: Callable[[], float],
    ) -> None:
        self._load, self._accepts, self._clock = load, accepts, clock
        self._parts: dict[str, Part] = {}
        self._beside: Beside[PartStyler] = Beside(self._open, clock, self._refused)
        self._window: tuple[Part, Window] | None = None
        self._ready: tuple[Part, Window, PartStyler] | None = None
        self._given_up: set[tuple[str, str]] = set()

    def draw(self, image: Image, box: Box, style: str, styler: LadderStyler, look: Look) -> Drawn | None:
        """A frame, styled where people are, see PartStyler.draw; None where the whole is to be drawn.

        box: where they are, in pixels of the frame. styler: what draws the style as a whole; it keeps up meanwhile.
        """
        frame, network = (image.shape[1], image.shape[0]), styler.network_size
        accepts = self._accepts(style, network)
        if accepts.size is not None or (style, network) in self._given_up:
            return None
        base = Part(style, network, styler.working_size, frame)
        if self._window is None or self._window[0] != base:
            self._window = base, Window(fit_network(*frame, base.size, accepts), accepts.multiple)
        window = self._window[1]
        place = window.around(box, frame, self._clock())
        if place is None:
            return None
        part = replace(base, width=place.width, height=place.height)
        self._parts[str(part)] = part
        found = self._beside.get(str(part), *frame)
        if found is not None:
            self._ready = part, window, found
        elif self._ready is not None and (self._ready[0].style, self._ready[0].frame) == (style, frame):
            # Until another size is loaded, the one that was there goes on, or the governor would see a slow moment.
            part, window, found = self._ready
            place = window.around(box, frame, self._clock())
        if found is None or place is None or (place.width, place.height) != (part.width, part.height):
            return None
        try:
            drawn = found.draw(image, place.left, place.top, look)
        except EngineError as error:
            self._ready = None
            self._beside.drop()
            self._give_up(part, error)
            return None
        styler.skip(image, look)
        return Drawn(drawn, found.timings)

    def close(self) -> None:
        """Free the network. Can be called twice."""
        self._beside.close()

    def _open(self, name: str) -> PartStyler:
        return self._load(self._parts[name])

    def _refused(self, name: str, why: str) -> None:
        self._give_up(self._parts[name], why)

    def _give_up(self, part: Part, why: object) -> None:
        """Draw whole frames from now on: they are as right, and only take longer."""
        _log.warning("%s is drawn on whole frames: %s", part.style, why)
        self._given_up.add((part.style, part.network))


def _larger(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), max(one[1], other[1])


def _length(least: int, whole: int, multiple: int) -> int:
    for eighth in _EIGHTHS:
        length = -(-whole * eighth // 8 // multiple) * multiple
        if length >= least:
            return min(length, whole)
    return whole
