"""One way in which a camera delivers pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mode:
    """What a camera offers, or does.

    pixel_format: four letters as V4L2 writes them. width, height: pixels. fps: the highest rate it states; 0: it does
    not say.
    """

    pixel_format: str
    width: int
    height: int
    fps: float

    def __str__(self) -> str:
        rate = f" {self.fps:.4g} fps" if self.fps else ""
        return f"{self.pixel_format} {self.width}x{self.height}{rate}"
