"""A trained generator from outside, made into a style's network and compared with what it came from."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import onnx

from livefilter.errors import EngineError, InvalidInput, install_extra
from livefilter.frame import Image
from livefilter.generator.float_generator import Drawing, read_generator, read_onnx
from livefilter.generator.onnx_cost import macs_per_pixel, parameters
from livefilter.generator.onnx_network import FRAME, STYLED, load_network
from livefilter.generator.wrapping import wrap
from livefilter.styles.accepts import Accepts
from livefilter.tensorrt.check_pictures import check_pictures

# As generator.checkpoint.SUFFIXES, which needs PyTorch.
_CHECKPOINTS = (".pt", ".pth", ".ckpt", ".safetensors")
_MULTIPLES = (8, 16, 32, 64)
_CHECKED = (192, 128)  # width and height, multiples of every one of them
_OVERSHOOT = 3.0
_LIMIT_LEVELS = 1
# livefilter's own networks are stored in half precision.
_LIMIT_STORED_HALF = 3


class Runner(Protocol):
    """An engine, as livefilter.inference.base.Engine is."""

    def run(self, image: Image) -> Image: ...

    def close(self) -> None: ...


OpenEngine = Callable[[Path, int, int], Runner]


@dataclass(frozen=True)
class ImportedGenerator:
    """A network that is ready to become a style's.

    found: what the file was, in a few words. data: the ONNX file, uint8 BGR in and out. accepts: its sizes of frames.
    parameters, macs_per_pixel: as on a card. difference_levels: the largest, to the original on a test picture.
    run_s, run_size: what the test run took, at which width and height.
    """

    found: str
    data: bytes
    accepts: Accepts
    parameters: int
    macs_per_pixel: int
    difference_levels: int
    run_s: float
    run_size: tuple[int, int]


def import_generator(path: Path, open_engine: OpenEngine) -> ImportedGenerator:
    """Read a generator, wrap it, run it and compare it with what it came from.

    path: ONNX with RGB float or a style's own uint8 ports, or a checkpoint (.pt, .pth, .ckpt, .safetensors).
    open_engine: runs the wrapped network once, as a live run would.
    Raises: InvalidInput: it is no generator, or draws something else once it is wrapped; says what was found.
    """
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return _from_onnx(path, open_engine)
    if suffix in _CHECKPOINTS:
        return _from_checkpoint(path, open_engine)
    raise InvalidInput(
        f"{path} is no kind of file that holds a generator. Name an ONNX file (.onnx) or a checkpoint "
        f"({', '.join(_CHECKPOINTS)})."
    )


def _from_checkpoint(path: Path, open_engine: OpenEngine) -> ImportedGenerator:
    try:
        from livefilter.generator.checkpoint import read_checkpoint
    except ImportError as error:
        raise InvalidInput(
            f"{path} is a checkpoint of PyTorch, which is not installed ({error}): {install_extra('training')}. "
            "ONNX files need no PyTorch."
        ) from error
    checkpoint = read_checkpoint(path)
    limit = _LIMIT_STORED_HALF if checkpoint.bgr else _LIMIT_LEVELS
    wrapped = checkpoint.to_onnx()
    return _checked(path, wrapped, checkpoint, checkpoint.description, Accepts(), open_engine, limit)


def _from_onnx(path: Path, open_engine: OpenEngine) -> ImportedGenerator:
    model = read_onnx(path)
    graph = model.graph
    if {FRAME, STYLED} <= {port.name for port in (*graph.input, *graph.output)}:
        load_network(path)  # checks the ports
        accepts = Accepts(size=_own_size(graph))
        return _checked(path, model, None, "a style's network", accepts, open_engine, 0)
    found = read_generator(path)
    try:
        drawing = found.open()
        accepts = Accepts(size=found.size) if found.size else Accepts(_multiple(drawing))
        _require_range(drawing, accepts)
        wrapped = wrap(found)
    except InvalidInput as error:
        raise InvalidInput(f"{path}, {found.description}, {error}") from error
    return _checked(path, wrapped, drawing, found.description, accepts, open_engine, _LIMIT_LEVELS)


def _multiple(drawing: Drawing) -> int:
    """The smallest multiple of 8 that both sides must be of."""
    trouble: InvalidInput | None = None
    for multiple in _MULTIPLES:
        # Odd multiples of it, so that one that needs twice as much cannot pass.
        half = max(1, 48 // multiple)
        width, height = (2 * half + 1) * multiple, (2 * half + 3) * multiple
        try:
            drawing.values(np.full((height, width, 3), 127, np.uint8))
        except InvalidInput as error:
            trouble = trouble or error
        else:
            return multiple
    raise trouble or InvalidInput("draws at no size.")


def _require_range(drawing: Drawing, accepts: Accepts) -> None:
    values = drawing.values(_pictures(accepts)["colour ramp"])
    lowest, highest = float(values.min()), float(values.max())
    if not np.isfinite(values).all():
        raise InvalidInput("gives numbers that are not finite for a plain picture.")
    # Some generators overshoot [-1, 1] a little; one that never goes below 0 for a ramp from black counts otherwise.
    if highest > _OVERSHOOT or lowest < -_OVERSHOOT or lowest >= 0:
        raise InvalidInput(
            f"gives values from {lowest:.2f} to {highest:.2f} for a picture from black to white, and a generator's go "
            "from -1 to 1. Export it with that range in and out."
        )


def _pictures(accepts: Accepts) -> dict[str, Image]:
    return check_pictures(*(accepts.size or _CHECKED))


def _checked(
    path: Path,
    model: onnx.ModelProto,
    original: Callable[[Image], Image] | None,
    found: str,
    accepts: Accepts,
    open_engine: OpenEngine,
    limit: int,
) -> ImportedGenerator:
    """Run the network on pictures, compare it with `original`, and count what it costs."""
    pictures = _pictures(accepts)
    height, width = pictures["photo"].shape[:2]
    data = model.SerializeToString()
    difference, run_s = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        file.write_bytes(data)
        try:
            engine = open_engine(file, width, height)
            try:
                for name in ("photo", "colour ramp"):
                    started = time.perf_counter()
                    drawn = engine.run(pictures[name]).astype(np.int16)
                    run_s = time.perf_counter() - started  # of the second, as the first warms up
                    if original is not None:
                        difference = max(difference, int(np.abs(drawn - original(pictures[name])).max()))
            finally:
                engine.close()
        except EngineError as error:
            reason = str(error).replace(str(file), "it")
            raise InvalidInput(f"{path}, {found}, does not run as a style: {reason}") from error
    if difference > limit:
        raise InvalidInput(
            f"{path}, {found}, draws something else once it takes and gives bytes: {difference} grey levels away on a "
            f"test picture, and {limit} are allowed. Please report it with the file's origin."
        )
    macs = macs_per_pixel(model, pictures["photo"])
    return ImportedGenerator(found, data, accepts, parameters(model), macs, difference, run_s, (width, height))


def _own_size(graph: onnx.GraphProto) -> tuple[int, int] | None:
    height, width = (axis.dim_value for axis in graph.input[0].type.tensor_type.shape.dim[1:3])
    return (width, height) if width and height else None
