"""A TensorRT plan in one CUDA context: its buffers, and one graph per frame or batch of frames."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from livefilter.errors import BackendUnavailable, EngineFailed, EngineMismatch
from livefilter.frame import Image
from livefilter.inference.cuda import Cuda, Graph
from livefilter.inference.look import PLAIN, Look
from livefilter.inference.ports import PERSON, STRENGTH
from livefilter.tensorrt.plan_ports import fix_shapes, own_ports, ports_of, require_ports
from livefilter.text import sentence

if TYPE_CHECKING:
    import tensorrt
    import tensorrt_rtx

_log = logging.getLogger(__name__)
_MIB = 1 << 20


class PlanRunner:
    """Runs a plan on frames of one size; ready when constructed, and its `close` closes `cuda`.

    module: tensorrt or tensorrt_rtx. plan: native code that the engine store vouches for; one for a range of sizes is
    set to this size. form: what the plan takes and gives, one of livefilter.tensorrt.key.FORMS. batch: frames at once.
    cache: what an earlier run's `on_cache` was given; TensorRT-RTX compiles a plan's kernels at its first run.
    Raises: EngineMismatch: TensorRT refuses the plan. BackendUnavailable: too little memory. GpuFault.
    """

    def __init__(
        self,
        module: Any,
        plan: bytes,
        width: int,
        height: int,
        cuda: Cuda,
        form: str = "bgr",
        cache: bytes | None = None,
        on_cache: Callable[[bytes], None] | None = None,
        batch: int = 1,
    ) -> None:
        if TYPE_CHECKING:
            import tensorrt as trt
        else:
            trt = module

        reasons: list[str] = []

        class Logger(trt.ILogger):
            """Passes TensorRT's messages to ours and remembers what went wrong."""

            def __init__(self) -> None:
                trt.ILogger.__init__(self)  # the binding needs it by name

            def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
                if severity <= trt.ILogger.Severity.ERROR:
                    reasons[:] = [" ".join(msg.split())]
                _log.debug("%s: %s", trt.__name__, msg)

        self._module: Any = module
        self._cuda = cuda
        self._reasons = reasons
        self._closed = False
        self._only: Graph | None = None
        with cuda.current():
            free = cuda.memory().free
            self._logger = Logger()
            # Only now, with a GPU found and its context current: without a driver the runtime crashes the process.
            self._runtime = trt.Runtime(self._logger)
            engine = self._runtime.deserialize_cuda_engine(plan)
            if engine is None:
                name = f"{trt.__name__} {trt.__version__}"
                raise EngineMismatch(f"{name} on {cuda.gpu.name} does not load the engine: {self._reason(plan)}.")
            self._engine = engine
            self.own = own_ports(engine)
            ports = ports_of(form, width, height, self.own, batch)
            ranged = require_ports(engine, trt, ports)
            needed = int(engine.device_memory_size_v2) + sum(port.nbytes for port in ports.values())
            if needed > cuda.memory().free:
                raise self._too_little(needed)
            runtime_cache, context = (
                self._open_context(cache) if on_cache else (None, engine.create_execution_context())
            )
            if context is None:
                raise self._too_little(needed)
            self._context = context
            if ranged:
                fix_shapes(context, ports)
            self._given = cuda.host(ports["frame"].nbytes, write_combined=True)
            self._taken = cuda.host(ports["styled"].nbytes)
            addresses = {name: cuda.device(port.nbytes) for name, port in ports.items()}
            self._input, self._output = addresses["frame"], addresses["styled"]
            self._given_images = list(self._given.reshape(ports["frame"].shape))
            styled: list[Image] = list(self._taken.reshape(ports["styled"].shape))
            for name, address in addresses.items():
                if not context.set_tensor_address(name, address):
                    raise EngineFailed(f"TensorRT does not take a buffer for {name}: {self._last()}.")
            self._width = width
            self._look_input = addresses["look"]
            self._look_given = cuda.host(ports["look"].nbytes, write_combined=True)
            self._strength: tuple[int, NDArray[np.uint8]] | None = None
            if self.own.strength:
                self._strength = addresses[STRENGTH], cuda.host(ports[STRENGTH].nbytes, write_combined=True)
            self._people: tuple[NDArray[np.uint8], int] | None = None
            people: list[Image | None] = [None] * batch
            if self.own.person:
                self._people = cuda.host(ports[PERSON].nbytes), addresses[PERSON]
                people = list(self._people[0].reshape(batch, height // 2, width // 2))
            self._drawn: list[tuple[Image, Image | None]] = list(zip(styled, people, strict=True))
            self._drawn_at: float | None = None
            self._show(PLAIN)
            self._given[:] = 127
            # TensorRT sets itself up at the first run, which may not be captured.
            self._frame()
            cuda.synchronize()
            self._require_capturable()
            self._graph = cuda.capture(self._frame)
            if runtime_cache is not None and on_cache is not None:
                on_cache(bytes(memoryview(runtime_cache.serialize())))
            self.memory_mib = max(0, free - cuda.memory().free) // _MIB

    def run(self, images: Sequence[Image], look: Look = PLAIN) -> list[tuple[Image, Image | None]]:
        """Style as many frames as the plan takes at once, of its size, all with one look.

        Returns: of each the styled frame, and where people are, see `person`; valid until the next `run` or `close`.
        Raises: GpuFault.
        """
        with self._cuda.current():
            if look != self._look:
                self._show(look)
            for given, image in zip(self._given_images, images, strict=True):
                np.copyto(given, image)
            self._cuda.launch(self._graph)
            self._cuda.wait()
        return self._drawn

    @property
    def person(self) -> Image | None:
        """Where people are in the first of the newest frames, (H/2, W/2) uint8; None if the network does not tell."""
        return self._drawn[0][1]

    def engine_ms(self) -> float:
        """The GPU's time for the network alone, without copies."""
        with self._cuda.current():
            if self._only is None:
                self._only = self._cuda.capture(self._enqueue)
            only = self._only
            return self._cuda.time_ms(lambda: self._cuda.launch(only))

    def close(self, lost: bool = False) -> None:
        """Free the plan and its buffers. Can be called twice. lost: the context is broken, see Cuda.close."""
        if self._closed:
            return
        self._closed = True
        try:
            if not lost:
                with self._cuda.current():
                    self._cuda.synchronize()
                    self._release()
            else:
                self._release()
        finally:
            self._cuda.close(lost)

    def _release(self) -> None:
        # TensorRT's objects go before the context they live in, the execution context first.
        held = ("_given_images", "_given", "_look_given", "_strength", "_context", "_engine", "_runtime")
        for name in held:
            if hasattr(self, name):
                delattr(self, name)

    def _show(self, look: Look) -> None:
        """Send a look to the GPU, where it stays for the frames to come: it is no part of the graph."""
        self._look_given[:] = look.columns(self._width, self.own.strength).reshape(-1).view(np.uint8)
        self._cuda.copy_in(self._look_input, self._look_given)
        if self._strength is not None and look.strength != self._drawn_at:
            at, given = self._strength
            given.view(np.float32)[:] = self._drawn_at = look.strength
            self._cuda.copy_in(at, given)
        self._look = look

    def _frame(self) -> None:
        self._cuda.copy_in(self._input, self._given)
        self._enqueue()
        self._cuda.copy_out(self._taken, self._output)
        if self._people is not None:
            self._cuda.copy_out(*self._people)

    def _enqueue(self) -> None:
        if not self._context.execute_async_v3(self._cuda.stream):
            raise EngineFailed(f"TensorRT does not run the engine on {self._cuda.gpu.name}: {self._last()}.")

    def _open_context(
        self, cache: bytes | None
    ) -> tuple[tensorrt_rtx.IRuntimeCache, tensorrt.IExecutionContext | None]:
        """An execution context of TensorRT-RTX, which skips compiling what the cache holds."""
        engine = cast("tensorrt_rtx.ICudaEngine", self._engine)
        config = engine.create_runtime_config()
        kernels = config.create_runtime_cache()
        if cache and not kernels.deserialize(cache):
            _log.info("The kernels of an earlier run do not fit this machine any more; compiling them again")
        config.set_runtime_cache(kernels)
        # A kernel that comes later would not get into the graph that is captured at the beginning.
        strategies = self._module.DynamicShapesKernelSpecializationStrategy
        config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
        return kernels, engine.create_execution_context(config)

    def _require_capturable(self) -> None:
        if hasattr(self._context, "is_stream_capturable"):  # TensorRT-RTX knows
            context = cast("tensorrt_rtx.IExecutionContext", self._context)
            if not context.is_stream_capturable(self._cuda.stream):
                raise EngineMismatch("TensorRT-RTX cannot run the engine as a CUDA graph. Build it again.")

    def _reason(self, plan: bytes) -> str:
        if hasattr(self._runtime, "get_engine_validity"):  # TensorRT-RTX tells more
            runtime = cast("tensorrt_rtx.Runtime", self._runtime)
            validity, diagnostics = runtime.get_engine_validity(plan)
            return f"{self._last()} ({validity}, {diagnostics})"
        return self._last()

    def _too_little(self, needed: int) -> BackendUnavailable:
        memory = self._cuda.memory()
        return BackendUnavailable(
            f"{self._cuda.gpu.name} has too little memory for the engine: it needs about {needed // _MIB + 1} MiB, and "
            f"{memory.free // _MIB} of {memory.total // _MIB} MiB are free. Close other programs that use the GPU, or "
            "use a smaller --process-size."
        )

    def _last(self) -> str:
        return sentence(self._reasons[-1] if self._reasons else "it gives no reason")
