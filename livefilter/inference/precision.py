"""Which form of a network runs: INT8 is twice as fast on processors that multiply bytes, and looks the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from livefilter.errors import BackendUnavailable
from livefilter.inference.base import EngineOptions, Precision
from livefilter.inference.hardware import multiplies_bytes
from livefilter.styles.network import Network

_FLOAT = "Use --precision auto or float."


def decided(engine: Any, precision: Precision) -> Precision:
    """What a precision stands for with an engine on this machine: "int8" or "float".

    engine: a class of `Engine`, or what stands in for one.
    Raises: BackendUnavailable: INT8 is asked for where it cannot be had.
    """
    able = bool(getattr(engine, "computes_int8", False))
    if precision == "int8":
        if not able:
            raise BackendUnavailable(f"INT8 runs on processors only, with onnxruntime and openvino. {_FLOAT}")
        if not multiplies_bytes():
            raise BackendUnavailable(
                f"This processor has no instructions for INT8 (VNNI), and without them it draws wrong. {_FLOAT}"
            )
    return "int8" if precision != "float" and able and multiplies_bytes() else "float"


def form_of(network: Path | Network, engine: Any, options: EngineOptions) -> tuple[Path, EngineOptions]:
    """The file that an engine is to run, and its options with that file's SHA-256 and what its precision is.

    network: of a style; a bare path is taken as it is. A network without an INT8 form, as imported ones are, stays in
    floating point.
    Raises: as `decided`.
    """
    precision = decided(engine, options.precision)
    if not isinstance(network, Network):
        return network, replace(options, precision="float")
    if precision == "int8" and network.int8_path is not None:
        return network.int8_path, replace(options, sha256=network.int8_sha256, precision="int8")
    return network.path, replace(options, sha256=network.sha256, precision="float")
