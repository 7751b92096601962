"""Pictures and VGG weights made on the spot; VGG's are random, which is enough to tell pictures apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from livefilter.training.animegan.vgg import Vgg19


def write_photos(folder: Path, count: int) -> Path:
    """Soft scenes: a ramp, blurred discs, a little noise."""
    folder.mkdir(parents=True)
    for seed in range(count):
        random = np.random.default_rng(seed)
        y, x = np.mgrid[0:48, 0:64]
        scene = np.stack([y * 3 + 20, x * 2 + 40, 200 - y * 2], axis=2).astype(np.uint8)
        for _ in range(4):
            centre = int(random.integers(64)), int(random.integers(48))
            cv2.circle(scene, centre, int(random.integers(5, 14)), random.integers(30, 230, 3).tolist(), -1)
        noisy = cv2.GaussianBlur(scene, (0, 0), 1.2) + random.normal(0, 3, scene.shape)
        cv2.imwrite(str(folder / f"photo-{seed}.png"), np.clip(noisy, 0, 255).astype(np.uint8))
    return folder


def write_style(folder: Path, count: int) -> Path:
    """Flat discs with black outlines, and hatching."""
    folder.mkdir(parents=True)
    for seed in range(count):
        random = np.random.default_rng(100 + seed)
        drawing = np.full((64, 48, 3), random.integers(180, 255, 3), np.uint8)
        for left in range(0, 48, 6):
            cv2.line(drawing, (left, 0), (left + 12, 64), (20, 20, 20), 1)
        for _ in range(3):
            centre, radius = (int(random.integers(48)), int(random.integers(64))), int(random.integers(6, 16))
            cv2.circle(drawing, centre, radius, random.integers(60, 255, 3).tolist(), -1)
            cv2.circle(drawing, centre, radius, (10, 10, 10), 2)
        cv2.imwrite(str(folder / f"cel-{seed}.png"), drawing)
    return folder


def write_vgg(path: Path) -> Path:
    """VGG19 with random weights, in torchvision's format."""
    torch.manual_seed(1)
    network = Vgg19()
    for layer in network.features:
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    torch.save(network.state_dict(), path)
    return path
