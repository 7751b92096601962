"""Pictures and weights that the tests here share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

for _package in ("torch", "tqdm", "safetensors", "tensorboard"):
    pytest.importorskip(_package, reason=f"{_package} is not installed")

from livefilter.training.animegan.edges import smooth_folder  # noqa: E402
from tests.training.animegan.material import write_photos, write_style, write_vgg  # noqa: E402

CROP = 32


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """On a busy machine threads that wait for each other make these small networks ten times slower."""
    import torch

    torch.set_num_threads(1)


@dataclass(frozen=True)
class Material:
    """Folders of pictures, and VGG's file."""

    photos: Path
    style: Path
    smooth: Path
    vgg: Path


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Six photos, four drawings, the drawings without edges, and VGG19 with random weights."""
    folder = tmp_path_factory.mktemp("animegan")
    photos, style = write_photos(folder / "photos", 6), write_style(folder / "style", 4)
    smooth_folder(style, folder / "smooth", CROP, lambda: None)
    return Material(photos, style, folder / "smooth", write_vgg(folder / "vgg19.pth"))
