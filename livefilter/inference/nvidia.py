"""What the NVIDIA driver says of a GPU: the part of an engine's key that belongs to the machine."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import Any

from livefilter.inference.hardware import find_nvidia_gpu

TURING = 7, 5  # the oldest compute capability that TensorRT 10 and later support
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that engines can be built for.

    name: as the driver names it. capability: compute capability, such as "8.9". driver: version, such as "580.95.05".
    """

    name: str
    capability: str
    driver: str


# Engines for TensorRT-RTX can be built without a GPU; they then fit every GPU that it supports but for Turing's.
NO_GPU = Gpu("none", "any", "none")


def find_gpu(index: int = 0) -> Gpu | str:
    """The GPU of that number, or the reason in plain words why there is none."""
    first = find_nvidia_gpu()
    if isinstance(first, str):
        return first
    driver: Any = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    count, device = ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    if not 0 <= index < count.value or driver.cuDeviceGet(ctypes.byref(device), index) != 0:
        return f"the NVIDIA driver has no GPU {index}: the last one is {count.value - 1}"
    name = ctypes.create_string_buffer(128)
    driver.cuDeviceGetName(name, len(name), device)
    numbers = []
    for attribute in (_MAJOR, _MINOR):
        value = ctypes.c_int()
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        numbers.append(str(value.value))
    return Gpu(name.value.decode(errors="replace") or "NVIDIA GPU", ".".join(numbers), _driver_version(first.cuda))


def _driver_version(cuda: str) -> str:
    """The driver's own version; where its management library is missing, the CUDA version that it implements."""
    try:
        library: Any = ctypes.CDLL("nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1")
    except OSError:
        return f"CUDA {cuda}"
    text = ctypes.create_string_buffer(81)
    if library.nvmlInit_v2() != 0:
        return f"CUDA {cuda}"
    status = library.nvmlSystemGetDriverVersion(text, len(text))
    library.nvmlShutdown()
    return text.value.decode(errors="replace") if status == 0 else f"CUDA {cuda}"
