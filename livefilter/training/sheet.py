"""Sample sheets: photo, teacher, target and student side by side, for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from livefilter.frame import Image
from livefilter.generator.network import MULTIPLE, Generator
from livefilter.training.data import Pair


@torch.no_grad()
def draw(generator: Generator, picture: Image, strength: float = 1.0) -> Image:
    """Style one (H, W, 3) uint8 BGR picture, cut to multiples of 8, with the network as it stands in training."""
    height, width = (side // MULTIPLE * MULTIPLE for side in picture.shape[:2])
    device = next(generator.parameters()).device
    planes = torch.from_numpy(picture[:height, :width].transpose(2, 0, 1)[None].astype(np.float32)).to(device)
    planes = planes / 127.5 - 1.0
    if generator.design.strength:
        planes = torch.cat([planes, torch.full_like(planes[:, :1], strength)], 1)
    styled = generator(planes.contiguous(memory_format=torch.channels_last))[0]
    levels = (styled * 127.5 + 128.0).clamp(0.0, 255.0).permute(1, 2, 0)
    return np.asarray(levels.cpu().numpy(), dtype=np.uint8)


def write_sheet(generator: Generator, pairs: Sequence[Pair], path: Path) -> None:
    """Write one row a pair: photo, teacher, target if it is another picture, student; every row scaled to one width."""
    rows = []
    for pair in pairs:
        wanted = [pair.drawing] if np.array_equal(pair.drawing, pair.target) else [pair.drawing, pair.target]
        row = np.hstack([pair.photo, *wanted, draw(generator, pair.photo)])
        rows.append(cv2.resize(row, (1600, round(row.shape[0] * 1600 / row.shape[1])), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(path), np.vstack(rows))
