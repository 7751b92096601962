"""Small ONNX networks in the form of a style's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DYNAMIC: list[int | str] = [1, "height", "width", 3]


def write_style_network(path: Path, half: bool = False, size: tuple[int, int] | None = None) -> Path:
    """Write a style of two random convolutions, the first of stride 2; the same each time.

    half: compute in float16. size: (height, width) to fix in place of dynamic axes.
    """
    kind, dtype = (TensorProto.FLOAT16, np.float16) if half else (TensorProto.FLOAT, np.float32)
    random = np.random.default_rng(7)
    constants = {
        "scale": np.array(1 / 127.5),
        "shift": np.array(1.0),
        "first": random.normal(0, 0.2, (8, 3, 4, 4)),
        "second": random.normal(0, 0.1, (12, 8, 3, 3)),
        "gain": np.array(127.5),
        "middle": np.array(128.0),
        "low": np.array(0.0),
        "high": np.array(255.0),
    }
    nodes = [
        helper.make_node("Cast", ["frame"], ["a"], to=kind),
        helper.make_node("Transpose", ["a"], ["b"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["b", "scale"], ["c"]),
        helper.make_node("Sub", ["c", "shift"], ["d"]),
        helper.make_node("Conv", ["d", "first"], ["e"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["e"], ["f"]),
        helper.make_node("Conv", ["f", "second"], ["g"], pads=[1, 1, 1, 1]),
        helper.make_node("DepthToSpace", ["g"], ["h"], blocksize=2, mode="CRD"),
        helper.make_node("Mul", ["h", "gain"], ["i"]),
        helper.make_node("Add", ["i", "middle"], ["j"]),
        helper.make_node("Clip", ["j", "low", "high"], ["k"]),
        helper.make_node("Transpose", ["k"], ["l"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["l"], ["styled"], to=TensorProto.UINT8),
    ]
    return _save(path, nodes, {name: value.astype(dtype) for name, value in constants.items()}, size=size)


def write_inverting_network(path: Path) -> Path:
    """Write a style that gives the negative of a picture."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["white", "a"], ["b"]),
        helper.make_node("Cast", ["b"], ["styled"], to=TensorProto.UINT8),
    ]
    return _save(path, nodes, {"white": np.array(255.0, np.float32)})


def write_turning_network(path: Path) -> Path:
    """Write a style that gives each colour to the next channel: blue to green, green to red, red to blue."""
    node = helper.make_node("Gather", ["frame", "order"], ["styled"], axis=3)
    return _save(path, [node], {"order": np.array([2, 0, 1])})


def write_failing_network(path: Path) -> Path:
    """Write a style that loads and fails on every frame that is not black: it looks behind the end of a table."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["a"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "a"], ["b"]),
        helper.make_node("Cast", ["b"], ["styled"], to=TensorProto.UINT8),
    ]
    return _save(path, nodes, {"table": np.zeros(1, np.float32)})


def write_other_network(path: Path) -> Path:
    """Write a network that is no style: its input has another name and type."""
    node = helper.make_node("Relu", ["image"], ["styled"])
    return _save(path, [node], {}, given=("image", TensorProto.FLOAT), result=("styled", TensorProto.FLOAT))


def _save(
    path: Path,
    nodes: list[Any],
    constants: dict[str, Any],
    given: tuple[str, int] = ("frame", TensorProto.UINT8),
    result: tuple[str, int] = ("styled", TensorProto.UINT8),
    size: tuple[int, int] | None = None,
) -> Path:
    shape = [1, *size, 3] if size else DYNAMIC
    graph = helper.make_graph(
        nodes,
        "style",
        [helper.make_tensor_value_info(*given, shape)],
        [helper.make_tensor_value_info(*result, shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))
    return path
