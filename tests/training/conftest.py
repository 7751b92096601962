"""A teacher made on the spot."""

from __future__ import annotations

from pathlib import Path

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
