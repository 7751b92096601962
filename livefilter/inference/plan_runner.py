"""A TensorRT plan in one CUDA context: its buffers, and one graph per frame."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from livefilter.errors import BackendUnavailable, EngineFailed, EngineMismatch
from livefilter.frame import Image
from livefilter.inference.cuda import Cuda, Graph

if TYPE_CHECKING:
    import tensorrt
    import tensorrt_rtx

_log = logging.getLogger(__name__)
_MIB = 1 << 20


class PlanRunner:
    """Runs a plan on frames of one size; ready when constructed, and its `close` closes `cuda`.

    module: tensorrt or tensorrt_rtx. plan: native code that the engine store vouches for.
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
        cache: bytes | None = None,
        on_cache: Callable[[bytes], None] | None = None,
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
            _require_frames(engine, trt, width, height)
            size = width * height * 3
            needed = int(engine.device_memory_size_v2) + 2 * size
            if needed > cuda.memory().free:
                raise self._too_little(needed)
            runtime_cache, context = (
                self._open_context(cache) if on_cache else (None, engine.create_execution_context())
            )
            if context is None:
                raise self._too_little(needed)
            self._context = context
            self._given = cuda.host(size, write_combined=True)
            self._taken = cuda.host(size)
            self._input, self._output = cuda.device(size), cuda.device(size)
            self._given_image = self._given.reshape(height, width, 3)
            self._styled: Image = self._taken.reshape(height, width, 3)
            for name, address in (("frame", self._input), ("styled", self._output)):
                if not context.set_tensor_address(name, address):
                    raise EngineFailed(f"TensorRT does not take a buffer for {name}: {self._last()}.")
            self._given[:] = 127
            # TensorRT sets itself up at the first run, which may not be captured.
            self._frame()
            cuda.synchronize()
            self._graph = cuda.capture(self._frame)
            if runtime_cache is not None and on_cache is not None:
                on_cache(bytes(memoryview(runtime_cache.serialize())))
            self.memory_mib = max(0, free - cuda.memory().free) // _MIB

    def run(self, image: Image) -> Image:
        """Style a frame of the plan's size; the result is valid until the next `run` or `close`.

        Raises: GpuFault.
        """
        with self._cuda.current():
            np.copyto(self._given_image, image)
            self._cuda.launch(self._graph)
            self._cuda.wait()
        return self._styled

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
        for name in ("_given_image", "_given", "_context", "_engine", "_runtime"):
            if hasattr(self, name):
                delattr(self, name)

    def _frame(self) -> None:
        self._cuda.copy_in(self._input, self._given)
        self._enqueue()
        self._cuda.copy_out(self._taken, self._output)

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
        return kernels, engine.create_execution_context(config)

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
        text = self._reasons[-1] if self._reasons else "it gives no reason"
        return (text if len(text) <= 240 else text[:237] + "...").rstrip(".")


def _require_frames(engine: tensorrt.ICudaEngine, trt: Any, width: int, height: int) -> None:
    """Accept only plans that take and give frames: an address that is too small would be written past.

    Raises: EngineMismatch.
    """
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    modes = {"frame": trt.TensorIOMode.INPUT, "styled": trt.TensorIOMode.OUTPUT}
    found = {name: (tuple(engine.get_tensor_shape(name)), engine.get_tensor_dtype(name)) for name in names}
    wanted = ((1, height, width, 3), trt.DataType.UINT8)
    if set(names) != set(modes) or any(found[n] != wanted or engine.get_tensor_mode(n) != modes[n] for n in modes):
        raise EngineMismatch(f"The engine is no style for {width}x{height}: it has {found}. Build it again.")
