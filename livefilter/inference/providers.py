"""Which execution providers of ONNX Runtime can really run here."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
from functools import cache
from typing import Any

import numpy as np
import onnxruntime as ort

from livefilter.inference import provider_plugin
from livefilter.inference.checks import one_line

_log = logging.getLogger(__name__)

# The environment variable that livefilter.quiet sets is for Linux and macOS; on Windows these are trace events.
ort.disable_telemetry_events()

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
TENSORRT_RTX = provider_plugin.PROVIDER
DIRECTML = "DmlExecutionProvider"
COREML = "CoreMLExecutionProvider"

# Every build of ONNX Runtime owns the same folder; with two installed, one is half overwritten, so both go first.
CPU_FIX = "pip install --force-reinstall onnxruntime"
CUDA_FIX = 'pip uninstall -y onnxruntime onnxruntime-gpu && pip install "onnxruntime-gpu[cuda,cudnn]"'
TENSORRT_FIX = f'{CUDA_FIX} && pip install "tensorrt-cu13>=10,<11"'
DIRECTML_FIX = "pip uninstall -y onnxruntime onnxruntime-directml && pip install onnxruntime-directml"

# An ONNX model of one Identity node (float32, one number): enough to make a provider start.
_TINY_MODEL = bytes.fromhex(
    "080812003a370a100a016112016222084964656e746974791201675a0f0a0161120a0a08080112040a020801"
    "620f0a0162120a0a08080112040a02080142040a00100d"
)

# An ONNX model of one MatMulInteger node: uint8 (16, 64) by int8 (64, 16).
_BYTE_PRODUCTS = bytes.fromhex(
    "08083a600a180a01610a0162120163220d4d61744d756c496e7465676572120562797465735a130a0161120e"
    "0a0c080212080a0208100a0208405a130a0162120e0a0c080312080a0208400a02081062130a0163120e0a0c"
    "080612080a0208100a02081042040a001011"
)


def not_installed(backend: str, provider: str, fix: str) -> str | None:
    """Why the installed ONNX Runtime lacks `provider`, with the fix; None when it was built with it."""
    if provider in ort.get_available_providers():
        return None
    return f"{backend} is not in the installed ONNX Runtime {ort.__version__} (no {provider}). Install it: {fix}"


def run_options() -> Any:
    """Options for `run`, whose `terminate` ends one that another thread waits in."""
    return ort.RunOptions()


@cache
def start_failure(backend: str, provider: str, fix: str) -> str | None:
    """Start `provider` on a tiny graph and say why it does not start, with the fix; None when it does.

    A provider that is listed may still lack its libraries. Ask only where a device exists: then the libraries that
    this loads are needed a moment later anyway.
    """
    load_nvidia_libraries(tensorrt=provider == TENSORRT)
    options: dict[str, str] = {"trt_min_subgraph_size": "1000"} if provider == TENSORRT else {}  # builds no engine
    try:
        session = create_session(_TINY_MODEL, quiet_options(), [(provider, options)])
    except Exception as error:
        return f"{backend} does not start: {one_line(error)}. Install what it needs: {fix}"
    if provider not in session.get_providers():
        return f"{backend} does not start: its CUDA libraries are missing or do not fit the driver. Install them: {fix}"
    return None


def load_nvidia_libraries(tensorrt: bool) -> None:
    """Load CUDA, cuDNN and TensorRT from their Python packages, where they lie outside the system's search path."""
    if hasattr(ort, "preload_dlls"):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):  # it prints what it misses; start_failure says it better
            ort.preload_dlls()
        _log.debug("preload_dlls: %s", said.getvalue())
    if tensorrt:
        with contextlib.suppress(ImportError):  # the system's own TensorRT may serve
            importlib.import_module("tensorrt")


def sums_bytes_exactly() -> bool:
    """Whether the largest products of bytes are summed right on this processor.

    ONNX Runtime takes VNNI wherever a processor has it, AVX-512 or not, and of x86 without it adds pairs in 16 bits,
    which overflow.
    """
    session = create_session(_BYTE_PRODUCTS, quiet_options(), [(CPU, {})])
    most = {"a": np.full((16, 64), 255, np.uint8), "b": np.full((64, 16), 127, np.int8)}
    return bool((session.run(None, most)[0] == 64 * 255 * 127).all())


def quiet_options() -> Any:
    """Session options without log lines: what matters arrives as an exception, the rest would garble the screen."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    return options


def create_session(network: str | bytes, options: Any, providers: list[tuple[str, dict[str, str]]]) -> Any:
    """Open a session that raises where ONNX Runtime would otherwise retry on the CPU.

    The option "device_id" of a plugin's provider chooses among its devices.
    """
    ort.set_default_logger_severity(4)  # loading a provider is logged outside the session's own options
    name, chosen = providers[0]
    if name == TENSORRT_RTX:
        devices = provider_plugin.plugin_devices()
        number = int(chosen.get("device_id", "0"))
        if number >= len(devices):
            raise ValueError(f"it offers no GPU {number}: the last one is {len(devices) - 1}")
        options.add_provider_for_devices([devices[number]], {k: v for k, v in chosen.items() if k != "device_id"})
        providers = []
    session = ort.InferenceSession(network, options, providers=providers or None, enable_fallback=0)
    session.disable_fallback()
    return session
