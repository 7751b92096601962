"""Does the FP16 network draw what the float32 one draws?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime

from livefilter.errors import BuildFailed
from livefilter.frame import Image
from livefilter.inference.ports import FRAME, STRENGTH, STYLED
from livefilter.tensorrt.half_emulation import emulate_half

LIMIT_LEVELS = 2.0
LIMIT_PSNR_DB = 45.0
_SAME_DB = 100.0  # shown for two equal pictures, whose PSNR is infinite


@dataclass(frozen=True, slots=True)
class PrecisionFigures:
    """The difference of two renderings of one picture.

    picture: what it shows. width, height: pixels.
    levels_p99_9, levels_max: grey levels of 255. psnr_db: decibels, 100 for equal pictures.
    """

    picture: str
    width: int
    height: int
    levels_p99_9: float
    levels_max: float
    psnr_db: float

    @property
    def passed(self) -> bool:
        return self.levels_p99_9 <= LIMIT_LEVELS and self.psnr_db >= LIMIT_PSNR_DB

    def __str__(self) -> str:
        return (
            f"{self.levels_p99_9:.0f} grey levels at the 99.9th percentile (limit {LIMIT_LEVELS:.0f}) and a PSNR of "
            f"{self.psnr_db:.1f} dB (limit {LIMIT_PSNR_DB:.0f}) on the {self.picture} at {self.width}x{self.height}"
        )


def compare_precisions(
    single: onnx.ModelProto,
    half: onnx.ModelProto,
    pictures: Mapping[str, Image],
    before: Callable[[str], None] = lambda _: None,
) -> list[PrecisionFigures]:
    """Run both networks on the CPU and measure every picture; the roundings of FP16 are written out.

    single, half: from `load_network` and `to_half`. pictures: (H, W, 3) uint8 BGR, by name.
    before: told the name of each picture before it is drawn; what it raises ends the comparison.
    Raises: BuildFailed: ONNX Runtime cannot run one of them.
    """
    sessions = [_open(single), _open(emulate_half(half))]
    figures = []
    for name, picture in pictures.items():
        before(name)
        drawn = [_run(session, picture) for session in sessions]
        figures.append(measure(name, drawn[0], drawn[1]))
    return figures


def measure(name: str, wanted: Image, drawn: Image) -> PrecisionFigures:
    """The figures of two pictures of the same shape."""
    difference = np.abs(wanted.astype(np.int16) - drawn.astype(np.int16))
    error = float(np.mean(np.square(difference.astype(np.float64))))
    psnr = _SAME_DB if error == 0 else min(_SAME_DB, 10 * float(np.log10(255.0**2 / error)))
    # "higher" gives a level that occurs, not one between two.
    tail = float(np.percentile(difference, 99.9, method="higher"))
    return PrecisionFigures(name, wanted.shape[1], wanted.shape[0], tail, float(difference.max()), psnr)


def require_same_picture(style: str, figures: list[PrecisionFigures]) -> None:
    """Accept only figures within the limits.

    Raises: BuildFailed: names the worst.
    """
    failed = [figure for figure in figures if not figure.passed]
    if failed:
        worst = min(failed, key=lambda figure: figure.psnr_db)
        raise BuildFailed(
            f"{style} does not survive FP16: it differs from float32 by {worst}. Build it with --precision fp32."
        )


def _open(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise BuildFailed(
            f"ONNX Runtime cannot load the network for the FP16 check: {error}".splitlines()[0]
        ) from error


def _run(session: onnxruntime.InferenceSession, picture: Image) -> Image:
    try:
        given = {FRAME: picture[None]}
        if any(port.name == STRENGTH for port in session.get_inputs()):
            given[STRENGTH] = np.ones((1, 1, 1, 1), np.float32)
        styled: Image = session.run([STYLED], given)[0][0]
    except Exception as error:
        raise BuildFailed(f"ONNX Runtime cannot run the network for the FP16 check: {error}".splitlines()[0]) from error
    return styled
