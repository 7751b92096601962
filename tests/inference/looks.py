"""What strength, split screen and mirror mean: one table for the CPU, the graph of TensorRT and PyTorch."""

from __future__ import annotations

from livefilter.frame import Image
from livefilter.inference.look import PLAIN, Look, arranged, blend, share_of

LOOKS = [
    PLAIN,
    Look(strength=0.0),
    Look(strength=0.3),
    Look(strength=0.5, compare=True),
    Look(strength=0.0, compare=True),
    Look(compare=True, split=0.0),
    Look(compare=True, split=0.8),
    Look(compare=True, split=1.0),
    Look(mirror=True),
    Look(compare=True, mirror=True, width=85),
    Look(strength=0.7, compare=True, mirror=True, split=0.25, width=85),
]


def finished_on_the_cpu(original: Image, styled: Image, look: Look, *, drawn_strength: bool = False) -> Image:
    """What a live run makes of the two where no GPU does it."""
    width = look.width or original.shape[1]
    left, right = original[:, :width], styled[:, :width]
    return arranged(left, blend(left, right, share_of(look.strength, drawn_strength)), look)
