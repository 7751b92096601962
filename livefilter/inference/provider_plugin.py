"""ONNX Runtime's TensorRT-RTX provider: a plugin in a package of its own, which any ONNX Runtime since 1.24 loads."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from typing import Any

import onnxruntime as ort

from livefilter.inference.checks import one_line

PROVIDER = "NvTensorRTRTXExecutionProvider"
PACKAGE = "onnxruntime_ep_nv_tensorrt_rtx"
# NVIDIA's notes: not beside onnxruntime-gpu, which is another build of the same module.
FIX = (
    "pip uninstall -y onnxruntime-gpu && "
    'pip install --force-reinstall "onnxruntime>=1.24,<2" "onnxruntime-ep-nv-tensorrt-rtx>=0.5,<1"'
)


@cache
def plugin_failure(backend: str) -> str | None:
    """Load the plugin, once, and say why it does not load or finds no GPU, with the fix; None when it does.

    Ask only where there is an NVIDIA driver: the plugin links to it.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        return f"{backend} is not installed ({PACKAGE.replace('_', '-')} is missing). Install it: {FIX}"
    if not hasattr(ort, "register_execution_provider_library"):
        return f"{backend} needs ONNX Runtime 1.24 or later, and this is {ort.__version__}. Install it: {FIX}"
    try:
        plugin: Any = importlib.import_module(PACKAGE)
        ort.register_execution_provider_library(PROVIDER, plugin.get_library_path())
    except Exception as error:  # of the plugin, of the linker and of ONNX Runtime
        return f"{backend} does not load: {one_line(error)}. Install it again: {FIX}"
    if not plugin_devices():
        return (
            f"{backend} finds no GPU that it supports: it needs a GeForce RTX 30 or RTX PRO, or later, and driver 580 "
            "or later. Update the driver, or use --backend onnxruntime-cuda."
        )
    return None


def plugin_devices() -> list[Any]:
    """The GPUs that the plugin, once loaded, offers to run on; in its own order."""
    return [device for device in ort.get_ep_devices() if device.ep_name == PROVIDER]
