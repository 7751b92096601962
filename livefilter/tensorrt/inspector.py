"""What TensorRT made of a network: layers, formats and precisions of a plan."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from livefilter.errors import BackendUnavailable, EngineMismatch
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


def inspect_plan(flavour: Flavour, plan: bytes) -> list[LayerFacts]:
    """Load a plan, which `EngineStore.load` or a fault-free StoredEngine vouches for, and ask TensorRT's inspector.

    Raises: BackendUnavailable: there is no GPU, without which TensorRT loads no plan. EngineMismatch: it refuses it.
    """
    found = find_gpu()
    if isinstance(found, str):  # ask first: without a driver TensorRT's runtime can crash
        raise BackendUnavailable(f"An engine's layers can be read only on an NVIDIA GPU, but {found}.")
    if TYPE_CHECKING:
        import tensorrt as trt
    else:
        trt = flavour.load()

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
        raise EngineMismatch(f"{flavour.title} on {found.name} does not load this plan. Build it again.")
    return parse_layers(engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON))


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
