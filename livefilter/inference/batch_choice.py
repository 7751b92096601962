"""How many frames to draw at once, by what that was measured to take."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Collection, Sequence

_TRIALS, _KEPT = 8, 31
# What is seldom chosen is tried again so often, as other programs and other clocks may have changed the order.
_AGAIN = 300
# A batch has to be this much faster for each frame.
_MARGIN = 1.05


class BatchChoice:
    """Learns from every draw; of sizes that keep the bound, the one that is fastest for each frame is taken.

    The bound is what a frame waits at most where all are drawn in turn: the time of as many draws as there are runs. It
    holds but for the few draws in which a size is tried.
    """

    def __init__(self) -> None:
        self._spent_s: dict[int, deque[float]] = {}
        self._tried: dict[int, int] = {}
        self._draws = 0

    def size(self, waited_s: Sequence[float], runs: int, sizes: Collection[int], others_s: Sequence[float] = ()) -> int:
        """How many frames to draw at once.

        waited_s: of each frame that can be drawn now, the longest first. others_s: of those that wait as well, but
        cannot be drawn with the first one. runs: that share the engine, each with one frame at most.
        sizes: what can be drawn, 1 among it.
        """
        fitting = sorted(size for size in sizes if size <= len(waited_s))
        if len(fitting) == 1:
            return fitting[0]
        self._draws += 1
        for size in fitting:
            if len(self._spent_s.get(size, ())) < _TRIALS:
                return size
        if self._draws % _AGAIN >= _AGAIN - _TRIALS:
            return min(fitting, key=lambda size: self._tried[size])
        one_s = self._takes_s(1)
        bound_s = runs * one_s
        kept = [
            size
            for size in fitting
            if size == 1 or self._keeps(size, waited_s[0], [*waited_s[size:], *others_s], bound_s, one_s)
        ]
        return min(kept, key=lambda size: self._takes_s(size) / size * (1.0 if size == 1 else _MARGIN))

    def note(self, size: int, seconds: float) -> None:
        """So many frames were drawn at once in that time."""
        self._tried[size] = self._draws
        self._spent_s.setdefault(size, deque(maxlen=_KEPT)).append(seconds)

    def _keeps(self, size: int, longest_s: float, rest_s: Sequence[float], bound_s: float, one_s: float) -> bool:
        """Whether no frame waits longer than the bound if so many are drawn now and the rest in turn."""
        takes_s = self._takes_s(size)
        rest = enumerate(sorted(rest_s, reverse=True), start=1)
        return longest_s + takes_s <= bound_s and all(
            waited + takes_s + place * one_s <= bound_s for place, waited in rest
        )

    def _takes_s(self, size: int) -> float:
        return statistics.median(self._spent_s[size])
