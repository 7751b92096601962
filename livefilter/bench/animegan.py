"""The generator of AnimeGANv2 (Chen et al. 2020) with random weights: what it costs does not depend on them."""

from __future__ import annotations

from pathlib import Path

import torch

from livefilter.generator import animegan as family
from livefilter.generator.animegan_export import as_bgr, export

FILE = "animeganv2.onnx"


def animegan() -> family.AnimeGanV2:
    """The network, the same each time; in BGR, as the file is."""
    return as_bgr(_network())


def write_animegan(path: Path) -> Path:
    """Export it as livefilter's networks are: `frame` to `styled`, uint8 (1, H, W, 3), free in height and width."""
    export(_network(), path)
    return path


def _network() -> family.AnimeGanV2:
    torch.manual_seed(0)
    return family.AnimeGanV2().eval()
