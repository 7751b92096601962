"""Export a generator of the AnimeGAN family to the ONNX file that every backend runs: bytes in, bytes out."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import torch
from torch import nn

from livefilter.generator.animegan_layers import Bottleneck, Doubled, Halved, InvertedResidual
from livefilter.generator.export import save
from livefilter.generator.graph import Graph

Network = TypeVar("Network", bound=nn.Module)


def as_bgr(generator: Network) -> Network:
    """A copy that takes and gives BGR in place of RGB: kernels are turned, so that nothing is turned at run time."""
    turned = copy.deepcopy(generator)
    convolutions = [layer for layer in turned.modules() if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        convolutions[0].weight.copy_(convolutions[0].weight.flip(1))
        convolutions[-1].weight.copy_(convolutions[-1].weight.flip(0))
    return turned


def to_onnx(generator: nn.Module) -> onnx.ModelProto:
    """Write the generator as a graph with its pre- and post-processing.

    Input `frame` and output `styled` are uint8 [1, height, width, 3] BGR; height and width are dynamic, multiples of
    4. Weights are float32, as published checkpoints have them.

    Args:
        generator: any of `livefilter.generator.animegan`, RGB.
    """
    g = _Graph()
    g.styled(g.module(as_bgr(generator), g.frame()))
    return g.model("animegan")


def export(generator: nn.Module, path: Path) -> str:
    """Write the generator's ONNX file, atomically, and return its SHA-256 in hexadecimal."""
    return save(to_onnx(generator), path)


class _Graph(Graph):
    """Writes PyTorch's layers."""

    def weights(self, values: torch.Tensor) -> str:
        return self.constant(values.detach().float().cpu().numpy())

    def module(self, layer: nn.Module, features: str) -> str:
        if isinstance(layer, nn.Sequential):
            for part in layer:
                features = self.module(part, features)
            return features
        if isinstance(layer, (InvertedResidual, Bottleneck)):
            out = self.module(layer.layers, features)
            return self.node("Add", features, out) if layer.added else out
        if isinstance(layer, Halved):
            return self.node("Add", self.module(layer.strided, features), self.module(layer.resized, features))
        if isinstance(layer, nn.ReflectionPad2d):
            left, right, top, bottom = layer.padding
            if not any(layer.padding):
                return features
            sizes = self.constant(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
            return self.node("Pad", features, sizes, mode="reflect")
        if isinstance(layer, nn.Conv2d):
            values = [self.weights(value) for value in (layer.weight, layer.bias) if value is not None]
            return self.node("Conv", features, *values, strides=list(layer.stride), group=layer.groups)
        if isinstance(layer, nn.GroupNorm):
            return self.layer_norm(layer, features)
        if isinstance(layer, nn.InstanceNorm2d):
            scale, shift = self.weights(layer.weight), self.weights(layer.bias)
            return self.node("InstanceNormalization", features, scale, shift, epsilon=layer.eps)
        if isinstance(layer, nn.LeakyReLU):
            return self.node("LeakyRelu", features, alpha=layer.negative_slope)
        if isinstance(layer, nn.Tanh):
            return self.node("Tanh", features)
        if isinstance(layer, nn.AvgPool2d):
            return self.node("AveragePool", features, kernel_shape=[2, 2], strides=[2, 2])
        if isinstance(layer, Doubled):
            return self.doubled(features)
        raise TypeError(f"The generator holds a {type(layer).__name__}, which the export does not know.")

    def doubled(self, features: str) -> str:
        twice = self.constant(np.array([1, 1, 2, 2], np.float32))
        where = "asymmetric"  # as `Doubled`
        return self.node("Resize", features, "", twice, mode="linear", coordinate_transformation_mode=where)

    def layer_norm(self, layer: nn.GroupNorm, features: str) -> str:
        # The statistics of C, H and W together are those of one long channel. GroupNormalization is a newer operator
        # than the opset, and one whose types onnx does not infer.
        flat = self.node("Reshape", features, self.constant(np.array([0, 1, -1], np.int64)))
        one, zero = (self.constant(np.full(1, value, np.float32)) for value in (1, 0))
        normal = self.node("InstanceNormalization", flat, one, zero, epsilon=layer.eps)
        normal = self.node("Reshape", normal, self.node("Shape", features))
        scale, shift = (self.weights(value.reshape(-1, 1, 1)) for value in (layer.weight, layer.bias))
        return self.node("Add", self.node("Mul", normal, scale), shift)
