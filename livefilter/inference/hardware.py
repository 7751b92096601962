"""What this machine computes with, in human words."""

from __future__ import annotations

import ctypes
import importlib
import logging
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cv2
import psutil

_log = logging.getLogger(__name__)
TURING = 7, 5  # the oldest compute capability that TensorRT 10 and later support
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE
_CV_CPU_AVX2, _CV_CPU_AVX_512VNNI = 11, 23  # of OpenCV's cvdef.h


@dataclass(frozen=True, slots=True)
class Gpu:
    """An NVIDIA GPU, as its driver describes it; the part of an engine's key that belongs to the machine.

    capability: compute capability, such as "8.9". driver: version, such as "580.95.05". cuda: the newest CUDA version
    that the driver can run, such as "13.0"; it makes no GPU another one.
    """

    name: str
    capability: str
    driver: str
    cuda: str = field(default="", compare=False)


# Engines for TensorRT-RTX can be built without a GPU; they then fit every GPU that it supports but for Turing's.
NO_GPU = Gpu("none", "any", "none")


@lru_cache(maxsize=1)
def cpu_name() -> str:
    """The processor's marketing name, such as "AMD Ryzen 7 5800X"; "CPU" when the system does not say."""
    try:
        if sys.platform == "win32":
            import winreg

            path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
                return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
        if sys.platform == "darwin":
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except (OSError, subprocess.SubprocessError):
        pass  # a name for display is not worth an error
    return platform.processor() or "CPU"


def usable_cores() -> int:
    """How many physical cores this process may use; hyperthreads and cores it is kept off do not count."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if sys.platform == "linux":
        return max(1, min(physical, len(os.sched_getaffinity(0))))
    return physical


@lru_cache(maxsize=1)
def multiplies_bytes() -> bool:
    """Whether the processor sums products of bytes in one instruction (AVX-512 VNNI or AVX-VNNI): INT8 needs it to be
    fast, and not to overflow (Intel, "Lower Numerical Precision Deep Learning Inference and Training", 2018).

    Windows tells nobody of AVX-VNNI, so there it is seen by what it prevents; processors before AVX2 sum in 32 bits,
    rightly and slowly.
    """
    if cv2.checkHardwareSupport(_CV_CPU_AVX_512VNNI):
        return True
    if sys.platform == "win32" and platform.machine() == "AMD64" and cv2.checkHardwareSupport(_CV_CPU_AVX2):
        try:
            return importlib.import_module("livefilter.inference.providers").sums_bytes_exactly() is True
        except Exception as error:  # of its libraries or its model; OpenVINO runs without them
            _log.warning("Networks run in floating point: whether INT8 is safe could not be seen (%s)", error)
            return False
    try:
        return sys.platform == "linux" and " avx_vnni" in Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return False


def describe_cpu(threads: int) -> str:
    """The processor with the threads in use, such as "AMD Ryzen 7 5800X (8 threads)"."""
    return f"{cpu_name()} ({threads} thread{'' if threads == 1 else 's'})"


@cache
def find_gpu(index: int = 0) -> Gpu | str:
    """Ask the NVIDIA driver itself for the GPU of that number; the reason in plain words where there is none.

    A library being installed proves nothing: GPU builds of runtimes list CUDA on machines without any GPU.
    """
    try:
        driver: Any = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return "this machine has no NVIDIA driver"
    status = driver.cuInit(0)
    if status not in (0, _NO_DEVICE):
        return f"the NVIDIA driver does not start (CUDA error {status}; restart the machine or reinstall the driver)"
    count, device, version = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    if status == _NO_DEVICE or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return "the NVIDIA driver finds no GPU"
    if not 0 <= index < count.value or driver.cuDeviceGet(ctypes.byref(device), index) != 0:
        return f"the NVIDIA driver has no GPU {index}: the last one is {count.value - 1}"
    name = ctypes.create_string_buffer(128)
    driver.cuDeviceGetName(name, len(name), device)
    numbers = []
    for attribute in (_MAJOR, _MINOR):
        value = ctypes.c_int()
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        numbers.append(str(value.value))
    driver.cuDriverGetVersion(ctypes.byref(version))
    cuda = f"{version.value // 1000}.{version.value % 1000 // 10}"
    title = name.value.decode(errors="replace") or "NVIDIA GPU"
    return Gpu(title, ".".join(numbers), _driver_version(cuda), cuda)


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
