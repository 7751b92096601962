"""The small network that finds people for styles whose own networks do not tell."""

from __future__ import annotations

import importlib.resources
from dataclasses import replace
from pathlib import Path

from livefilter.errors import StyleCorrupt
from livefilter.inference.base import EngineOptions
from livefilter.inference.styler import Styler

# The shorter side at which it looks; it was trained on pictures of that size.
SIDE = 144


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
