"""A generator from the ONNX file that it was exported to."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from livefilter.errors import StyleCorrupt
from livefilter.generator.conv import Conv
from livefilter.generator.export import CRISP, to_onnx
from livefilter.generator.network import Design, Generator
from livefilter.styles.network_file import read_network


def generator_from_onnx(path: Path, sha256: str = "") -> Generator:
    """Rebuild a generator, with its branches folded and its weights as they were exported, float16 as float32.

    Exporting it again must give the file's own graph, so that no other network is taken for one.
    sha256: what the file must be by its card; "" for any.
    Raises: StyleCorrupt: the file cannot be read, is not the one that is meant, or is another kind of network.
    """
    other = f"{path} is no network of livefilter's own kind, which alone runs on PyTorch. Use --backend onnxruntime."
    data = read_network(path, sha256)
    try:
        graph = onnx.load_model_from_string(data).graph
    except Exception as error:  # protobuf raises kinds of its own
        raise StyleCorrupt(f"Network file {path} cannot be read: {error}. Reinstall the style.") from error
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kernels = {name.removesuffix("_kernel_fp16"): value for name, value in values.items() if "_kernel_" in name}
    try:
        eighth = kernels["down_eighth"].shape[0]
        design = Design(
            half=kernels["head"].shape[0],
            quarter=kernels["down_quarter"].shape[0],
            eighth=eighth,
            half_convs=sum(name.startswith("half_out_") for name in kernels),
            quarter_convs=sum(name.startswith("quarter_out_") for name in kernels),
            eighth_blocks=len({name.split("_")[1] for name in kernels if name.startswith("block_")}),
            expansion=kernels["block_0_0"].shape[0] // eighth if "block_0_2" in kernels else 0,
            dilation=_dilation(graph),
            strength=int("strength_gains_fp16" in values),
            person=2 if "person_last" in kernels else int("person" in kernels),
            crisp=int(values.get(CRISP, 0)),
        )
        generator = Generator(design)
        for name, layer in _layers(generator):
            layer.point = layer.identity = None
            layer.weight.data = torch.from_numpy(values[f"{name}_kernel_fp16"].copy()).float()
            layer.bias.data = torch.from_numpy(values[f"{name}_bias_fp16"].copy()).float()
        if design.strength:
            gains = torch.from_numpy(values["strength_gains_fp16"].copy()).float()
            generator.head.weight.data = _with_strength(generator.head.weight.data, gains)
        again = to_onnx(generator.eval()).graph
    except (KeyError, ValueError, RuntimeError, TypeError) as error:
        raise StyleCorrupt(other) from error
    if again.SerializeToString(deterministic=True) != graph.SerializeToString(deterministic=True):
        raise StyleCorrupt(other)
    return generator


def _with_strength(kernel: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
    """A first kernel, (half, 3, 6, 6), with the plane for strength: its gains spread over the taps that are one cell.

    So that a strength which differs from place to place has the same effect as in the file.
    """
    plane = torch.zeros_like(kernel[:, :1])
    plane[:, :, 2:4, 2:4] = gains.reshape(-1, 1, 1, 1) / 4
    return torch.cat([kernel, plane], 1)


def _dilation(graph: onnx.GraphProto) -> int:
    """The widest spread of a kernel that draws."""
    nodes = [node for node in graph.node if not any(name.startswith("person_") for name in node.input)]
    spreads = [entry.ints[0] for node in nodes for entry in node.attribute if entry.name == "dilations"]
    return max(spreads, default=1)


def _layers(generator: Generator) -> list[tuple[str, Conv]]:
    """Each convolution with the name that the export gives it."""
    found = []
    for path, layer in generator.named_modules():
        if isinstance(layer, Conv):
            name = path.replace("blocks.", "block_").replace(".layers.", "_").replace(".", "_")
            found.append((name, layer))
    return found
