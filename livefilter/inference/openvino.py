"""OpenVINO on the CPU."""

from __future__ import annotations

import importlib
import io
from functools import lru_cache
from pathlib import Path
from typing import Any

from livefilter.errors import BackendUnavailable, StyleCorrupt, install_extra
from livefilter.inference.base import EngineInfo, EngineOptions
from livefilter.inference.checks import corrupt, one_line, require_network, require_size
from livefilter.inference.hardware import describe_cpu
from livefilter.inference.host_engine import HostEngine
from livefilter.inference.ports import PERSON, NetworkPorts, read_ports
from livefilter.styles.network_edit import without_crisp, without_output
from livefilter.styles.network_file import read_network

_PRECISIONS = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
_FIX = install_extra("openvino")


class OpenVINOEngine(HostEngine):
    """OpenVINO on the CPU, in bfloat16 where that computes in it: two to three times as fast as ONNX Runtime there."""

    takes_batches = True
    leaves_crisp = True
    computes_int8 = True

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions | None = None) -> None:
        require_size(width, height)
        missing = self.unavailable()
        if missing:
            raise BackendUnavailable(missing)
        require_network(network)
        options = options or EngineOptions()
        threads = options.threads
        ov = importlib.import_module("openvino")
        model, ports, self.contrast = _read(network, options, width, height)
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        if options.shared:
            settings["ENABLE_CPU_PINNING"] = False
        try:
            compiled = _core().compile_model(model, "CPU", settings)
            precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
            threads = int(compiled.get_property("INFERENCE_NUM_THREADS"))
            self._request: Any = compiled.create_infer_request()
        except Exception as error:
            raise BackendUnavailable(
                f"openvino cannot compile {network.name} for {width}x{height}: {one_line(error)}. "
                "Update it (pip install --upgrade openvino) or use --backend onnxruntime."
            ) from error
        found = "int8" if options.precision == "int8" else _PRECISIONS.get(precision, str(precision))
        self.info = EngineInfo("openvino", describe_cpu(threads), found, width, height)
        self._cancelled = False
        for name, values in self._make_buffers(ports, width, height, options.batch).items():
            self._request.set_tensor(name, ov.Tensor(values, shared_memory=True))

    def _is_open(self) -> bool:
        return self._request is not None

    def _draw(self, strength_changed: bool) -> None:
        if self._cancelled:
            raise RuntimeError("it was cancelled")
        # `infer` would copy the output into a new array each time.
        self._request.start_async()
        self._request.wait()

    def cancel(self) -> None:
        request, self._cancelled = self._request, True
        if request is not None:
            request.cancel()

    def close(self) -> None:
        self._request = None

    @classmethod
    def unavailable(cls) -> str | None:
        try:
            importlib.import_module("openvino")
        except ImportError as error:
            if error.name == "openvino":
                return f"openvino is not installed. Install it: {_FIX}"
            return f"openvino is installed but does not load ({one_line(error)}). Reinstall it: {_FIX}"
        return None


@lru_cache(maxsize=1)
def _core() -> Any:
    """The one `openvino.Core`: it loads the CPU plugin, which every engine then shares."""
    return importlib.import_module("openvino").Core()


def _read(network: Path, options: EngineOptions, width: int, height: int) -> tuple[Any, NetworkPorts, float]:
    """Read the ONNX file at one fixed size; beside it `Engine.contrast`.

    Raises: StyleCorrupt.
    """
    # `Core.read_model` asks every front end in turn, and TensorFlow's writes its complaints to the terminal.
    manager = importlib.import_module("openvino.frontend").FrontEndManager()
    onnx = manager.load_by_framework("onnx")
    data, batch = read_network(network, options.sha256), options.batch
    try:
        data = data if options.people else without_output(data, PERSON)
        data, contrast = without_crisp(data) if options.soft else (data, 0.0)
        model = onnx.convert(onnx.load(io.BytesIO(data)))
        named = [
            [(port.get_any_name(), port.element_type.get_type_name()) for port in side]
            for side in (model.inputs, model.outputs)
        ]
    except Exception as error:
        raise corrupt(network, error) from error
    ports = read_ports(named[0], named[1], "u8", "f32")
    if ports is None:
        raise StyleCorrupt(
            f"Network file {network} is no style: it must take `frame` and give `styled`, both uint8, but it has "
            f"{named[0] + named[1]}. Export it again or choose another style."
        )
    shapes = ports.shapes(width, height, batch)
    try:
        # A network exported for one size may hold that size elsewhere too, so it is not stretched to another.
        if model.inputs[0].partial_shape.is_dynamic or batch > 1:
            model.reshape({name: shapes[name] for name, _ in named[0]})
        found = [list(port.shape) for port in (*model.inputs, *model.outputs)]
    except Exception as error:
        raise corrupt(network, error) from error
    if found != list(shapes.values()):
        raise StyleCorrupt(
            f"Network file {network} is no style for {width}x{height}: it must take and give "
            f"{[batch, height, width, 3]}, but it has {found}. Export it again or choose another style."
        )
    return model, ports, contrast
