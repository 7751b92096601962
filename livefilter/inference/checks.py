"""What every engine checks in the same words."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from livefilter.errors import EngineFailed, InvalidInput, StyleCorrupt
from livefilter.frame import Image
from livefilter.inference.base import EngineInfo
from livefilter.text import sentence

MULTIPLE = 8
_NOISE = re.compile(
    r"\[ONNXRuntimeError\] : \d+ : \w+ : |Load model from .*? failed: ?"
    r"|/onnxruntime_src/\S+:\d+ [^()]*\([^()]*\) |Check '.*?' failed at \S+: "
    r"|FrontEnd API failed with \w+: |Exception from \S+:\d+: "
)


def require_size(width: int, height: int) -> None:
    """Accept positive multiples of 8 only; the generators halve the frame three times.

    Raises: InvalidInput.
    """
    if width <= 0 or height <= 0 or width % MULTIPLE or height % MULTIPLE:
        raise InvalidInput(
            f"An engine cannot run at {width}x{height}: width and height must be positive multiples of {MULTIPLE}. "
            "Use livefilter.inference.styler.Styler for frames of any size."
        )


def require_network(network: Path) -> None:
    """Accept an existing file with something in it; runtimes word these two cases badly.

    Raises: StyleCorrupt.
    """
    if not network.is_file():
        raise StyleCorrupt(f"Network file {network} does not exist. Reinstall the style or choose another one.")
    if network.stat().st_size == 0:
        raise StyleCorrupt(f"Network file {network} is empty. Reinstall the style or choose another one.")


def corrupt(network: Path, reason: object) -> StyleCorrupt:
    """The error for a network that a runtime cannot read."""
    return StyleCorrupt(
        f"Network file {network} cannot be read: {one_line(reason)}. Reinstall the style or choose another one."
    )


def require_frame(image: Image, info: EngineInfo) -> None:
    """Accept only frames of the engine's own size and type.

    Raises: EngineFailed.
    """
    expected = (info.height, info.width, 3)
    if image.shape != expected or image.dtype != np.uint8:
        raise EngineFailed(
            f"The {info.backend} engine takes uint8 BGR frames of shape {expected}, "
            f"but was given {image.dtype} of shape {image.shape}. Resize the frame or open an engine for its size."
        )


def closed(info: EngineInfo) -> EngineFailed:
    """The error for a run after close."""
    return EngineFailed(f"The {info.backend} engine is closed. Open a new one.")


def one_line(reason: object) -> str:
    """A library's message as one line, without its codes, source files and final full stop, cut where it gets long."""
    return sentence(_NOISE.sub("", " ".join(str(reason).split())))
