"""The INT8 form of a network, for processors that multiply bytes."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from livefilter.frame import Image
from livefilter.inference.ports import FRAME, STRENGTH
from livefilter.whole_file import write_whole

# Of what activations are seen to be; the rest is cut off, for a range that holds it would be coarse for all others.
PERCENTILE = 99.99
SIDE = 256


def quantise(network: Path, frames: Sequence[Image], path: Path) -> str:
    """Write a network with most convolutions in INT8, atomically, and return its SHA-256 in hexadecimal.

    The first and the last three, at half the size, stay in floating point: there rounding would be seen as noise.
    Weights are int8 with a scale for each channel, activations uint8 with ranges that these frames show: nodes around
    each convolution that quantize and dequantize, which runtimes fuse. What is between them stays in floating point.

    network: a style's ONNX file. frames: (H, W, 3) uint8 BGR each, of what the network is for; their middle squares
    are shown at `SIDE` pixels, at the strengths 1, 0.5 and 1.5 in turn where the network takes one.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, made = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        takes_strength = _fold(network, plain)
        with _quietly():
            quantize_static(
                plain,
                made,
                _Shown(frames, takes_strength),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["Conv"],
                nodes_to_exclude=_outer(plain),
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={"CalibPercentile": PERCENTILE},
            )
        data = _with_ports_of(onnx.load(str(network)), onnx.load(str(made))).SerializeToString()
    write_whole(path, data)
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The quantiser prints its steps, and advises what was done already."""
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(None):
            yield
    finally:
        logging.disable(logging.NOTSET)


def _fold(network: Path, plain: Path) -> bool:
    """Write the network with its weights as the float32 constants that they become; whether it takes a strength."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(plain)
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    return any(port.name == STRENGTH for port in session.get_inputs())


def _with_ports_of(network: onnx.ModelProto, made: onnx.ModelProto) -> onnx.ModelProto:
    """Declare inputs and outputs as the network does, and no shapes within, so that sizes and batches are as free."""
    for mine, theirs in ((made.graph.input, network.graph.input), (made.graph.output, network.graph.output)):
        del mine[:]
        mine.extend(theirs)
    del made.graph.value_info[:]
    return made


def _outer(network: Path) -> list[str]:
    """The names of the first convolution and the last three of what draws, and of the last of what finds people."""
    layers = [node for node in onnx.load(str(network)).graph.node if node.op_type == "Conv"]
    draws, finds = (
        [node.name for node in layers if node.input[1].startswith("person_") == each] for each in (False, True)
    )
    return [*draws[:1], *draws[-3:], *finds[-1:]]


class _Shown(CalibrationDataReader):
    """Shows frames to the quantiser, one by one."""

    def __init__(self, frames: Sequence[Image], takes_strength: bool) -> None:
        self._frames, self._takes_strength = frames, takes_strength
        self._inputs = self._made()

    def get_next(self) -> dict[str, Any] | None:
        return next(self._inputs, None)

    def _made(self) -> Iterator[dict[str, Any]]:
        for number, frame in enumerate(self._frames):
            edge = min(frame.shape[:2])
            top, left = ((side - edge) // 2 for side in frame.shape[:2])
            middle = cv2.resize(frame[top : top + edge, left : left + edge], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            strength = np.full((1, 1, 1, 1), (1.0, 0.5, 1.5)[number % 3], np.float32)
            yield {FRAME: middle[None]} | ({STRENGTH: strength} if self._takes_strength else {})
