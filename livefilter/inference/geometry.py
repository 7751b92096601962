"""How a frame of any size fits a network that takes multiples of 8, or of more, or one size only."""

from __future__ import annotations

from dataclasses import dataclass

from livefilter.errors import InvalidInput
from livefilter.styles.accepts import Accepts

# Below this many pixels a generator sees nothing it knows, so tiny frames are enlarged for it.
FLOOR = 64
ANY = Accepts()
# But a sliver is not enlarged beyond this on its long side; its short side is filled up to the floor instead.
_LONGEST_ENLARGED = 1024


@dataclass(frozen=True, slots=True)
class Fit:
    """Sizes in pixels: the frame is scaled to width x height, then filled up to padded_width x padded_height."""

    width: int
    height: int
    padded_width: int
    padded_height: int

    @property
    def pixels(self) -> int:
        """What the engine has to compute."""
        return self.padded_width * self.padded_height


def fit_network(width: int, height: int, process_size: int | None, accepts: Accepts = ANY) -> Fit:
    """Choose the size at which a frame of width x height is styled.

    process_size: wanted length of the shorter side in pixels; never enlarges, except tiny frames up to `FLOOR`.
        None keeps the frame's own size.
    accepts: what the network takes. One of a single size gets the whole frame, as large as it fits in there, and no
        process_size changes that; the rest is filled up.
    Raises: InvalidInput.
    """
    if width <= 0 or height <= 0:
        raise InvalidInput(f"A frame of {width}x{height} pixels cannot be styled: it is empty.")
    if accepts.size is not None:
        scale = min(1.0, accepts.size[0] / width, accepts.size[1] / height)
        return Fit(max(1, round(width * scale)), max(1, round(height * scale)), *accepts.size)
    short, long = sorted((width, height))
    scale = min(1.0, process_size / short) if process_size is not None else 1.0
    if short * scale < FLOOR:
        scale = max(scale, min(FLOOR / short, max(1.0, _LONGEST_ENLARGED / long)))
    scaled_width, scaled_height = max(1, round(width * scale)), max(1, round(height * scale))
    multiple = accepts.multiple
    return Fit(scaled_width, scaled_height, _padded(scaled_width, multiple), _padded(scaled_height, multiple))


def _padded(length: int, multiple: int) -> int:
    return -(-max(FLOOR, length) // multiple) * multiple
