"""TensorRT, in both of its flavours."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from livefilter.errors import BackendUnavailable, BuildFailed, EngineMismatch, GpuFault
from livefilter.frame import Image
from livefilter.inference.base import EngineInfo, EngineOptions
from livefilter.inference.checks import closed, require_frame, require_network, require_size
from livefilter.inference.cuda import Cuda, open_cuda
from livefilter.inference.cuda.driver_calls import INSTALL
from livefilter.inference.hardware import Gpu, find_gpu
from livefilter.inference.look import ComposingEngine, Look
from livefilter.tensorrt.batch_plan import build_apart, find_batch_engine
from livefilter.tensorrt.builder import EngineRequest
from livefilter.tensorrt.flavour import FLAVOURS, Flavour
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.lookup import find_engine, label_of
from livefilter.tensorrt.owned_file import read_owned, write_owned
from livefilter.tensorrt.plan_runner import PlanRunner
from livefilter.tensorrt.store import KERNELS, SIDECAR, EngineStore, engines_folder

_log = logging.getLogger(__name__)
_OTHER = "use --backend torch or onnxruntime-cuda; --gpu chooses another"
_PRECISIONS = {"fp16": "float16", "fp32": "float32"}


def _further_gpus() -> Iterator[Gpu]:
    """The GPUs of this machine after the first one."""
    for number in range(1, 64):
        found = find_gpu(number)
        if isinstance(found, str):
            return
        yield found


class _TensorRTEngine(ComposingEngine):
    """What the flavours share. An engine must have been built for the network, the size and this machine's GPU; one
    for several frames at once is built here, if there is one for a single frame, which can take minutes.

    store: where engines are; None takes the usual folder. cuda: opens a GPU. module: the TensorRT package.
    form: of the engine; None is that of the options. build: runs `livefilter` with arguments.
    Raises on construction, besides what Engine says: EngineMismatch: there is no such engine; says how to build it.
    """

    takes_batches = draws_smaller = True
    backend: ClassVar[str]
    flavour: ClassVar[Flavour]

    def __init__(
        self,
        network: Path,
        width: int,
        height: int,
        options: EngineOptions | None = None,
        *,
        store: EngineStore | None = None,
        cuda: Callable[[int, str], Cuda] = open_cuda,
        module: Any = None,
        form: str | None = None,
        build: Callable[[Sequence[str]], None] = build_apart,
    ) -> None:
        require_size(width, height)
        require_network(network)
        self._options = options or EngineOptions()
        missing = self.unavailable() if module is None else None
        gpu = find_gpu(self._options.gpu) if missing is None else missing
        if isinstance(gpu, str):
            raise BackendUnavailable(missing or f"{self.backend} cannot run, because {gpu}. Choose another with --gpu.")
        if refusal := self.flavour.refusal(gpu):
            raise BackendUnavailable(f"{self.backend} cannot run: {refusal}. For this GPU {_OTHER}.")
        self._open_cuda = cuda
        self._module = module or self.flavour.load()
        self.nv12 = self._options.nv12
        self._form = form or ("nv12" if self.nv12 else "bgr")
        request = EngineRequest(
            network,
            label_of(network),
            "",
            SizeRange.parse(f"{width}x{height}"),
            self.flavour,
            gpu=self._options.gpu,
            form=self._form,
            batch=self._options.batch,
            smaller=self._options.smaller,
        )
        store = store or EngineStore(engines_folder())
        if request.batch > 1:
            self._plan, engine = find_batch_engine(store, request, gpu, self._options.sha256, build)
        else:
            self._plan, engine = find_engine(store, request, gpu, self._options.sha256)
        self._stored = engine
        self._kernels = engine.plan_path.with_suffix(KERNELS)
        precision = _PRECISIONS[engine.sidecar.key.precision] if engine.sidecar else "float16"
        self.info = EngineInfo(self.backend, gpu.name, precision, width, height)
        self._lost = False
        self._runner: PlanRunner | None = self._open()
        self.takes_strength, self.gives_person = self._runner.own.strength, self._runner.own.person
        device = f"{gpu.name} (GPU {self._options.gpu}, {self._runner.memory_mib} MiB)"
        self.info = replace(self.info, device=device)

    def compose(self, image: Image, look: Look) -> Image:
        return self.compose_batch([image], look)[0][0]

    def compose_batch(self, images: Sequence[Image], look: Look) -> list[tuple[Image, Image | None]]:
        if self._runner is None:
            raise closed(self.info)
        for image in images:
            require_frame(image, self.info)
        try:
            return self._runner.run(images, look)
        except GpuFault as error:
            self._lost = error.lost  # whoever runs the engine opens another one
            raise

    @property
    def person(self) -> Image | None:
        return self._runner.person if self._runner is not None else None

    def verdict(self) -> str | None:
        return self._stored.sidecar.trial if self._stored.sidecar is not None else None

    def keep_verdict(self, verdict: str) -> None:
        if self._stored.sidecar is None:
            return
        sidecar = replace(self._stored.sidecar, trial=verdict)
        self._stored = replace(self._stored, sidecar=sidecar)
        try:
            write_owned(self._stored.plan_path.with_suffix(SIDECAR), sidecar.to_json())
        except BuildFailed as error:
            _log.warning("The next start tries the engine again: %s", error)

    def engine_ms(self) -> float:
        """The GPU's time for the network alone, without copies."""
        if self._runner is None:
            raise closed(self.info)
        return self._runner.engine_ms()

    def close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            try:
                runner.close(lost=self._lost)
            except GpuFault as error:
                if not error.lost:
                    raise
                _log.warning("The GPU failed while the engine was closed: %s", error)

    @classmethod
    def unavailable(cls) -> str | None:
        gpu = find_gpu()
        if isinstance(gpu, str):
            return (
                f"{cls.backend} needs an NVIDIA GPU, but {gpu}. Install the driver, 580 or later, "
                "from https://www.nvidia.com/drivers if there is such a GPU, or use --backend auto."
            )
        refusal = cls.flavour.refusal(gpu)
        if refusal and all(cls.flavour.refusal(other) for other in _further_gpus()):
            return f"{cls.backend} cannot run: {refusal}. For this GPU {_OTHER}."
        if importlib.util.find_spec(cls.flavour.module) is None:
            return f'{cls.backend} is not installed. Install it: pip install "{cls.flavour.requirement}"'
        if misfit := cls.flavour.misfit():
            return f"{cls.backend} cannot run, because {misfit}"
        if importlib.util.find_spec("cuda") is None:
            return f"{cls.backend} needs cuda-bindings, which is not installed. Install it: {INSTALL}"
        return None

    def _open(self) -> PlanRunner:
        cuda = self._open_cuda(self._options.gpu, self._options.cuda)
        try:
            return PlanRunner(
                self._module,
                self._plan,
                self.info.width,
                self.info.height,
                cuda,
                self._form,
                self._read_kernels() if self.flavour.name == "rtx" else None,
                self._keep_kernels if self.flavour.name == "rtx" else None,
                self._options.batch,
            )
        except BaseException as error:
            with contextlib.suppress(GpuFault), cuda.current():
                traceback.clear_frames(error.__traceback__)  # TensorRT's objects in them must go before their context
            cuda.close(lost=isinstance(error, GpuFault) and error.lost)
            raise

    def _read_kernels(self) -> bytes | None:
        try:
            return read_owned(self._kernels)
        except EngineMismatch as error:
            _log.debug("The engine's kernels are compiled now, because %s", error)
            return None

    def _keep_kernels(self, data: bytes) -> None:
        try:
            write_owned(self._kernels, data)
        except BuildFailed as error:  # another run may be writing it; the engine is good without
            _log.warning("The next start will be slower: %s", error)


class TensorRTEngine(_TensorRTEngine):
    """TensorRT on any NVIDIA GPU since Turing."""

    backend = "tensorrt"
    flavour = FLAVOURS["tensorrt"]


class TensorRTRtxEngine(_TensorRTEngine):
    """TensorRT for RTX on GeForce RTX and RTX PRO."""

    backend = "tensorrt-rtx"
    flavour = FLAVOURS["rtx"]
