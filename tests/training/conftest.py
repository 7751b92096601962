"""A teacher and photos made on the spot."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """A generator in the published interface that turns every picture into its negative."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    shape: list[str | int | None] = [1, "height", "width", 3]
    graph = helper.make_graph(
        [helper.make_node("Neg", ["photo"], ["drawing"])],
        "negative",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("drawing", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, tmp_path / "teacher.onnx")
    return tmp_path / "teacher.onnx"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos, one of them with a name that is held out."""
    pytest.importorskip("tqdm")
    from livefilter.training.data import is_held_out

    folder = tmp_path / "photos"
    folder.mkdir()
    names = [f"photo{index}.png" for index in range(1000)]
    seen, held_out = ([name for name in names if is_held_out(name) is kept] for kept in (False, True))
    for seed, name in enumerate((*seen[:2], held_out[0])):
        blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), blocks.repeat(16, axis=0).repeat(16, axis=1))
    return folder
