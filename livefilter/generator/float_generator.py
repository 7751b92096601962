"""An ONNX generator as others publish it: RGB float in [-1, 1] in and out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.inference.checks import one_line
from livefilter.inference.providers import CPU, create_session, quiet_options
from livefilter.styles.network_file import MOST_BYTES, external_files, files_beside
from livefilter.text import printable
from livefilter.whole_file import read_plain

_FLOATS = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16}
_NEEDED = "A generator takes and gives one RGB picture, float [1, height, width, 3] or [1, 3, height, width]"


@dataclass(frozen=True)
class FloatGenerator:
    """A generator's graph and what its ports are.

    channels_last: NHWC in and out, otherwise NCHW. half: the ports are float16, otherwise float32.
    size: (width, height) in pixels where the file holds a fixed one.
    """

    model: onnx.ModelProto
    input_name: str
    output_name: str
    channels_last: bool
    half: bool
    size: tuple[int, int] | None

    @property
    def description(self) -> str:
        """What was found, in a few words."""
        kind = "float16" if self.half else "float32"
        layout = "NHWC" if self.channels_last else "NCHW"
        exporter = printable(self.model.producer_name)[:60] or "an unnamed exporter"
        return f"an ONNX generator, {kind} {layout}, by {exporter}"

    def open(self) -> Drawing:
        """Open the graph as it is, to draw with it.

        Raises: InvalidInput: a clause for after the file's name.
        """
        try:
            session = create_session(self.model.SerializeToString(), quiet_options(), [(CPU, {})])
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise InvalidInput(f"cannot be opened by ONNX Runtime: {one_line(error)}.") from error
        return Drawing(self, session)


class Drawing:
    """Draws with a generator through ONNX Runtime, as its authors would."""

    def __init__(self, generator: FloatGenerator, session: Any) -> None:
        self._generator = generator
        self._session = session

    def values(self, image: Image) -> npt.NDArray[np.float32]:
        """What the generator gives for a picture, before anything is clipped.

        image: (H, W, 3) uint8 BGR.
        Returns: (H, W, 3) RGB.
        Raises: InvalidInput: a clause for after the file's name, that says why it cannot draw at this size.
        """
        height, width = image.shape[:2]
        given = (image[None, :, :, ::-1].astype(np.float32) / 127.5 - 1.0).astype(self._dtype)
        if not self._generator.channels_last:
            given = given.transpose(0, 3, 1, 2)
        try:
            (drawn,) = self._session.run(
                [self._generator.output_name], {self._generator.input_name: np.ascontiguousarray(given)}
            )
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise InvalidInput(f"cannot draw a picture of {width}x{height}: {one_line(error)}.") from error
        if drawn.shape != given.shape:
            raise InvalidInput(f"makes {list(drawn.shape)} of {list(given.shape)}, and not a picture of the same size.")
        return np.asarray(drawn[0] if self._generator.channels_last else drawn[0].transpose(1, 2, 0), np.float32)

    def __call__(self, image: Image) -> Image:
        """The styled picture, (H, W, 3) uint8 BGR. Raises: as `values`."""
        levels = (self.values(image)[:, :, ::-1] + 1.0) * 127.5
        return np.asarray(np.rint(np.clip(levels, 0.0, 255.0)), np.uint8)

    @property
    def _dtype(self) -> type[np.floating[Any]]:
        return np.float16 if self._generator.half else np.float32


def read_generator(path: Path) -> FloatGenerator:
    """Read and check an ONNX file; nothing outside it is read.

    Raises: InvalidInput: the file cannot be read, or is no generator; says what was found.
    """
    model = read_onnx(path)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [port for port in model.graph.input if port.name not in constants]
    outputs = list(model.graph.output)
    shown = f"{path} takes {_shown(inputs)} and gives {_shown(outputs)}. {_NEEDED}"
    if len(inputs) != 1 or len(outputs) != 1:
        raise InvalidInput(f"{shown}.")
    (taken,), (given,) = inputs, outputs
    if {kind := taken.type.tensor_type.elem_type, given.type.tensor_type.elem_type} - set(_FLOATS):
        raise InvalidInput(f"{shown}.")
    shape = _shape(taken)
    if len(shape) != 4 or 3 not in (shape[1], shape[3]) or shape[0] not in (1, None):
        raise InvalidInput(f"{shown}.")
    if kind != given.type.tensor_type.elem_type:
        raise InvalidInput(f"{shown}, of one type.")
    channels_last = shape[3] == 3
    height, width = shape[1:3] if channels_last else shape[2:4]
    if (height is None) != (width is None):
        raise InvalidInput(f"{shown}, with both sides fixed or both free.")
    size = None if height is None or width is None else (width, height)
    if size is not None and (size[0] % 8 or size[1] % 8):
        raise InvalidInput(
            f"{path} takes pictures of {size[0]}x{size[1]} only, and engines run at multiples of 8. "
            "Export it for another size, or for any."
        )
    return FloatGenerator(model, taken.name, given.name, channels_last, kind == TensorProto.FLOAT16, size)


def read_onnx(path: Path) -> onnx.ModelProto:
    """Read an ONNX file and check its structure; weights in plainly named files beside it are taken into the model.

    Raises: InvalidInput: it is no ONNX file, or keeps weights elsewhere.
    """
    try:
        data = read_plain(path, MOST_BYTES)
        beside = files_beside(path, external_files(data))
        model = onnx.load_model_from_string(data)
        if beside:
            onnx.load_external_data_for_model(model, str(path.parent))
    except (InvalidInput, MemoryError):
        raise
    except FileNotFoundError as error:
        raise InvalidInput(f"The file {path} does not exist. Check the name.") from error
    except Exception as error:  # protobuf and the file system raise kinds of their own
        raise InvalidInput(f"{path} is no ONNX file, or is damaged ({one_line(error)}). Get it again.") from error
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        raise InvalidInput(f"{path} is no sound ONNX file: {one_line(error)}.") from error
    return model


def _shape(port: onnx.ValueInfoProto) -> list[int | None]:
    return [axis.dim_value or None for axis in port.type.tensor_type.shape.dim]


def _shown(ports: list[onnx.ValueInfoProto]) -> str:
    names = []
    for port in ports:
        kind = TensorProto.DataType.Name(port.type.tensor_type.elem_type).lower()
        names.append(f"{kind} [{', '.join(str(side or '?') for side in _shape(port))}]")
    return " and ".join(names) or "nothing"
