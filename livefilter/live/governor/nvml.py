"""What an NVIDIA GPU does, through its driver's management library (nvidia-ml-py, an extra)."""

from __future__ import annotations

import importlib
import logging
import os
import time
from dataclasses import dataclass
from typing import Any

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GpuUse:
    """Shares of the GPU's time, 0 to 1; throttled: its clock is lowered because it is hot."""

    own_share: float = 0.0
    others_share: float = 0.0
    throttled: bool = False


class NvmlMeter:
    """Reads one GPU; `open_nvml` makes it.

    nvml: the module pynvml, initialised.
    """

    def __init__(self, nvml: Any, gpu: int) -> None:
        self._nvml = nvml
        self._device = nvml.nvmlDeviceGetHandleByIndex(gpu)
        self._hot = nvml.nvmlClocksThrottleReasonSwThermalSlowdown | nvml.nvmlClocksThrottleReasonHwThermalSlowdown
        self._seen_us = int(time.time() * 1e6)

    def read(self) -> GpuUse:
        """The newest figures; what the driver does not tell counts as nothing."""
        busy = self._ask(lambda: self._nvml.nvmlDeviceGetUtilizationRates(self._device).gpu, 0) / 100.0
        reasons = self._ask(lambda: self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons(self._device), 0)
        own = self._own_share()
        return GpuUse(own, max(0.0, busy - own), bool(reasons & self._hot))

    def _own_share(self) -> float:
        samples = self._ask(lambda: self._nvml.nvmlDeviceGetProcessUtilization(self._device, self._seen_us), [])
        self._seen_us = max([self._seen_us, *(sample.timeStamp for sample in samples)])
        mine = [sample.smUtil for sample in samples if sample.pid == os.getpid()]
        return max(mine, default=0) / 100.0

    def _ask(self, question: Any, otherwise: Any) -> Any:
        try:
            return question()
        except self._nvml.NVMLError:  # not supported on this card, or nothing was sampled yet
            return otherwise


def open_nvml(gpu: int) -> NvmlMeter | None:
    """The meter of a GPU by its number; None, with a line in the log, where there is none or the extra is missing."""
    try:
        nvml = importlib.import_module("pynvml")
        nvml.nvmlInit()
        return NvmlMeter(nvml, gpu)
    except ImportError:
        _log.debug("GPU use is not read: nvidia-ml-py is not installed")
    except Exception as error:  # NVMLError exists only where the import succeeded
        _log.debug("GPU use is not read: %s", error)
    return None
