"""The size at which a live run styles, from the first style to those that follow."""

from __future__ import annotations

import math
from typing import Literal

from livefilter.inference.geometry import fit_network
from livefilter.inference.styler import AUTO_SIZES
from livefilter.live.governor.rung import Rung
from livefilter.styles.network import Network

ProcessSize = int | Literal["auto"]


class SettledSize:
    """Remembers the size that was measured for the first style, and tells what other styles can afford.

    Measured while frames flow, a size would come out smaller, so a later style is not measured but reckoned from
    the multiply-accumulates on the cards.

    asked: process_size of the settings; a number holds for every style.
    """

    def __init__(self, asked: ProcessSize) -> None:
        self._asked = asked
        self._measured: tuple[int, float] | None = None

    def of(self, network: Network) -> ProcessSize:
        """The process_size at which to open a network; "auto" while nothing was measured."""
        if self._asked != "auto" or self._measured is None:
            return self._asked
        size, macs = self._measured
        if not macs or network.macs_per_pixel <= macs:
            return size
        affordable = size * math.sqrt(macs / network.macs_per_pixel)
        return max((each for each in AUTO_SIZES if each <= affordable), default=min(size, AUTO_SIZES[0]))

    def follow(self, rung: Rung, frame_size: tuple[int, int]) -> None:
        """Take over what the governor has come to; frame_size: width and height in pixels."""
        if self._measured is not None:
            self._measured = (rung.size, rung.cost / fit_network(*frame_size, rung.size).pixels)

    def settle(self, network: Network, size: int) -> None:
        """Take over what was measured for the first network; one that takes a single size tells nothing."""
        if self._measured is None and network.accepts.size is None:
            self._measured = (size, network.macs_per_pixel)
