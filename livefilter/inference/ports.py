"""What a style's network takes and gives, as every runtime tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livefilter.frame import Image

FRAME, STYLED, STRENGTH, PERSON = "frame", "styled", "strength", "person"
_MOST = {"inputs": (FRAME, STRENGTH), "outputs": (STYLED, PERSON)}
_FLOATS = (STRENGTH,)
# The sizes that a file leaves open, by the names that the export gives them, as shares of the frame's.
HALVED = ("strength_height", "half_height"), ("strength_width", "half_width")


@dataclass(frozen=True, slots=True)
class NetworkPorts:
    """Which of the ports that a style may leave out a network has.

    strength: an input, float32 (1, H/2, W/2, 1): how strong the drawing is to be, 0 to 1.5, from place to place.
    person: an output, uint8 (1, H/2, W/2, 1): 255 where a person is.
    """

    strength: bool = False
    person: bool = False

    @property
    def names(self) -> list[str]:
        """All of them, inputs first."""
        return [FRAME, *[STRENGTH] * self.strength, STYLED, *[PERSON] * self.person]

    def shapes(self, width: int, height: int, batch: int = 1) -> Mapping[str, list[int]]:
        """The shape of each at one size of frames, for so many at once."""
        whole, half = [batch, height, width, 3], [batch, height // 2, width // 2, 1]
        return {name: whole if name in (FRAME, STYLED) else half for name in self.names}


def read_ports(
    inputs: Sequence[tuple[str, str]], outputs: Sequence[tuple[str, str]], byte: str, real: str
) -> NetworkPorts | None:
    """The ports of a network by names and types; None when it is no style's.

    byte, real: what the runtime calls uint8 and float32.
    """
    found = {"inputs": list(inputs), "outputs": list(outputs)}
    for side, names in _MOST.items():
        wanted = [(name, real if name in _FLOATS else byte) for name in names]
        if found[side] not in (wanted, wanted[:1]):
            return None
    return NetworkPorts(strength=len(inputs) == 2, person=len(outputs) == 2)


class StrengthPlane:
    """The buffer behind the input `strength`, written only when the strength changes.

    values: float32 (batch, H/2, W/2, 1).
    """

    def __init__(self, width: int, height: int, batch: int = 1) -> None:
        self.values = np.ones((batch, height // 2, width // 2, 1), np.float32)
        self._now = [1.0] * batch

    def set(self, strengths: Sequence[float]) -> bool:
        """Take a strength for each whole picture; whether anything was written."""
        changed = [place for place, strength in enumerate(strengths) if strength != self._now[place]]
        for place in changed:
            self.values[place] = self._now[place] = strengths[place]
        return bool(changed)


def person_buffer(width: int, height: int, batch: int = 1) -> Image:
    """The buffer behind the output `person`, uint8 (batch, H/2, W/2, 1)."""
    return np.zeros((batch, height // 2, width // 2, 1), np.uint8)
