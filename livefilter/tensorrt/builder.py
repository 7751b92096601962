"""From a style's network to an engine in the store."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from livefilter.errors import BuildCancelled, BuildFailed, EngineMismatch, InvalidInput, StyleCorrupt
from livefilter.inference.hardware import Gpu
from livefilter.tensorrt.compile import CANCELLED
from livefilter.tensorrt.flavour import Flavour
from livefilter.tensorrt.key import FORMS, MULTIPLE, PRECISIONS, REVISION, EngineKey, SizeRange, frames_of
from livefilter.tensorrt.owned_file import read_owned, write_owned
from livefilter.tensorrt.sidecar import Sidecar
from livefilter.tensorrt.store import TIMING, BuiltPlan, EngineStore, StoredEngine

_log = logging.getLogger(__name__)
MOST_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """An engine that is wanted.

    network: the style's ONNX file, uint8 NHWC BGR in and out. style, licence: for names and the sidecar.
    precision: "fp16" or "fp32". level: builder optimisation, 0 (fast build) to 5 (fast engine). gpu: its number.
    form: what the engine gives, one of FORMS. batch: frames at once, which then are of one size.
    smaller: how many times smaller than its frames it draws (livefilter.generator.smaller).
    """

    network: Path
    style: str
    licence: str
    size: SizeRange
    flavour: Flavour
    precision: str = "fp16"
    level: int = 3
    gpu: int = 0
    form: str = "bgr"
    batch: int = 1
    smaller: int = 1

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise InvalidInput(f"Unknown precision {self.precision!r}. Use one of: {', '.join(PRECISIONS)}.")
        if self.form not in FORMS:
            raise InvalidInput(f"Unknown form {self.form!r}. Use one of: {', '.join(FORMS)}.")
        if not 0 <= self.level <= 5:
            raise InvalidInput(f"Builder level {self.level} is out of range. Use 0 (fast build) to 5 (fast engine).")
        if not 1 <= self.batch <= MOST_AT_ONCE:
            raise InvalidInput(f"{self.batch} frames at once are out of range. Use 1 to {MOST_AT_ONCE}.")
        if self.batch > 1 and not self.size.fixed:
            raise InvalidInput(
                f"An engine for {self.batch} frames at once takes one size. Use --size {self.size.best}."
            )

        if self.smaller < 1:
            raise InvalidInput(f"Nothing is drawn {self.smaller} times smaller. Use 1 or more.")
        multiple = MULTIPLE * self.smaller
        ends = (self.size.smallest, self.size.best, self.size.largest)
        if any(side % multiple for end in ends for side in (end.width, end.height)):
            near = "x".join(str(-(-side // multiple) * multiple) for side in (ends[1].width, ends[1].height))
            raise InvalidInput(
                f"Frames of {self.size} cannot be drawn {self.smaller} times smaller: width and height must then be "
                f"multiples of {multiple}. Use --size {near}, as a live run does, or --smaller 1."
            )

    @property
    def frames(self) -> str:
        """What it takes, in words."""
        return frames_of(str(self.size), self.batch, self.smaller)

    def key(self, gpu: Gpu) -> EngineKey:
        """The key of this engine on that GPU.

        Raises: StyleCorrupt: the network cannot be read.
        """
        try:
            checksum = hashlib.sha256(self.network.read_bytes()).hexdigest()
        except OSError as error:
            raise StyleCorrupt(
                f"Network file {self.network} cannot be read: {error.strerror}. Check the path or reinstall the style."
            ) from error
        return EngineKey(
            onnx_sha256=checksum,
            revision=REVISION,
            size=str(self.size),
            precision=self.precision,
            flavour=self.flavour.name,
            version=self.flavour.version(),
            gpu=gpu.name,
            capability=gpu.capability,
            driver=gpu.driver,
            level=self.level,
            form=self.form,
            batch=self.batch,
            smaller=self.smaller,
        )


class EngineBuilder:
    """Builds what is not in the store yet.

    say: told in a sentence what is going on. report: told the fraction done, 0 to 1, and the phase; from any thread.
    """

    def __init__(
        self, store: EngineStore, say: Callable[[str], None], report: Callable[[float, str], None] = lambda _f, _p: None
    ) -> None:
        self._store = store
        self._say = say
        self._report = report
        self._cancel = threading.Event()

    def cancel(self) -> None:
        """End a running build soon, from any thread; it raises BuildCancelled and leaves nothing behind."""
        self._cancel.set()

    def obtain(self, request: EngineRequest, anew: bool = False) -> tuple[StoredEngine, bool]:
        """The engine asked for, and whether it was built now; FP16 is checked against float32 first.

        Raises: BackendUnavailable: TensorRT or the GPU is missing. StyleCorrupt; BuildFailed; BuildCancelled.
        """
        request.flavour.require_installed()
        key = request.key(request.flavour.find_gpu(request.gpu))
        return self._store.obtain(
            key, request.style, lambda: self._build(request, key), self._say, self._cancel.is_set, anew
        )

    def _build(self, request: EngineRequest, key: EngineKey) -> BuiltPlan:
        # onnx and ONNX Runtime are needed only when something is built: an engine that is there is found without.
        from livefilter.generator.onnx_network import fix_size, load_network, network_ports
        from livefilter.generator.smaller import drawn_smaller
        from livefilter.tensorrt.check_pictures import check_pictures, check_size
        from livefilter.tensorrt.compile import PlanRequest, build_plan
        from livefilter.tensorrt.half import to_half
        from livefilter.tensorrt.look_graph import add_frame_extras
        from livefilter.tensorrt.precision_check import compare_precisions, require_same_picture

        module = request.flavour.load()
        network = drawn_smaller(load_network(request.network), request.smaller)
        check: tuple[Mapping[str, Any], ...] = ()
        if request.precision == "fp16":
            half = to_half(network)
            check = self._checked_alone(key)
            if not check:
                best, times = request.size.best, request.smaller
                size = check_size(best.width // times, best.height // times)
                pictures = check_pictures(size[0] * times, size[1] * times)
                figures = compare_precisions(network, half, pictures, self._checking)
                require_same_picture(request.style, figures)
                self._say(f"FP16 differs from float32 by {min(figures, key=lambda figure: figure.psnr_db)}: good.")
                check = tuple(asdict(figure) for figure in figures)
            network = half
        if request.size.fixed:
            network = fix_size(network, request.size.best.width, request.size.best.height, request.batch)
        strength = network_ports(network.graph).strength
        network = add_frame_extras(network, nv12=request.form == "nv12")
        timing_path = self._timing_path(key)
        timing = self._timing(timing_path) if request.flavour.timing_cache else None
        started = time.perf_counter()
        turing = request.flavour.builds_for_turing(key.capability)
        gpu = request.gpu if request.flavour.needs_gpu else 0
        asked = PlanRequest(network.SerializeToString(), request.size, request.level, timing, turing, strength, gpu)
        result = build_plan(module, asked, self._report, self._cancel)
        sidecar = Sidecar(
            key=key,
            style=request.style,
            licence=request.licence,
            plan_sha256=hashlib.sha256(result.plan).hexdigest(),
            plan_bytes=len(result.plan),
            build_s=round(time.perf_counter() - started, 3),
            built_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            check=check,
            layers=result.layers,
        )
        if result.timing:
            self._keep_timing(timing_path, result.timing)
        return BuiltPlan(result.plan, sidecar)

    def _checked_alone(self, key: EngineKey) -> tuple[Mapping[str, Any], ...]:
        """What the check of the engine for one frame at a time has found: the same network for more needs no other."""
        if key.batch == 1:
            return ()
        try:
            sidecar = self._store.load(replace(key, batch=1))[1].sidecar
        except EngineMismatch:
            return ()
        return sidecar.check if sidecar is not None else ()

    def _checking(self, picture: str) -> None:
        """A large generator takes many seconds for each picture on a CPU: say so, and hear `cancel` in between."""
        if self._cancel.is_set():
            raise BuildCancelled(CANCELLED)
        self._report(0.0, f"FP16 check: {picture}")

    def _timing_path(self, key: EngineKey) -> Path:
        # One cache serves every network, size and level of one TensorRT on one GPU.
        machine = replace(key, onnx_sha256="", revision=0, size="", precision="", level=0, form="", batch=1, smaller=1)
        return self._store.folder / f"{key.flavour}-{machine.digest}{TIMING}"

    def _keep_timing(self, path: Path, timing: bytes) -> None:
        try:
            write_owned(path, timing)
        except BuildFailed as error:  # another build may be writing it; the engine is good without
            _log.warning("The next build will be slower: %s", error)

    def _timing(self, path: Path) -> bytes:
        try:
            return read_owned(path)
        except EngineMismatch:
            return b""  # a new one; a timing cache is read by native code, so one that others may write is not used
