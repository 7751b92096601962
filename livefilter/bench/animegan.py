"""The generator of AnimeGANv2 (Chen et al. 2020) with random weights: what it costs does not depend on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

# Of the published network; a test holds this one to it.
PARAMETERS = 2_143_552
FILE = "animeganv2.onnx"
_PORTS = ("frame", "styled")


class AnimeGanV2(nn.Module):
    """(N, 3, H, W) in [-1, 1] to the same; H and W multiples of 4."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(
            _layer(3, 32, 7, pad=(3, 3, 3, 3)),
            _layer(32, 64, stride=2, pad=(0, 1, 0, 1)),
            _layer(64, 64),
            _layer(64, 128, stride=2, pad=(0, 1, 0, 1)),
            _layer(128, 128),
        )
        self.middle = nn.Sequential(
            _layer(128, 128), _Residual(128, 256), *(_Residual(256, 256) for _ in range(3)), _layer(256, 128)
        )
        self.up_half = nn.Sequential(_layer(128, 128), _layer(128, 128))
        self.up_full = nn.Sequential(_layer(128, 64), _layer(64, 64), _layer(64, 32, 7, pad=(3, 3, 3, 3)))
        self.last = nn.Conv2d(32, 3, 1, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Style frames."""
        features = self.middle(self.down(frames))
        features = self.up_half(F.interpolate(features, scale_factor=2.0, mode="bilinear"))
        features = self.up_full(F.interpolate(features, scale_factor=2.0, mode="bilinear"))
        return torch.tanh(self.last(features))


class _Residual(nn.Module):
    """An inverted residual block that widens twice."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.same = inputs == outputs
        wide = inputs * 2
        self.layers = nn.Sequential(
            _layer(inputs, wide, 1, pad=(0, 0, 0, 0)),
            _layer(wide, wide, groups=wide, bias=True),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.GroupNorm(1, outputs),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        out: Tensor = self.layers(features)
        return features + out if self.same else out


def animegan() -> AnimeGanV2:
    """The network, the same each time."""
    torch.manual_seed(0)
    return AnimeGanV2().eval()


def write_animegan(path: Path) -> Path:
    """Export it as livefilter's networks are: `frame` to `styled`, uint8 (1, H, W, 3), free in height and width."""
    network, g = animegan(), _Graph()
    frames = g.node("Transpose", g.node("Cast", "frame", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    features = g.node("Sub", g.node("Mul", frames, g.constant(np.float32(1 / 127.5))), g.constant(np.float32(1)))
    for part in (network.down, network.middle):
        features = g.chain(part, features)
    for part in (network.up_half, network.up_full):
        features = g.chain(part, g.twice(features))
    levels = g.node("Mul", g.node("Tanh", g.module(network.last, features)), g.constant(np.float32(127.5)))
    levels = g.node("Add", levels, g.constant(np.float32(128)))
    levels = g.node("Clip", levels, g.constant(np.float32(0)), g.constant(np.float32(255)))
    g.node("Cast", g.node("Transpose", levels, perm=[0, 2, 3, 1]), output="styled", to=TensorProto.UINT8)
    ports = [helper.make_tensor_value_info(name, TensorProto.UINT8, [1, "height", "width", 3]) for name in _PORTS]
    graph = helper.make_graph(g.nodes, "animeganv2", ports[:1], ports[1:], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


class _Graph:
    """Collects nodes and constants; every method returns the name of the tensor it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value: Any) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def weights(self, values: Tensor) -> str:
        return self.constant(values.detach().numpy())

    def twice(self, features: str) -> str:
        return self.node("Resize", features, "", self.constant(np.array([1, 1, 2, 2], np.float32)), mode="linear")

    def chain(self, layers: nn.Module, features: str) -> str:
        for layer in layers.children():
            features = self.module(layer, features)
        return features

    def module(self, layer: nn.Module, features: str) -> str:
        if isinstance(layer, nn.ReflectionPad2d):
            left, right, top, bottom = layer.padding
            sizes = self.constant(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
            return self.node("Pad", features, sizes, mode="reflect")
        if isinstance(layer, nn.Conv2d):
            weights = [
                self.constant(value.detach().numpy()) for value in (layer.weight, layer.bias) if value is not None
            ]
            return self.node("Conv", features, *weights, strides=list(layer.stride), group=layer.groups)
        if isinstance(layer, nn.GroupNorm):
            # GroupNormalization is a newer operator, whose types onnx does not infer.
            one, zero = (self.constant(np.full(1, value, np.float32)) for value in (1, 0))
            flat = self.node("Reshape", features, self.constant(np.array([0, 1, -1], np.int64)))
            normal = self.node("InstanceNormalization", flat, one, zero, epsilon=layer.eps)
            normal = self.node("Reshape", normal, self.node("Shape", features))
            scale, bias = (self.weights(value.reshape(-1, 1, 1)) for value in (layer.weight, layer.bias))
            return self.node("Add", self.node("Mul", normal, scale), bias)
        if isinstance(layer, nn.LeakyReLU):
            return self.node("LeakyRelu", features, alpha=layer.negative_slope)
        if isinstance(layer, _Residual):
            out = self.chain(layer.layers, features)
            return self.node("Add", features, out) if layer.same else out
        return self.chain(layer, features)


def _layer(
    inputs: int,
    outputs: int,
    size: int = 3,
    stride: int = 1,
    groups: int = 1,
    bias: bool = False,
    pad: tuple[int, int, int, int] = (1, 1, 1, 1),
) -> nn.Sequential:
    return nn.Sequential(
        nn.ReflectionPad2d(pad),
        nn.Conv2d(inputs, outputs, size, stride, groups=groups, bias=bias),
        nn.GroupNorm(1, outputs),
        nn.LeakyReLU(0.2),
    )
