"""Where NV12 may be asked for."""

from __future__ import annotations

from livefilter.config import Config
from livefilter.errors import InvalidInput
from livefilter.inference.look import ComposingEngine
from livefilter.output import resolve_output
from livefilter.registry import ENGINES


def require_nv12(config: Config, backend: str, width: int, height: int) -> None:
    """NV12 is of use only from a GPU to a virtual camera: everything else would have to turn it into BGR again.

    backend: the one that the run aims at. width, height: of the frames.
    Raises: InvalidInput: says what is in the way.
    """
    others = [output for output in config.output if output == "auto" or resolve_output(output)[0] != "camera"]
    if others:
        raise InvalidInput(
            f"NV12 goes to virtual cameras alone, and not to {', '.join(others)}. Use --output camera, or leave out "
            "--nv12."
        )
    if not issubclass(ENGINES.load(backend), ComposingEngine):
        raise InvalidInput(
            f"NV12 is made by the backends tensorrt, tensorrt-rtx and torch, and this run uses {backend}. Leave out "
            "--nv12, or choose one of them with --backend."
        )
    if width % 2 or height % 2:
        raise InvalidInput(
            f"Frames of {width}x{height} cannot be NV12, which counts colour in pairs of pixels. Leave out --nv12."
        )
