"""ONNX Runtime: what its execution providers share, and the processor's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from livefilter.errors import BackendUnavailable, StyleCorrupt
from livefilter.inference import providers
from livefilter.inference.base import EngineInfo, EngineOptions
from livefilter.inference.checks import corrupt, one_line, require_network, require_size
from livefilter.inference.hardware import describe_cpu, usable_cores
from livefilter.inference.host_engine import HostEngine
from livefilter.inference.ports import (
    FRAME,
    HALVED,
    PERSON,
    STRENGTH,
    STYLED,
    NetworkPorts,
    read_ports,
)
from livefilter.styles.network_edit import with_batch, without_crisp, without_output
from livefilter.styles.network_file import read_network

_BROKEN_NETWORK = ("InvalidProtobuf", "InvalidGraph", "InvalidArgument", "NoSuchFile", "NoModel")


class OnnxRuntimeEngine(HostEngine):
    """What the providers share; a provider adds its name, its options and the reason why it may be missing."""

    backend: ClassVar[str]
    provider: ClassVar[str] = providers.CPU
    precision: ClassVar[str] = "float32"
    fix: ClassVar[str] = providers.CPU_FIX
    takes_batches = True
    leaves_crisp = True

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions | None = None) -> None:
        require_size(width, height)
        missing = self.unavailable()
        if missing:
            raise BackendUnavailable(missing)
        require_network(network)
        options = options or EngineOptions()
        self._gpu = options.gpu
        threads = options.threads or usable_cores()
        precision = "int8" if options.precision == "int8" else self.precision
        self.info = EngineInfo(self.backend, self._device(threads), precision, width, height)
        self._batch, self._people = options.batch, options.people
        self._soft = options.soft
        self._session: Any = self._open(network, options.sha256, threads)
        self._run_options = providers.run_options()
        self._binding = self._session.io_binding()
        self._buffers = self._make_buffers(self._ports(network), width, height, options.batch)
        for name, values in self._buffers.items():
            if name in (STYLED, PERSON):
                self._binding.bind_output(name, "cpu", 0, np.uint8, values.shape, values.ctypes.data)
            else:
                self._bind_input(name)

    def _is_open(self) -> bool:
        return self._session is not None

    def _draw(self, strength_changed: bool) -> None:
        if strength_changed:
            self._bind_input(STRENGTH)
        if self.provider != providers.CPU:
            # A device with memory of its own is given the frame by binding, not by running.
            self._bind_input(FRAME)
        self._session.run_with_iobinding(self._binding, self._run_options)

    def _bind_input(self, name: str) -> None:
        self._binding.bind_cpu_input(name, self._buffers[name])

    def cancel(self) -> None:
        self._run_options.terminate = True

    def close(self) -> None:
        self._binding = self._session = None

    @classmethod
    def unavailable(cls) -> str | None:
        return providers.not_installed(cls.backend, cls.provider, cls.fix)

    def _device(self, threads: int) -> str:
        return describe_cpu(threads)

    def _provider_options(self) -> dict[str, str]:
        return {}

    def _session_options(self, threads: int) -> Any:
        """Options for the least latency of one frame at a time; the figures were measured at 640x360 on two cores."""
        options = providers.quiet_options()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_free_dimension_override_by_name("height", self.info.height)
        options.add_free_dimension_override_by_name("width", self.info.width)
        for name in HALVED[0]:
            options.add_free_dimension_override_by_name(name, self.info.height // 2)
        for name in HALVED[1]:
            options.add_free_dimension_override_by_name(name, self.info.width // 2)
        # Spinning gains half a millisecond a frame (12.4 for 12.9) and burns 12 ms of the core that capture and
        # encoding need. Small dynamic blocks keep a core that is busy elsewhere from holding up the others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.dynamic_block_base", "4")
        return options

    def _open(self, network: Path, sha256: str, threads: int) -> Any:
        chosen = [(self.provider, self._provider_options())]
        if self.provider == providers.TENSORRT:
            chosen.append((providers.CUDA, {"device_id": str(self._gpu)}))  # takes the few nodes that TensorRT leaves
        data = read_network(network, sha256)
        try:
            data = with_batch(data if self._people else without_output(data, PERSON), self._batch)
            if self._soft:
                data, self.contrast = without_crisp(data)
            session = providers.create_session(data, self._session_options(threads), chosen)
        except Exception as error:
            if self.provider == providers.CPU or type(error).__name__ in _BROKEN_NETWORK:
                raise corrupt(network, error) from error
            raise BackendUnavailable(
                f"{self.backend} cannot open {network.name} on {self.info.device}: {one_line(error)}. "
                f"Install what it needs ({self.fix}) or use --backend onnxruntime."
            ) from error
        # ONNX Runtime leaves out a provider that does not start, and runs on the CPU without an error.
        first = session.get_providers()[0]
        if first != self.provider:
            raise BackendUnavailable(
                f"{self.backend} did not start on {self.info.device}: ONNX Runtime would have used {first} instead. "
                f"Install what it needs ({self.fix}) or use --backend onnxruntime."
            )
        return session

    def _ports(self, network: Path) -> NetworkPorts:
        given, made = self._session.get_inputs(), self._session.get_outputs()
        named = [[(port.name, port.type) for port in side] for side in (given, made)]
        ports = read_ports(named[0], named[1], "tensor(uint8)", "tensor(float)")
        shapes = [port.shape for port in (*given, *made)]
        wanted = ports.shapes(self.info.width, self.info.height, self._batch) if ports else {}
        if ports is None or shapes != list(wanted.values()):
            found = [(port.name, port.type, port.shape) for port in (*given, *made)]
            raise StyleCorrupt(
                f"Network file {network} is no style for {self.info.width}x{self.info.height}: it must take `frame` "
                f"and give `styled`, uint8 {[self._batch, self.info.height, self.info.width, 3]}, but it has {found}. "
                "Export it again or take another style."
            )
        return ports


class OnnxRuntimeCpu(OnnxRuntimeEngine):
    """ONNX Runtime on the CPU: runs everywhere."""

    backend = "onnxruntime"
    computes_int8 = True
