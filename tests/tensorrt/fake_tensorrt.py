"""A hand-written TensorRT whose builds take as many steps as a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

STEPS = 10


class _Object:
    def __init__(self) -> None:
        pass


class _Parser:
    def __init__(self, network: Any, logger: Any) -> None:
        self.num_errors = 0

    def parse(self, model: bytes) -> bool:
        self.num_errors = 0 if model == b"onnx" else 1
        return model == b"onnx"

    def get_error(self, index: int) -> Any:
        return SimpleNamespace(desc=lambda: "no importer for operator Magic")


class FakeTensorRT:
    """Stands for the module; `before_step` runs before each of the build's ten steps, in the build's thread.

    fails: the build gives no plan, and logs why. steps: how many were done.
    """

    __name__ = "fake_tensorrt"

    def __init__(self, before_step: Callable[[int], None] = lambda _: None, fails: bool = False) -> None:
        self.steps = 0
        self.config = SimpleNamespace(
            clear_flag=lambda flag: None,
            create_timing_cache=lambda data: data,
            set_timing_cache=lambda cache, ignore: True,
            get_timing_cache=lambda: SimpleNamespace(serialize=lambda: b"timings"),
            profiles=[],
        )
        self.config.add_optimization_profile = self.config.profiles.append
        self.ILogger = type("ILogger", (_Object,), {"Severity": SimpleNamespace(ERROR=1)})
        self.IProgressMonitor = _Object
        self.OnnxParser = _Parser
        self.BuilderFlag = SimpleNamespace(TF32="TF32")
        self.ProfilingVerbosity = SimpleNamespace(DETAILED="DETAILED")
        self._before_step = before_step
        self._fails = fails
        self._logger: Any = None

    def Builder(self, logger: Any) -> Any:  # noqa: N802
        self._logger = logger
        shapes: list[Any] = []
        profile = SimpleNamespace(set_shape=lambda *shape: shapes.append(shape), shapes=shapes)
        return SimpleNamespace(
            create_network=lambda flags: SimpleNamespace(num_layers=0),
            create_builder_config=lambda: self.config,
            create_optimization_profile=lambda: profile,
            build_serialized_network=self._build,
        )

    def _build(self, network: Any, config: Any) -> bytes | None:
        assert threading.current_thread() is not threading.main_thread()
        monitor = config.progress_monitor
        monitor.phase_start("Building", None, STEPS)
        for step in range(STEPS):
            self._before_step(step)
            if not monitor.step_complete("Building", step):
                return None
            self.steps += 1
        monitor.phase_finish("Building")
        if self._fails:
            self._logger.log(1, "no tactic\n  fits")
            return None
        return b"plan"
