"""Export a generator to the ONNX file that every backend runs: bytes in, bytes out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
import torch
from onnx import TensorProto

from livefilter.generator.conv import Conv
from livefilter.generator.graph import Graph
from livefilter.generator.network import Block, Generator, at_strength
from livefilter.generator.onnx_network import FRAME, PERSON, STRENGTH, STYLED
from livefilter.generator.person_branch import PersonBranch
from livefilter.whole_file import write_whole

CRISP = "crisp"
Layer = TypeVar("Layer", bound=torch.nn.Module)


class _Graph(Graph):
    """Writes the generator's layers."""

    def weights(self, name: str, values: torch.Tensor) -> str:
        """Store as float16; the Cast back to float32 is folded when a runtime loads the file."""
        half = self.constant(values.detach().cpu().numpy().astype(np.float16), name + "_fp16")
        return self.cast(half, TensorProto.FLOAT, output=name)

    def conv(self, layer: Conv, features: str, name: str, planes: int | None = None) -> str:
        """Convolve; `planes`: how many of the layer's input planes `features` holds, None for all."""
        kernel = self.weights(name + "_kernel", layer.kernel()[:, :planes])
        bias = self.weights(name + "_bias", layer.bias)
        size = layer.weight.shape[-1]
        spread: dict[str, Any] = {"dilations": [layer.dilation] * 2} if layer.dilation > 1 else {}
        return self.node(
            "Conv",
            features,
            kernel,
            bias,
            kernel_shape=[size, size],
            strides=[layer.stride] * 2,
            pads=[layer.padding] * 4,
            group=layer.groups,
            **spread,
        )

    def shuffle(self, features: str) -> str:
        return self.node("DepthToSpace", features, blocksize=2, mode="CRD")

    def crisped(self, planes: str, contrast: int) -> str:
        """As `crisped` of livefilter.generator.network."""
        window: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1] * 4, "strides": [1, 1]}
        most = self.node("MaxPool", planes, **window)
        least = self.node("Neg", self.node("MaxPool", self.node("Neg", planes), **window))
        both = self.node("Mul", self.node("Add", most, least), self.number(0.5 - 0.5 * contrast, "from_the_middle"))
        moved = self.node("Add", self.node("Mul", planes, self.number(contrast, CRISP)), both)
        return self.node("Min", self.node("Max", moved, least), most)

    def twice(self, features: str) -> str:
        if not any(tensor.name == "twice" for tensor in self.initializers):
            self.constant(np.array([1, 1, 2, 2], np.float32), "twice")
        return self.node(
            "Resize",
            features,
            "",
            "twice",
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def fitting(self, features: str, like: str) -> str:
        """Twice as large, without what an odd side has no room for."""
        if not any(tensor.name == "axes" for tensor in self.initializers):
            for name, values in {"axes": [2, 3], "corner": [0, 0], "two": [2], "four": [4], "zero": [0]}.items():
                self.constant(np.array(values, np.int64), name)
        size = self.node("Slice", self.node("Shape", like), "two", "four", "zero")
        return self.node("Slice", self.twice(features), "corner", size, "axes")

    def relu(self, features: str) -> str:
        return self.node("Relu", features)

    def block(self, block: Block, features: str, name: str) -> str:
        hidden = features
        for index, layer in enumerate(block.layers):
            hidden = self.conv(_as(Conv, layer), hidden, f"{name}_{index}")
            if index < len(block.layers) - 1:
                hidden = self.relu(hidden)
        return self.relu(self.node("Add", features, hidden))


def to_onnx(generator: Generator, *, draws: bool = True) -> onnx.ModelProto:
    """Write the generator as a graph with its pre- and post-processing.

    draws: whether it has its last layers; else `styled` is black, at next to no cost, and `person` is what it is for.

    Input `frame` and output `styled` are uint8 [1, height, width, 3] BGR; height and width are dynamic, multiples of
    8. Branches are folded and weights are float16. Names and order of everything in it stay as they are: a style's file
    is known for livefilter's own by being exported again (livefilter.generator.rebuild).

    A design with `strength` has a second input of that name, float32 [1, height / 2, width / 2, 1] or [1, 1, 1, 1]: 1
    draws as it is meant to be, 0 the photo. One with `person` has a second output of that name, uint8
    [1, height / 2, width / 2, 1]: 255 where a person is. Strength joins after the first layer, where the sum of its
    kernel is all that counts of it: a strength for the whole picture then costs as good as nothing.
    """
    design = generator.design
    g = _Graph()
    half = g.conv(generator.head, g.frame(), "head", 3)
    if design.strength:
        gains = g.weights("strength_gains", generator.head.kernel()[:, 3].sum((1, 2))[None, :, None, None])
        half = g.node("Add", half, g.node("Mul", g.node("Transpose", STRENGTH, perm=[0, 3, 1, 2]), gains))
    half = g.relu(half)
    quarter = g.relu(g.conv(generator.down_quarter, half, "down_quarter"))
    fine = _chain(g, generator.quarter_in, quarter, "quarter_in")
    first = g.relu(g.conv(generator.down_eighth, fine, "down_eighth"))
    deep = first
    for index, block in enumerate(generator.blocks):
        deep = g.block(_as(Block, block), deep, f"block_{index}")
    quarter = g.relu(g.node("Add", fine, g.twice(g.conv(generator.up_quarter, deep, "up_quarter"))))
    quarter = _chain(g, generator.quarter_out, quarter, "quarter_out")
    half = g.relu(g.node("Add", half, g.twice(g.conv(generator.up_half, quarter, "up_half"))))
    half = _chain(g, generator.half_out, half, "half_out")
    if draws:
        drawn = g.shuffle(g.conv(generator.tail, half, "tail"))
        g.styled(g.crisped(drawn, design.crisp) if design.crisp else drawn)
    else:
        black = g.node("Mul", g.cast(FRAME, TensorProto.FLOAT), g.number(0.0, "black"))
        g.cast(black, TensorProto.UINT8, output=STYLED)
    if generator.person is not None:
        person = generator.person
        logits = g.conv(person, half, "person") if isinstance(person, Conv) else _people(g, person, fine, first, deep)
        likely = g.node("Sigmoid", logits)
        likely = g.node("Add", g.node("Mul", likely, g.number(255.0, "white")), g.number(0.5, "rounding"))
        likely = likely if isinstance(person, Conv) else g.twice(likely)
        g.cast(g.node("Transpose", likely, perm=[0, 2, 3, 1]), TensorProto.UINT8, output=PERSON)

    return g.model("generator", strength=bool(design.strength), person=bool(design.person))


def export(generator: Generator, path: Path, *, draws: bool = True) -> str:
    """Write the generator's ONNX file, atomically, and return its SHA-256 in hexadecimal. draws: as of `to_onnx`."""
    return save(to_onnx(generator, draws=draws), path)


def save(model: onnx.ModelProto, path: Path) -> str:
    """Write a network's file, atomically, and return its SHA-256 in hexadecimal."""
    data = model.SerializeToString()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
    return hashlib.sha256(data).hexdigest()


def macs_per_pixel(generator: Generator) -> int:
    """Count the multiply-accumulates of one frame per pixel of that frame (convolutions only)."""
    resolution = {"head": 2, "down_quarter": 4, "quarter_in": 4, "down_eighth": 8, "blocks": 8, "up_quarter": 8}
    resolution |= {"quarter_out": 4, "up_half": 4, "half_out": 2, "tail": 2}
    total = 0.0
    for name, layer in at_strength(generator).named_modules():
        if isinstance(layer, Conv):
            total += layer.weight.numel() / resolution[name.split(".")[0]] ** 2
    return round(total)


def parameters(generator: Generator) -> int:
    """Count the values of the exported network, with branches folded; a plane for strength has one for each output of
    the first layer."""
    layers = [layer for layer in at_strength(generator).modules() if isinstance(layer, Conv)]
    gains = generator.design.half * generator.design.strength
    return gains + sum(layer.weight.numel() + layer.bias.numel() for layer in layers)


def _people(g: _Graph, branch: PersonBranch, fine: str, first: str, deep: str) -> str:
    """The logits of a branch for people, at 1/4, from what it is given."""

    def conv(layer: str, features: str) -> str:
        return g.conv(_as(Conv, getattr(branch, layer)), features, f"person_{layer}")

    eighth = g.relu(g.node("Add", conv("first", first), conv("deep", deep)))
    wide = g.relu(conv("at_16", g.relu(conv("down_16", eighth))))
    whole = g.relu(conv("down_32", wide))
    for index, pair in enumerate(branch.pairs):
        one, other = (_as(Conv, layer) for layer in _as(torch.nn.ModuleList, pair))
        hidden = g.relu(g.conv(one, whole, f"person_pairs_{index}_0"))
        whole = g.relu(g.node("Add", whole, g.conv(other, hidden, f"person_pairs_{index}_1")))
    wide = g.relu(conv("out_16", g.relu(g.node("Add", wide, g.fitting(conv("up_16", whole), wide)))))
    eighth = g.relu(conv("out_8", g.relu(g.node("Add", eighth, g.fitting(conv("up_8", wide), eighth)))))
    quarter = g.node("Add", conv("fine", fine), g.twice(conv("up_4", eighth)))
    return conv("last", g.relu(conv("out_4", g.relu(quarter))))


def _chain(g: _Graph, layers: torch.nn.ModuleList, features: str, name: str) -> str:
    for index, layer in enumerate(layers):
        features = g.relu(g.conv(_as(Conv, layer), features, f"{name}_{index}"))
    return features


def _as(kind: type[Layer], layer: torch.nn.Module) -> Layer:
    if not isinstance(layer, kind):
        raise TypeError(f"The generator holds a {type(layer).__name__} where export expects a {kind.__name__}.")
    return layer
