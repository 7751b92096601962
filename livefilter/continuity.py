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
        self._offsets_s = [0.0]
        # Streams pass a join one after the other: the last packet of one may come behind the first of another.
        self._part: dict[int, int] = {}
        self._last_s: dict[int, float] = {}
        self._end_s = 0.0

    @property
    def joins(self) -> int:
        """How often the time stamps have started again."""
        return len(self._offsets_s) - 1

    def settle(self, packet: Any) -> None:
        """Put one packet of a PyAV demuxer, in the order of the file, where it belongs."""
        index = packet.stream.index
        part = self._part.setdefault(index, len(self._offsets_s) - 1)
        if packet.dts is not None and packet.time_base is not None:
            stamp_s = float(packet.dts * packet.time_base)
            at_s = stamp_s + self._offsets_s[part]
            last_s = self._last_s.get(index)
            if last_s is not None and self._starts_again(at_s, last_s):
                part += 1
                if part == len(self._offsets_s):
                    self._offsets_s.append(self._end_s - stamp_s)
                at_s = stamp_s + self._offsets_s[part]
                self._part[index] = part
            self._last_s[index] = at_s
            lasts_s = float(packet.duration * packet.time_base) if packet.duration else 0.0
            self._end_s = max(self._end_s, at_s + lasts_s)
        self._move(packet, self._offsets_s[part])

    def _starts_again(self, at_s: float, last_s: float) -> bool:
        return at_s < last_s - _FALLS_S or (self._leaps and at_s > max(last_s, self._end_s) + _LEAPS_S)

    def _move(self, packet: Any, offset_s: float) -> None:
        if offset_s and packet.time_base:
            ticks = round(offset_s / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
