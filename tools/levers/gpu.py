"""The speed levers: forms of one network side by side on an NVIDIA GPU, `python -m tools.levers`."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from livefilter.bench.gpu import GpuBench
from livefilter.bench.gpu_measure import as_module, cuda_times
from livefilter.inference.selection import BUILT_AHEAD, why_unavailable
from livefilter.tensorrt.key import FORMS

SIZE = (1280, 720)
_RUNS = 50


class GpuLevers(GpuBench):
    """Measures, for each network at one size: the forms of engines, ways to write it, and ways to run it in PyTorch."""

    def _work(self) -> None:
        self._usable = [name for name in (*BUILT_AHEAD, "torch") if why_unavailable(name) is None]
        self._step("rates of this GPU", self._rates)
        for name in list(self._networks):
            written = self._written(name)
            for backend in self._usable:
                if backend in BUILT_AHEAD:
                    for form in FORMS:
                        self._step(f"{name} {backend}, form {form}", self._timer(name, SIZE, backend, form=form))
                    for other in written:
                        self._step(f"{other} {backend}", self._timer(other, SIZE, backend))
                else:
                    self._torch_ways(name)

    def _written(self, name: str) -> list[str]:
        """Write the network in every other form that it has, and return what they are called now."""
        if importlib.util.find_spec("onnx") is None:
            self.report["not_done"].append(f"{name}: other forms need onnx, which is not installed")
            return []
        import onnx

        from tools.levers.onnx import OTHER, SAME

        model, found = onnx.load(str(self._networks[name])), []
        for number, (lever, rewrite) in enumerate((SAME | OTHER).items()):
            changed = rewrite(model)
            if changed is not None:
                found.append(f"{name}, {lever}{' (another picture)' if lever in OTHER else ''}")
                self._networks[found[-1]] = self._save(changed, f"{name}-{number}.onnx")
        return found

    def _save(self, model: Any, name: str) -> Path:
        import onnx

        folder = self._folder / "levers"
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(model, str(folder / name))
        return folder / name

    def _torch_ways(self, name: str) -> None:
        from tools.levers.torch import WAYS

        for way in WAYS:
            self._step(f"{name} torch, {way}", partial(self._torch_way, name, way))

    def _torch_way(self, name: str, way: str) -> dict[str, Any]:
        """The network alone: frames stay on the GPU."""
        from tools.levers.torch import WAYS, prepare

        module = as_module(self._networks[name])
        run: Callable[[], None] = prepare(module, WAYS[way], f"cuda:{self._gpu}", *SIZE)[0]
        return {"network_ms": cuda_times(run, self._gpu, _RUNS)}
