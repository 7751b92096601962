"""What the machine does besides this program: CPU, GPU, battery and heat."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import psutil

from livefilter.live.governor.nvml import GpuUse

# A battery and a sensor are asked through files and drivers, some of which take milliseconds.
_SENSORS_EVERY_S = 5.0
# The system counts CPU time in hundredths of a second, so less than this says little.
_LEAST_WINDOW_S = 0.4


@dataclass(frozen=True, slots=True)
class MachineUse:
    """Shares of all cores or of the GPU, 0 to 1, over the newest second.

    own_share, others_share: of whichever of the two this program or others use more.
    """

    own_share: float = 0.0
    others_share: float = 0.0
    on_battery: bool = False
    throttled: bool = False


class GpuMeter(Protocol):
    """What a GPU does, as livefilter.live.governor.nvml.NvmlMeter tells it."""

    def read(self) -> GpuUse: ...


class MachineMeter:
    """Reads the machine a few times a second.

    gpu: None where there is none that tells. clock: seconds.
    """

    def __init__(self, gpu: GpuMeter | None = None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._gpu = gpu
        self._clock = clock
        self._process = psutil.Process(os.getpid())
        self._cores = psutil.cpu_count() or 1
        self._before = self._now = self._cpu()
        self._use = MachineUse()
        self._asked_at_s = float("-inf")
        self._sensors = (False, False)

    def read(self) -> MachineUse:
        """The newest figures; those of CPU and GPU are of the time since the last call, if that is long enough."""
        now_s = self._clock()
        if now_s - self._asked_at_s >= _SENSORS_EVERY_S:
            self._asked_at_s = now_s
            self._sensors = (_on_battery(), _too_hot())
        taken = self._cpu()
        span_s = taken[0] - self._before[0]
        gpu = GpuUse()
        own, others = self._use.own_share, self._use.others_share
        if span_s >= _LEAST_WINDOW_S:
            own = (taken[1] - self._before[1]) / (span_s * self._cores)
            others = max(0.0, (taken[2] - self._before[2]) / (span_s * self._cores) - own)
            self._before = taken
            if self._gpu is not None:
                gpu = self._gpu.read()
                own, others = max(own, gpu.own_share), max(others, gpu.others_share)
        on_battery, hot = self._sensors
        self._use = MachineUse(min(1.0, own), min(1.0, others), on_battery, hot or gpu.throttled)
        return self._use

    def _cpu(self) -> tuple[float, float, float]:
        """The moment, this program's CPU seconds and those of everybody."""
        own = self._process.cpu_times()
        times: Any = psutil.cpu_times()
        # Linux counts a guest's time as the user's as well; waiting for a disk is not work.
        idle = times.idle + getattr(times, "iowait", 0.0)
        twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        return self._clock(), own.user + own.system, sum(times) - idle - twice


def _on_battery() -> bool:
    if not hasattr(psutil, "sensors_battery"):
        return False
    battery = psutil.sensors_battery()
    return battery is not None and battery.power_plugged is False


def _too_hot() -> bool:
    """Whether a sensor stands at the temperature at which its maker slows the machine down."""
    if not hasattr(psutil, "sensors_temperatures"):
        return False
    sensors = [sensor for group in psutil.sensors_temperatures().values() for sensor in group]
    return any(sensor.high and sensor.current >= sensor.high for sensor in sensors)
