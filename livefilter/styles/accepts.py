"""Which sizes of frames a network takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepts:
    """What a network takes: frames of any size in multiples of `multiple` pixels, or of `size` only.

    multiple: a multiple of 8. size: (width, height) in pixels, multiples of 8; None where any size will do.
    """

    multiple: int = 8
    size: tuple[int, int] | None = None

    def __str__(self) -> str:
        if self.size is not None:
            return f"{self.size[0]}x{self.size[1]} only"
        return f"any size, in multiples of {self.multiple}"
