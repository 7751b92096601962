"""The stand-in for a published style costs what the published network costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

import torch

from livefilter.bench.animegan import FILE, random_animegan, write_animegan
from livefilter.bench.gpu_measure import network_work
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from tests.conftest import picture


def test_it_has_the_published_work(tmp_path: Path) -> None:
    """739 GFLOP for a frame of 1280x720."""
    assert network_work(tmp_path / FILE, 1280, 720)[0] == pytest.approx(739, abs=0.5)


def test_the_file_draws_what_the_network_draws(tmp_path: Path) -> None:
    """ONNX Runtime's picture of the file is PyTorch's of the module, each time anew, in the order BGR."""
    image = picture(96, 64)
    before = torch.random.get_rng_state()
    with OnnxRuntimeCpu(write_animegan(tmp_path / FILE), 96, 64) as engine:
        found = engine.run(image).astype(np.int16)
    with torch.no_grad():
        planes = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1
        levels = (random_animegan()(planes) * 127.5 + 128).clamp(0, 255)
    expected = levels[0].permute(1, 2, 0).to(torch.uint8).numpy()
    assert expected.std() > 10
    assert np.abs(found - expected).max() <= 1
    assert torch.equal(before, torch.random.get_rng_state()), "the caller's random numbers are changed"
