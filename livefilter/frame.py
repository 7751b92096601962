"""The one thing that walks through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from livefilter.cutout import Cutout

Image: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture with its number and its time of capture.

    image: (H, W, 3) uint8 BGR, C-contiguous, 0..255; after styling it may be NV12, (H * 3 / 2, W), see livefilter.nv12,
        which only sinks get that take it. Whoever receives a frame may read it but never writes into it.
    number: counts the frames of one source from 0.
    captured_at: `time.perf_counter()` seconds at which the picture was taken or, for files, was due.
    media_s: seconds since the start of the file or of its first loop; None for live inputs.
    lasts_s: seconds for which a file shows it; 0 for live inputs and where that is not known.
    raw: why it shows the camera's own pixels, such as "Raw camera" or "Split screen"; empty when it does not.
    frozen: it is shown again and again because somebody froze the picture.
    cutout: the person alone, where the room is transparent; for outputs that carry that, others show `image`, with a
        plain colour around the person.
    """

    image: Image
    number: int
    captured_at: float
    media_s: float | None = None
    lasts_s: float = 0.0
    raw: str = ""
    frozen: bool = False
    cutout: Cutout | None = None

    @property
    def mark(self) -> str:
        """What the person in control is told beside the picture; empty for the live, styled one."""
        if self.raw and self.frozen:
            return f"{self.raw}, frozen"
        return self.raw or ("Frozen" if self.frozen else "")

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        rows = int(self.image.shape[0])
        return rows if self.image.ndim == 3 else rows * 2 // 3
