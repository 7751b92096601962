"""Everything that is to be seen on an NVIDIA GPU, in one command: `python -m livefilter.bench.gpu`.

It needs no network and ends inside 8 minutes: what the time does not reach is listed as not measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from livefilter.bench.gpu_command import command
from livefilter.bench.gpu_measure import (
    difference,
    eager_torch,
    engine_times,
    frame_times,
    measured_rates,
    network_work,
    release_unused,
)
from livefilter.errors import BackendUnavailable, LivefilterError
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineOptions
from livefilter.inference.cuda import Memory, open_cuda
from livefilter.inference.hardware import find_gpu
from livefilter.inference.selection import BUILT_AHEAD, why_unavailable
from livefilter.registry import ENGINES
from livefilter.tensorrt.builder import EngineBuilder, EngineRequest
from livefilter.tensorrt.flavour import FLAVOURS
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.lookup import label_of
from livefilter.tensorrt.store import ENVIRONMENT, EngineStore

BACKENDS = ("tensorrt", "tensorrt-rtx", "torch", "onnxruntime-tensorrt", "onnxruntime-tensorrt-rtx", "onnxruntime-cuda")
SIZES = ((512, 512), (1280, 720), (1920, 1080))
RANGE = "512x512:1280x720:1920x1080"
CHECKED = (512, 512)
LEAK_FRAMES = 10_000


class GpuBench:
    """Runs the checks and measurements one after another, and writes down what came of each.

    networks: name -> ONNX file. gpu: its number. limit_s: when nothing new is begun. say: told each line of the report.
    """

    def __init__(self, networks: dict[str, Path], gpu: int, limit_s: float, say: Callable[[str], None]) -> None:
        self.report: dict[str, Any] = {"checks": [], "times": [], "not_done": []}
        self._networks, self._gpu, self._say = networks, gpu, say
        self._end = time.monotonic() + limit_s
        self._usable: list[str] = []

    def run(self, folder: Path) -> dict[str, Any]:
        """Do everything. folder: where engines are built.

        Raises: BackendUnavailable: there is no GPU.
        """
        found = find_gpu(self._gpu)
        if isinstance(found, str):
            raise BackendUnavailable(f"Nothing can be measured, because {found}.")
        self.report |= {"date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "gpu": asdict(found)}
        self._say(f"{found.name}, compute capability {found.capability}, driver {found.driver}")
        self._folder, self._store = folder, EngineStore(folder)
        self._work()
        return self.report

    def _work(self) -> None:
        first = next(iter(self._networks))
        for backend in BACKENDS:
            self._step(f"{backend} against the CPU", partial(self._check, backend, first))
        for backend in self._usable[:1]:
            self._step(f"{backend}: {LEAK_FRAMES} frames", partial(self._leak, backend, first))
        for backend in self._usable:
            if backend in BUILT_AHEAD:
                self._step(f"{backend}: context loss", partial(self._lose, backend, first))
        self._step("rates of this GPU", self._rates)
        for name in self._networks:
            for size in SIZES:
                for backend in self._usable:
                    self._step(f"{name} {size[0]}x{size[1]} {backend}", self._timer(name, size, backend))
                if "torch" in self._usable:
                    self._step(f"{name} {size[0]}x{size[1]} eager torch", self._eager(name, size))
        for backend in self._usable:
            if backend in BUILT_AHEAD:
                for size in SIZES:
                    what = f"{first} {size[0]}x{size[1]} {backend}, engine for {RANGE}"
                    self._step(what, self._timer(first, size, backend, RANGE))

    def _step(self, name: str, work: Callable[[], dict[str, Any]]) -> None:
        """Do one thing; a failure is written down and the next thing follows."""
        if time.monotonic() > self._end:
            self.report["not_done"].append(name)
            return
        try:
            result: dict[str, Any] = {"what": name, **work()}
        except Exception as error:
            result = {"what": name, "failed": f"{type(error).__name__}: {error}"}
        self.report["times" if "frame_ms" in result else "checks"].append(result)
        self._say(json.dumps(result))

    def _check(self, backend: str, name: str) -> dict[str, Any]:
        if reason := why_unavailable(backend):
            return {"unavailable": reason}
        image = _picture(*CHECKED)
        with ENGINES.load("onnxruntime")(self._networks[name], *CHECKED) as reference:
            expected = reference.run(image).copy()
        with self._open(backend, name, CHECKED) as (engine, build_s):
            apart = difference(expected, engine.run(image))
        self._usable.append(backend)
        return {"device": engine.info.device, "build_s": build_s, **asdict(apart)}

    def _rates(self) -> dict[str, Any]:
        tflops, gbytes = measured_rates(self._gpu)
        self.report["rates"] = {"tflops": tflops, "gb_per_s": gbytes}
        return {"half_matrix_tflops": round(tflops, 1), "copy_gb_per_s": round(gbytes, 1)}

    def _timer(
        self, name: str, size: tuple[int, int], backend: str, built_for: str = "", form: str = "bgr"
    ) -> Callable[[], dict[str, Any]]:
        """Times of one backend. built_for: a range of sizes, of the engine. form: of the engine, one of its FORMS."""

        def work() -> dict[str, Any]:
            before = self._memory().free
            with self._open(backend, name, size, built_for, form) as (engine, build_s):
                used = before - self._memory().free
                frame = frame_times(engine.run, _picture(*size), limit_s=3.0)
                alone = engine_times(engine, limit_s=2.0)
            result = {"build_s": build_s, "gpu_mib": used >> 20, "frame_ms": frame, "engine_ms": alone}
            if alone:
                result["frame_over_engine"] = round(frame["p50_ms"] / alone["p50_ms"], 2)
            return result | self._floors(name, size, (alone or frame)["p50_ms"])

        return work

    def _floors(self, name: str, size: tuple[int, int], found_ms: float) -> dict[str, Any]:
        """The roofline: what mathematics and bytes would take at this GPU's measured rates."""
        rates = self.report.get("rates")
        if rates is None:
            return {}
        try:
            gflop, megabytes = network_work(self._networks[name], *size)
        except (LivefilterError, ImportError) as error:  # a time without its floor is still a time
            return {"floor": str(error)}
        math_ms, bytes_ms = gflop / rates["tflops"], megabytes / rates["gb_per_s"]
        floor = max(math_ms, bytes_ms)
        return {"math_ms": round(math_ms, 4), "bytes_ms": round(bytes_ms, 4), "over_floor": round(found_ms / floor, 2)}

    def _eager(self, name: str, size: tuple[int, int]) -> Callable[[], dict[str, Any]]:
        return lambda: {
            "frame_ms": frame_times(eager_torch(self._networks[name], self._gpu), _picture(*size), limit_s=3.0)
        }

    def _leak(self, backend: str, name: str) -> dict[str, Any]:
        image = _picture(256, 256)
        with self._open(backend, name, (256, 256)) as (engine, _):
            for _ in range(100):
                engine.run(image)
            gpu, host = self._memory().free, psutil.Process().memory_info().rss
            for _ in range(LEAK_FRAMES):
                engine.run(image)
            lost_gpu, lost_host = gpu - self._memory().free, psutil.Process().memory_info().rss - host
        return {"gpu_bytes": lost_gpu, "host_bytes": lost_host, "leak": lost_gpu > 0 or lost_host > 16 << 20}

    def _lose(self, backend: str, name: str) -> dict[str, Any]:
        with self._open(backend, name, (256, 256)):
            pass  # so that the engine is there
        command = [
            sys.executable,
            "-m",
            "livefilter.bench.gpu_fault",
            backend,
            str(self._gpu),
            str(self._networks[name]),
        ]
        engines = os.environ | {ENVIRONMENT: str(self._store.folder)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=engines)
        said = (done.stdout.strip() or done.stderr.strip()).splitlines()
        return {"recovered": done.returncode == 0, "said": said[-1] if said else ""}

    @contextlib.contextmanager
    def _open(
        self, backend: str, name: str, size: tuple[int, int], built_for: str = "", form: str = "bgr"
    ) -> Iterator[tuple[Engine, float]]:
        build_s = 0.0
        options = EngineOptions(gpu=self._gpu, nv12=form == "nv12")
        kind, network = ENGINES.load(backend), self._networks[name]
        more: dict[str, Any] = {}
        if backend in BUILT_AHEAD:
            # Apart from the others: an engine for the very size would be taken instead.
            store = EngineStore(self._folder / "ranges") if built_for else self._store
            wanted = SizeRange.parse(built_for or f"{size[0]}x{size[1]}")
            flavour = next(f for f in FLAVOURS.values() if f is kind.flavour)
            request = EngineRequest(network, label_of(network), "", wanted, flavour, gpu=self._gpu, form=form)
            built, _ = EngineBuilder(store, lambda text: None).obtain(request)
            build_s = built.sidecar.build_s if built.sidecar else 0.0
            more = {"store": store, "form": form}
        with kind(network, *size, options, **more) as engine:
            yield engine, build_s

    def _memory(self) -> Memory:
        release_unused()
        cuda = open_cuda(self._gpu)
        try:
            with cuda.current():
                return cuda.memory()
        finally:
            cuda.close()


def _picture(width: int, height: int) -> Image:
    """Smooth colours with some noise, the same each time."""
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], axis=2)
    noise = np.random.default_rng(0).integers(-20, 21, smooth.shape)
    return np.ascontiguousarray(np.clip(smooth + noise, 0, 255).astype(np.uint8))


main = command(GpuBench, "Check and measure every backend of an NVIDIA GPU.")

if __name__ == "__main__":
    main()
