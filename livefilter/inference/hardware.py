"""What this machine computes with, in human words."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class NvidiaGpu:
    """The first NVIDIA GPU, as its driver names it.

    cuda: the newest CUDA version that the driver can run, such as "13.0".
    """

    name: str
    cuda: str


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


def describe_cpu(threads: int) -> str:
    """The processor with the threads in use, such as "AMD Ryzen 7 5800X (8 threads)"."""
    return f"{cpu_name()} ({threads} thread{'' if threads == 1 else 's'})"


@lru_cache(maxsize=1)
def find_nvidia_gpu() -> NvidiaGpu | str:
    """Ask the NVIDIA driver itself for a GPU; the reason in plain words where there is none.

    A library being installed proves nothing: GPU builds of runtimes list CUDA on machines without any GPU.
    """
    try:
        driver: Any = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return "this machine has no NVIDIA driver"
    status = driver.cuInit(0)
    if status == 100:  # CUDA_ERROR_NO_DEVICE
        return "the NVIDIA driver finds no GPU"
    if status != 0:
        return f"the NVIDIA driver does not start (CUDA error {status}; restart the machine or reinstall the driver)"
    count, device, version = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    name = ctypes.create_string_buffer(128)
    if driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return "the NVIDIA driver finds no GPU"
    driver.cuDeviceGet(ctypes.byref(device), 0)
    driver.cuDeviceGetName(name, len(name), device)
    driver.cuDriverGetVersion(ctypes.byref(version))
    cuda = f"{version.value // 1000}.{version.value % 1000 // 10}"
    return NvidiaGpu(name.value.decode(errors="replace") or "NVIDIA GPU", cuda)
