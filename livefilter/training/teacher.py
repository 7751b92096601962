"""The teacher: a published generator that shows the student what to draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livefilter.errors import InvalidInput
from livefilter.frame import Image


class Teacher:
    """A float32 RGB NHWC generator in [-1, 1] (AnimeGANv3 and White-box as published), run on uint8 BGR pictures.

    A generator of one fixed size draws smaller pictures with a margin of their mirror image, which is cut off.

    `runtime` is "onnxruntime" or "openvino"; the second computes in bfloat16 and is about four times as fast on
    processors that have it. AnimeGANv3's drawings stay the same (mean difference 0.2 grey levels), White-box's get
    rough.

    Raises: InvalidInput: the file is missing, is no ONNX generator, or the runtime is not installed.
    """

    def __init__(self, path: Path, runtime: str = "onnxruntime") -> None:
        if not path.is_file():
            raise InvalidInput(f"The teacher {path} does not exist. Name an ONNX generator with --teacher.")
        try:
            if runtime == "openvino":
                self._run, shape = _openvino(path)
            elif runtime == "onnxruntime":
                self._run, shape = _onnxruntime(path)
            else:
                raise InvalidInput(f"Unknown teacher runtime {runtime!r}: use onnxruntime or openvino.")
        except ImportError as error:
            raise InvalidInput(f"{runtime} is not installed ({error}). Install it: pip install {runtime}") from error
        except RuntimeError as error:
            raise InvalidInput(f"The teacher {path} cannot be loaded: {error}") from error
        fixed = all(isinstance(side, int) and side > 0 for side in shape[1:3])
        self._size: tuple[int, int] | None = (shape[1], shape[2]) if fixed else None

    def draw(self, picture: Image) -> Image:
        """Style one picture.

        Args:
            picture: (H, W, 3) uint8 BGR, H and W multiples of 32.

        Returns: (H, W, 3) uint8 BGR, owned by the caller.

        Raises: InvalidInput: the picture is larger than the generator's fixed size.
        """
        height, width = picture.shape[:2]
        full = self._size or (height, width)
        if height > full[0] or width > full[1]:
            raise InvalidInput(f"This teacher draws {full[1]}x{full[0]} at most. Use scales like 768:{min(full)}.")
        margin = [(0, full[0] - height), (0, full[1] - width), (0, 0)]
        values = np.pad(picture, margin, "symmetric")[None, :, :, ::-1].astype(np.float32) / 127.5 - 1.0
        styled = self._run(np.ascontiguousarray(values))[0][:height, :width]
        levels = np.clip((styled[:, :, ::-1] + 1.0) * 127.5, 0.0, 255.0)
        return np.asarray(np.rint(levels), dtype=np.uint8)


def _onnxruntime(path: Path) -> tuple[Any, list[Any]]:
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no public base class
        raise RuntimeError(str(error)) from error
    entry = session.get_inputs()[0]
    return lambda values: session.run(None, {entry.name: values})[0], list(entry.shape)


def _openvino(path: Path) -> tuple[Any, list[Any]]:
    import openvino

    core = openvino.Core()
    network = core.read_model(str(path))
    shape = [dimension.get_length() if dimension.is_static else None for dimension in network.input(0).partial_shape]
    compiled: dict[tuple[int, ...], Any] = {}

    def run(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        # A fixed shape is far faster than a dynamic one, and photos come in few shapes.
        if values.shape not in compiled:
            network.reshape(list(values.shape))
            compiled[values.shape] = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
        return np.asarray(compiled[values.shape](values)[0], dtype=np.float32)

    return run, shape
