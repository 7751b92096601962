"""A teacher with an encoder, made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def make_teacher() -> Callable[..., Path]:
    """Write a generator that encodes at full and half size and gives the photo's negative; `side` fixes its size."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    def make(path: Path, side: int = 0) -> Path:
        random = np.random.default_rng(0)
        weights = {"a": random.normal(size=(4, 3, 3, 3)), "b": random.normal(size=(4, 4, 3, 3)) / 6}
        shape: list[str | int | None] = [1, side or "height", side or "width", 3]
        nodes = [
            helper.make_node("Transpose", ["photo"], ["planes"], perm=[0, 3, 1, 2]),
            helper.make_node("Conv", ["planes", "a"], ["fine_sum"], pads=[1] * 4),
            helper.make_node("LeakyRelu", ["fine_sum"], ["fine"]),
            helper.make_node("Conv", ["fine", "b"], ["coarse_sum"], pads=[1] * 4, strides=[2, 2]),
            helper.make_node("LeakyRelu", ["coarse_sum"], ["coarse"]),
            helper.make_node("Resize", ["coarse", "", "twice"], ["enlarged"], mode="nearest"),
            helper.make_node("LeakyRelu", ["enlarged"], ["late"]),
            helper.make_node("ReduceMean", ["late"], ["mean"], keepdims=1),
            helper.make_node("Mul", ["mean", "nothing"], ["ignored"]),
            helper.make_node("Sub", ["ignored", "planes"], ["negative"]),
            helper.make_node("Transpose", ["negative"], ["drawing"], perm=[0, 2, 3, 1]),
        ]
        tensors = [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()]
        tensors += [
            numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"),
            numpy_helper.from_array(np.array(0, np.float32), "nothing"),
        ]
        ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("photo", "drawing")]
        graph = helper.make_graph(nodes, "teacher", ports[:1], ports[1:], tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, path)
        return path

    return make


@pytest.fixture
def recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two styles that can be trained, drawn by a chain of one generator and a filter."""
    pytest.importorskip("torch")
    from livefilter.training.recipe import StyleRecipe

    steps: list[dict[str, Any]] = [{"do": "teacher", "name": "negate"}, {"do": "brighten", "gamma": 0.9}]
    monkeypatch.setattr("tools.quality.report.trainable_styles", lambda: ["negative", "poster"])
    for module in ("material", "report"):
        monkeypatch.setattr(f"tools.quality.{module}.read_recipe", lambda name: StyleRecipe(name, steps, []))
