"""What TensorRT made of a network: layers, formats and precisions of a plan."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from livefilter.errors import BackendUnavailable, EngineMismatch
from livefilter.inference.cuda import Cuda, open_cuda
from livefilter.inference.hardware import find_gpu
from livefilter.tensorrt.flavour import Flavour

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer: its name and kind, and format, precision and shape of what goes in and comes out."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def inspect_plan(
    flavour: Flavour, plan: bytes, gpu: int = 0, cuda: Callable[[int], Cuda] = open_cuda
) -> tuple[str, list[LayerFacts]]:
    """Load a plan, which `EngineStore.load` or a fault-free StoredEngine vouches for, and ask TensorRT's inspector.

    gpu: the number of the one that loads it. cuda: opens it.
    Returns: that GPU in words, and the layers.
    Raises: BackendUnavailable: there is no such GPU, without which TensorRT loads no plan, or no package that opens it.
        EngineMismatch: it refuses the plan.
    """
    found = find_gpu(gpu)
    if isinstance(found, str):  # ask first: without a driver TensorRT's runtime can crash
        raise BackendUnavailable(f"An engine's layers can be read only on an NVIDIA GPU, but {found}.")
    module, device = flavour.load(), f"{found.name} (GPU {gpu})"
    with contextlib.closing(cuda(gpu)) as opened, opened.current():
        told = _told_of(module, plan)
    if told is None:
        raise EngineMismatch(
            f"{flavour.title} on {device} does not load this plan. Name the GPU that it was built for with --gpu, or "
            "build it again."
        )
    return device, parse_layers(told)


def _told_of(module: Any, plan: bytes) -> str | None:
    """The inspector's JSON; None for a plan that is not loaded. TensorRT's objects end with the call."""
    if TYPE_CHECKING:
        import tensorrt as trt
    else:
        trt = module

    class Logger(trt.ILogger):
        """Keeps TensorRT's messages off the screen."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
            _log.debug("%s: %s", trt.__name__, msg)

    logger = Logger()
    runtime = trt.Runtime(logger)
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        return None
    return engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)


def parse_layers(text: str) -> list[LayerFacts]:
    """Read the inspector's JSON, whose layers are objects, or only names where the plan holds no details."""
    layers = []
    for layer in json.loads(text).get("Layers", []):
        if isinstance(layer, str):
            layers.append(LayerFacts(layer, "", (), ()))
            continue
        layers.append(
            LayerFacts(
                str(layer.get("Name", "")),
                str(layer.get("LayerType", "")),
                tuple(_tensor(entry) for entry in layer.get("Inputs", [])),
                tuple(_tensor(entry) for entry in layer.get("Outputs", [])),
            )
        )
    return layers


def _tensor(entry: dict[str, Any]) -> str:
    shape = "x".join(str(size) for size in entry.get("Dimensions", []))
    return f"{entry.get('Format/Datatype', entry.get('Format', '?'))} {shape}".strip()
