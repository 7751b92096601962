"""The generator of AnimeGANv2 (Chen et al. 2020) with random weights: what it costs does not depend on them."""

from __future__ import annotations

from pathlib import Path

import torch

from livefilter.generator.animegan import AnimeGan, animegan
from livefilter.generator.animegan_export import as_bgr, export

FILE = "animeganv2.onnx"


def random_animegan() -> AnimeGan:
    """(N, 3, H, W) BGR in [-1, 1] to the same, H and W multiples of 4; the same network each time."""
    return as_bgr(_generator())


def write_animegan(path: Path) -> Path:
    """Export it as livefilter's networks are: `frame` to `styled`, uint8 (1, H, W, 3), free in height and width."""
    export(_generator(), path)
    return path


def _generator() -> AnimeGan:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return animegan("v2").eval()
