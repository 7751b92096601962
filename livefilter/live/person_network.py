"""The small network that finds people for styles whose own networks do not tell."""

from __future__ import annotations

import importlib.resources
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from livefilter.errors import StyleCorrupt
from livefilter.frame import Image
from livefilter.inference.base import EngineOptions
from livefilter.inference.styler import Styler

# The shorter side at which it looks; it was trained on pictures of that size.
SIDE = 144
# The mean of brightness at which it sees well, of 255, and by how much a frame is made lighter at most to reach it.
_LIT, _MOST = 110.0, 5.0
_GREY = (0.114, 0.587, 0.299)


def person_network() -> Path:
    """Where it is: a generator of livefilter's own kind, of which only the output `person` is used."""
    return Path(str(importlib.resources.files("livefilter.styles"))) / "_person" / "lite.onnx"


def meant_sha256(network: Path) -> str:
    """What the network's bytes must be by the file beside it, as `sha256sum` writes it.

    Raises: StyleCorrupt: there is no such file, or it says nothing.
    """
    beside = network.with_suffix(".sha256")
    try:
        return beside.read_text(encoding="ascii").split()[0]
    except (OSError, ValueError, IndexError) as error:
        raise StyleCorrupt(
            f"Network file {network} cannot be checked: {beside} is not there or says nothing. Reinstall livefilter."
        ) from error


def lit(small: Image) -> Image:
    """What the network is to see of a frame, in dark rooms as in others: a lighter copy of a dark one, else `small`.

    small: (H, W, 3) uint8 BGR.
    """
    mean = sum(weight * level for weight, level in zip(_GREY, cv2.mean(small), strict=False))
    gain = min(_MOST, _LIT / max(mean, 1.0))
    return np.asarray(cv2.convertScaleAbs(small, alpha=gain), np.uint8) if gain > 1.0 else small


def alongside(options: EngineOptions) -> EngineOptions:
    """How it runs while a style is drawn: on one thread, which goes wherever the style's engine leaves room."""
    return replace(options, threads=1, shared=True)


def open_person_network(
    backend: str, options: EngineOptions, width: int, height: int, path: Path | None = None
) -> Styler:
    """The network, warm for frames of width x height, once its SHA-256 was found to be the right one.

    Raises: StyleCorrupt: it is not there, is another one, or does not tell where people are; and what opening an engine
        raises.
    """
    path = path or person_network()
    if not path.is_file():
        raise StyleCorrupt(
            f"This style's network does not tell who is a person, and the one that would ({path}) is not there. "
            "Choose a style whose network tells, or reinstall livefilter."
        )
    styler = Styler(path, backend, SIDE, replace(options, sha256=meant_sha256(path)))
    styler.warm_up(width, height)
    if not styler.gives_person:
        styler.close()
        raise StyleCorrupt(f"Network file {path} does not tell who is a person. Reinstall livefilter.")
    return styler
