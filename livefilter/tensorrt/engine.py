"""TensorRT, in both of its flavours."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import shlex
import traceback
from collections.abc import Callable, Iterator
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
from livefilter.styles.network import SIZES
from livefilter.styles.network_file import require_meant
from livefilter.tensorrt.builder import EngineRequest
from livefilter.tensorrt.flavour import FLAVOURS, Flavour
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.owned_file import read_owned, write_owned
from livefilter.tensorrt.plan_runner import PlanRunner
from livefilter.tensorrt.store import KERNELS, SIDECAR, EngineStore, StoredEngine, engines_folder

_log = logging.getLogger(__name__)
_LEVELS = (5, 4, 3, 2, 1, 0)  # the best engine that was built
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
    """What the flavours share. An engine must have been built for the network, the size and this machine's GPU.

    store: where engines are; None takes the usual folder. cuda: opens a GPU. module: the TensorRT package.
    form: of the engine; None is that of the options.
    Raises on construction, besides what Engine says: EngineMismatch: there is no such engine; says how to build it.
    """

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
        size = SizeRange.parse(f"{width}x{height}")
        request = EngineRequest(
            network, label_of(network), "", size, self.flavour, gpu=self._options.gpu, form=self._form
        )
        self._plan, engine = find_engine(store or EngineStore(engines_folder()), request, gpu, self._options.sha256)
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
        if self._runner is None:
            raise closed(self.info)
        require_frame(image, self.info)
        try:
            return self._runner.run(image, look)
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


def label_of(network: Path) -> str:
    """What `livefilter build` calls a network: style and size where the file lies as styles do, else its path."""
    return f"{network.parent.name}-{network.stem}" if _is_of_a_style(network) else str(network)


def _is_of_a_style(network: Path) -> bool:
    return network.name in {f"{size}.onnx" for size in SIZES}


def build_command(request: EngineRequest) -> str:
    """The command that builds an engine."""
    path = request.network
    network = shlex.quote(str(path))
    if _is_of_a_style(path):
        network = f"{shlex.quote(path.parent.name)} --network {path.stem}"
    gpu = (" --nv12" if request.form == "nv12" else "") + (f" --gpu {request.gpu}" if request.gpu else "")
    return f"livefilter build {network} --size {request.size} --flavour {request.flavour.name}{gpu}"


def find_engine(store: EngineStore, request: EngineRequest, gpu: Gpu, sha256: str = "") -> tuple[bytes, StoredEngine]:
    """The best engine built for this request on this GPU, at any builder level; else one for a range with its size.

    An engine counts only for the very network that it was built from. sha256: what that is by its card; "" for any.
    Raises: StyleCorrupt: the network is another one. EngineMismatch: there is none that may be loaded; says why and how
        to build it.
    """
    wanted = request.key(gpu)
    require_meant(request.network, wanted.onnx_sha256, sha256)
    faults = []
    for level in _LEVELS:
        key = replace(wanted, level=level)
        if any(path.stem.endswith(f"-{key.digest}") for path in store.folder.glob("*.plan")):
            try:
                return store.load(key)
            except EngineMismatch as error:
                faults.append(str(error.__cause__ or error))
    ranged = [
        engine.sidecar.key
        for engine in store.engines()
        if engine.sidecar is not None
        and not SizeRange.parse(engine.sidecar.key.size).fixed
        and engine.sidecar.key == replace(wanted, size=engine.sidecar.key.size, level=engine.sidecar.key.level)
    ]
    for key in sorted(ranged, key=lambda key: -key.level):
        if request.size.best in SizeRange.parse(key.size):
            try:
                return store.load(key)
            except EngineMismatch as error:
                faults.append(str(error.__cause__ or error))
    elsewhere = [
        "; ".join(differences)
        for engine in store.engines()
        if engine.sidecar is not None
        and (key := engine.sidecar.key).onnx_sha256 == wanted.onnx_sha256
        and (key.size, key.precision, key.flavour, key.form)
        == (wanted.size, wanted.precision, wanted.flavour, wanted.form)
        and (differences := replace(key, level=wanted.level).differences(wanted))
    ]
    whys = faults + [f"the one there is for another: {what}" for what in elsewhere]
    whys += [f"the one for {key.size} does not reach it" for key in ranged]
    why = f" ({whys[0]})" if whys else ""
    raise EngineMismatch(
        f"There is no {request.flavour.title} engine of {request.style} for {request.size} on {gpu.name}{why}. "
        f"Build it: {build_command(request)}"
    )
