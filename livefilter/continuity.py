"""Time stamps that start again inside a file, as in recordings that were joined end to end."""

from __future__ import annotations

from typing import Any

# A stream's decoding times rise; what falls back by more than this has started again.
_FALLS_S = 1.0
# Transport streams count from wherever their sender was, so that a join can leap forward too.
_LEAPS_S = 10.0
_LEAPING = ("mpegts", "mpeg")


class Continuity:
    """Moves the time stamps of packets so that they never fall back; all streams of a file move together.

    Every reader of the same file that gives it the packets of the same streams comes to the same times.
    container_format: FFmpeg's name of the container.
    """

    def __init__(self, container_format: str) -> None:
        self._leaps = any(name in _LEAPING for name in container_format.split(","))
        self._offset_s = 0.0
        self._last_s: dict[int, float] = {}
        self._end_s = 0.0
        self.joins = 0

    def settle(self, packet: Any) -> None:
        """Put one packet of a PyAV demuxer, in the order of the file, where it belongs."""
        if packet.dts is None or packet.time_base is None:
            self._move(packet)
            return
        index = packet.stream.index
        at_s = float(packet.dts * packet.time_base) + self._offset_s
        last_s = self._last_s.get(index)
        if last_s is not None:
            fell = at_s < last_s - _FALLS_S
            leapt = self._leaps and at_s > max(last_s, self._end_s) + _LEAPS_S
            if fell or leapt:
                self.joins += 1
                self._offset_s += self._end_s - at_s
                self._last_s.clear()  # what the other streams did before the join says nothing about after it
                at_s = self._end_s
        self._last_s[index] = at_s
        lasts_s = float(packet.duration * packet.time_base) if packet.duration else 0.0
        self._end_s = max(self._end_s, at_s + lasts_s)
        self._move(packet)

    def _move(self, packet: Any) -> None:
        if self._offset_s and packet.time_base:
            ticks = round(self._offset_s / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
