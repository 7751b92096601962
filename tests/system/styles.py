"""Styles that cost next to nothing and cannot be taken for the camera, beside the bundled ones."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image
from livefilter.styles.catalogue import Catalogue
from tests.inference.networks import write_inverting_network, write_turning_network
from tests.system.program import environment

_WRITERS: dict[str, Callable[[Path], Path]] = {"inverted": write_inverting_network, "turned": write_turning_network}


def write_styles(data: Path) -> None:
    """Put the test styles where a user's own styles lie, under this XDG_DATA_HOME."""
    for order, (name, write) in enumerate(_WRITERS.items(), 1001):
        folder = data / "livefilter" / "styles" / name
        folder.mkdir(parents=True)
        network = write(folder / "network.onnx")
        (folder / "card.toml").write_text(
            f"""name = "{name}"
title = "{name.title()}"
licence = "CC0-1.0"
order = {order}
[networks.lite]
file = "{network.name}"
sha256 = "{hashlib.sha256(network.read_bytes()).hexdigest()}"
"""
        )


def key_of(name: str, data: Path) -> str:
    """The key that chooses a style while `livefilter run` lists these styles."""
    names = [style.name for style in Catalogue(user=data / "livefilter" / "styles").styles]
    return str(names.index(name) + 1)


def inverted(raw: Image) -> Image:
    """What the style "inverted" makes of a frame."""
    return np.asarray(255 - raw, np.uint8)


def turned(raw: Image) -> Image:
    """What the style "turned" makes of a frame."""
    return np.ascontiguousarray(raw[:, :, [2, 0, 1]])


def rendered(raw: Image, style: str, process_size: int, data: Path, folder: Path) -> Image:
    """What a style makes of a frame offline, by `livefilter render`."""
    given, styled = folder / "raw.png", folder / "styled.png"
    cv2.imwrite(str(given), raw)
    # As a live run on a processor begins; a picture alone would get the full network.
    choice = ["-s", style, "--network", "lite", "--backend", "onnxruntime", "--process-size", str(process_size)]
    command = [sys.executable, "-m", "livefilter", "render", str(given), str(styled), *choice]
    subprocess.run(command, env=environment(data), check=True)
    return np.asarray(cv2.imread(str(styled)), np.uint8)
