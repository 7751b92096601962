"""What a benchmark ran on: without it no figure means anything."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from typing import Any

import psutil

from livefilter import __version__
from livefilter.inference.hardware import cpu_name, find_gpu

_PACKAGES = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "openvino",
    "tensorrt",
    "opencv-python",
    "numpy",
    "av",
    "aiohttp",
)
MEGABYTE = 1024 * 1024


def describe_machine() -> dict[str, Any]:
    """Processor, memory, GPU and system, and how busy the machine was before anything was measured."""
    gpu = find_gpu()
    return {
        "cpu": cpu_name(),
        "physical_cores_count": psutil.cpu_count(logical=False) or 0,
        "logical_cores_count": psutil.cpu_count() or 0,
        "memory_mb": round(psutil.virtual_memory().total / MEGABYTE),
        "gpu": None if isinstance(gpu, str) else gpu.name,
        "system": platform.platform(),
        "load_average_1min_count": round(psutil.getloadavg()[0], 2),
    }


def describe_versions() -> dict[str, str]:
    """Versions of livefilter, Python and every library that a figure depends on; what is not installed is left out."""
    found = {"livefilter": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


class Usage:
    """CPU and memory of this process between `begin` and the newest `sample`, and the CPU of everyone else."""

    def __init__(self) -> None:
        self._process = psutil.Process(os.getpid())
        self.begin()

    def begin(self) -> None:
        """Forget what was before."""
        self._started = self._seen = time.perf_counter()
        self._own_start = self._own = self._own_s()
        self._machine_start = self._machine = self._machine_s()
        self._peak = int(self._process.memory_info().rss)

    def sample(self) -> None:
        """Take note of this moment; memory's peak is the highest of these."""
        self._seen = time.perf_counter()
        self._own, self._machine = self._own_s(), self._machine_s()
        self._peak = max(self._peak, int(self._process.memory_info().rss))

    @property
    def cpu_percent(self) -> float:
        """CPU time of this process as a part of all logical cores."""
        wall_s = (self._seen - self._started) * (psutil.cpu_count() or 1)
        return 100 * (self._own - self._own_start) / wall_s if wall_s > 0 else 0.0

    @property
    def others_cpu_percent(self) -> float:
        """CPU time of all other programs as a part of all logical cores."""
        wall_s = (self._seen - self._started) * (psutil.cpu_count() or 1)
        busy = 100 * (self._machine - self._machine_start) / wall_s if wall_s > 0 else 0.0
        return min(100.0, max(0.0, busy - self.cpu_percent))

    @property
    def memory_peak_mb(self) -> float:
        """The most memory that this process held (resident set)."""
        return self._peak / MEGABYTE

    def _own_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _machine_s(self) -> float:
        times = psutil.cpu_times()
        # Linux counts a guest's time as the user's as well; waiting for a disk is not work.
        idle = times.idle + getattr(times, "iowait", 0.0)
        twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        total = float(sum(times))
        return total - float(idle) - float(twice)
