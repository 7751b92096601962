"""The loop people write today: read, infer, send in one thread, with float scaling in numpy."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.bench.float_network import INPUT, float_network
from livefilter.bench.recorder import Recorder
from livefilter.bench.source import PreloadedSource
from livefilter.errors import EndOfStream, EngineError, EngineFailed
from livefilter.frame import Image
from livefilter.inference.base import EngineInfo
from livefilter.output.base import Sink

_Network: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]

_PROVIDERS = {
    "onnxruntime": "CPUExecutionProvider",
    "onnxruntime-cuda": "CUDAExecutionProvider",
    "onnxruntime-tensorrt": "TensorrtExecutionProvider",
    "onnxruntime-directml": "DmlExecutionProvider",
    "onnxruntime-coreml": "CoreMLExecutionProvider",
}
# Rounding differs between the two paths: bytes are truncated here, so one level is expected and two are allowed.
_MOST_LEVELS = 2.0


class NaiveLoop:
    """The same weights at the same size in the same runtime, with that runtime's default options.

    network: the style's own ONNX file. engine: what the pipeline runs it on.
    Raises: BackendUnavailable, StyleCorrupt, InvalidInput: see `float_network`.
    """

    def __init__(self, network: Path, engine: EngineInfo) -> None:
        self._size = (engine.width, engine.height)
        self._precision = engine.precision
        try:
            self._infer: _Network = _open(network, engine)
        except EngineError:
            raise
        except ImportError as error:
            raise EngineFailed(f"The naive loop cannot run on {engine.backend}: {error}.") from error

    def style(self, image: Image, recorder: Recorder | None = None) -> Image:
        """Style one frame; (H, W, 3) uint8 BGR in and out."""
        started = time.perf_counter()
        size = (image.shape[1], image.shape[0])
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        if size != self._size:
            rgb = cv2.resize(rgb, self._size)
        given = (rgb.astype(np.float32) / 127.5 - 1.0)[None]
        prepared = time.perf_counter()
        result = self._infer(given)
        run = time.perf_counter()
        levels = np.clip((result[0] + 1.0) * 127.5, 0, 255).astype(np.uint8)
        styled = cv2.cvtColor(levels, cv2.COLOR_RGB2BGR)
        if size != self._size:
            styled = cv2.resize(styled, size)
        done = time.perf_counter()
        if recorder is not None:
            recorder.note("preprocess", prepared - started)
            recorder.note("inference", run - prepared)
            recorder.note("postprocess", done - run)
        return np.asarray(styled, np.uint8)

    def run(self, source: PreloadedSource, sink: Sink, recorder: Recorder, stop: threading.Event) -> None:
        """Read, style and send until `stop` is set or the source is closed."""
        while not stop.is_set():
            try:
                frame = source.read()
            except EndOfStream:
                return
            sink.send(replace(frame, image=self.style(frame.image, recorder)))
            recorder.count("styled")
            source.request()

    def require_same(self, image: Image, engine: Callable[[Image], Image]) -> float:
        """Compare with the engine's own picture, so that no race is run against another network.

        image: (H, W, 3) uint8 BGR. engine: styles a frame of the engine's size.
        Returns: the difference in grey levels, largest for float32 and mean for anything less exact.
        Raises: EngineFailed: the pictures differ.
        """
        given = np.ascontiguousarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        difference = np.abs(self.style(given).astype(np.int16) - engine(given).astype(np.int16))
        exact = self._precision in ("float32", "uint8")
        levels = float(difference.max() if exact else difference.mean())
        if levels > _MOST_LEVELS:
            raise EngineFailed(
                f"The naive loop draws another picture than the pipeline ({levels:.1f} grey levels apart, "
                f"{_MOST_LEVELS:.0f} allowed), so it is no comparison. Leave out --against."
            )
        return levels


def _open(network: Path, engine: EngineInfo) -> _Network:
    if engine.backend == "identity":
        return lambda given: given
    data = float_network(network, engine.width, engine.height)
    try:
        return _open_openvino(data) if engine.backend == "openvino" else _open_onnxruntime(data, engine.backend)
    except ImportError:
        raise
    except Exception as error:
        raise EngineFailed(f"The naive loop cannot open {network.name} on {engine.backend}: {error}.") from error


def _open_onnxruntime(data: bytes, backend: str) -> _Network:
    runtime: Any = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(data, providers=[_PROVIDERS[backend]])

    def infer(given: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run(None, {INPUT: given})[0])

    return infer


def _open_openvino(data: bytes) -> _Network:
    openvino: Any = importlib.import_module("openvino")
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(data), "CPU")

    def infer(given: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(compiled(given)[0])

    return infer
