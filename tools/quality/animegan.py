"""`python -m tools.quality.animegan FILE PICTURES`: compare livefilter's AnimeGANv2 with a published graph of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import cv2
import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.generator.animegan import AnimeGanV2
from livefilter.inference.providers import CPU, create_session, quiet_options
from livefilter.training.artist import read_picture

Values = npt.NDArray[np.float32]
Levels = Callable[[Image], Values]

_FILE = click.Path(path_type=Path)
_LONGEST = 384
_MULTIPLE = 32


def published_weights(path: Path) -> AnimeGanV2:
    """AnimeGANv2 with the weights of a published ONNX graph, taken in the order of its layers.

    It normalises as converters from TensorFlow write it: 1 / deviation, times a scale; a shift minus the mean.

    Raises: InvalidInput: it cannot be read, or its layers are others.
    """
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:
        raise InvalidInput(f"{path} cannot be read: {error}. Name an ONNX graph of AnimeGANv2.") from error
    generator = AnimeGanV2().eval()
    found = list(_weights(graph))
    wanted = [layer for layer in generator.modules() if isinstance(layer, (nn.Conv2d, nn.GroupNorm))]
    if [weight.shape for weight, _ in found] != [tuple(layer.weight.shape) for layer in wanted]:
        raise InvalidInput(f"{path} holds {len(found)} layers with weights, which are not those of AnimeGANv2.")
    with torch.no_grad():
        for layer, (weight, bias) in zip(wanted, found, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            if layer.bias is not None:
                layer.bias.copy_(torch.from_numpy(bias))
            elif np.any(bias):
                raise InvalidInput(f"{path} has a bias where AnimeGANv2 has none.")
    return generator


def _weights(graph: onnx.GraphProto) -> Iterator[tuple[Values, Values]]:
    """Weight and bias of each convolution, scale and shift of each normalisation, in the order of the graph."""
    known = {tensor.name: np.array(numpy_helper.to_array(tensor), np.float32) for tensor in graph.initializer}
    maker = {name: node.op_type for node in graph.node for name in node.output}
    scale: Values | None = None
    for node in graph.node:
        last = known.get(node.input[-1])
        if node.op_type == "Conv":
            weight = known[node.input[1]]
            yield weight, known[node.input[2]] if len(node.input) > 2 else np.zeros(len(weight), np.float32)
        elif node.op_type == "Mul" and maker.get(node.input[0]) == "Reciprocal" and last is not None:
            scale = last.reshape(-1)
        elif node.op_type == "Sub" and node.input[0] in known and scale is not None:
            yield scale, known[node.input[0]].reshape(-1)


def levels_of(generator: nn.Module) -> Levels:
    """What a generator makes of (H, W, 3) uint8 BGR, as float32 RGB levels before they are rounded."""

    def draw(picture: Image) -> Values:
        values = torch.from_numpy(np.ascontiguousarray(_as_input(picture).transpose(0, 3, 1, 2)))
        with torch.inference_mode():
            return _as_levels(generator(values)[0].permute(1, 2, 0).numpy())

    return draw


def levels_of_graph(path: Path) -> Levels:
    """The same of the published graph, in ONNX Runtime."""
    session = create_session(str(path), quiet_options(), [(CPU, {})])
    name = session.get_inputs()[0].name
    return lambda picture: _as_levels(session.run(None, {name: _as_input(picture)})[0][0])


def _as_input(picture: Image) -> Values:
    return np.ascontiguousarray(picture[None, :, :, ::-1]).astype(np.float32) / np.float32(127.5) - np.float32(1)


def _as_levels(values: Values) -> Values:
    return np.clip((values + np.float32(1)) * np.float32(127.5), 0, 255)


def _shown(path: Path) -> Image:
    picture = read_picture(path)
    factor = _LONGEST / max(picture.shape[:2])
    size = [max(1, round(side * factor / _MULTIPLE)) * _MULTIPLE for side in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


@click.command()
@click.argument("graph", type=_FILE)
@click.argument("pictures", nargs=-1, required=True, type=_FILE)
def compare(graph: Path, pictures: tuple[Path, ...]) -> None:
    """Print the largest and the mean difference, in grey levels, on each picture."""
    ours, theirs = levels_of(published_weights(graph)), levels_of_graph(graph)
    for path in pictures:
        picture = _shown(path)
        difference = np.abs(ours(picture) - theirs(picture))
        click.echo(f"{path.name}: largest {difference.max():.3f}, mean {difference.mean():.5f} grey levels")


if __name__ == "__main__":
    compare()
