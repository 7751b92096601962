"""Compiles one ONNX graph to a TensorRT plan."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from livefilter.errors import BuildCancelled, BuildFailed, GpuFault
from livefilter.inference.cuda import open_cuda
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.progress import BuildProgress
from livefilter.text import sentence

if TYPE_CHECKING:
    import tensorrt
    import tensorrt_rtx

_log = logging.getLogger(__name__)
CANCELLED = "The build was cancelled; nothing of it was kept."


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What to build.

    onnx: the serialized graph; at a fixed size its `frame` has that shape, else height and width are free.
    size: the frames it must take. level: builder optimisation, 0 (fast build) to 5 (fast engine).
    timing: a timing cache from an earlier build, or None where none is kept.
    turing: TensorRT-RTX shall build for Turing (7.5), which it leaves out of what fits all later GPUs.
    strength: the graph has the input of that name. gpu: the number of the one to build on, if it is not the first.
    """

    onnx: bytes
    size: SizeRange
    level: int
    timing: bytes | None = None
    turing: bool = False
    strength: bool = False
    gpu: int = 0


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What was built: the plan, the layers TensorRT was given, and its timing cache, if one is kept."""

    plan: bytes
    layers: tuple[Mapping[str, Any], ...]
    timing: bytes | None


def build_plan(
    module: Any, request: PlanRequest, report: Callable[[float, str], None], cancel: threading.Event
) -> PlanResult:
    """Build in a thread of its own, so that Ctrl-C and `cancel` are heard while TensorRT works.

    module: from `Flavour.load`. report: told the fraction done and the phase, from any thread.
    Raises: BuildFailed: with TensorRT's own reason. BackendUnavailable: there is no such GPU. BuildCancelled.
    KeyboardInterrupt: after the build has ended.
    """
    results: list[PlanResult] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            with _on(request.gpu):
                results.append(_compile(module, request, report, cancel))
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    ended = threading.Event()
    thread = threading.Thread(target=work, name="engine-build", daemon=True)
    try:
        thread.start()
        while not ended.wait(0.1):  # a wait without an end cannot be interrupted on Windows
            pass
    except KeyboardInterrupt:
        cancel.set()
        while thread.is_alive() and not ended.wait(0.1):
            pass
        raise
    finally:
        if ended.is_set():  # not after a second Ctrl-C, which ends the program at once
            thread.join()
    if errors:
        raise errors[0]
    return results[0]


@contextmanager
def _on(gpu: int) -> Iterator[None]:
    """Make a GPU this thread's own, for TensorRT builds on that one, which is the first one where nobody says so."""
    if not gpu:
        yield
        return
    cuda = open_cuda(gpu)
    try:
        with cuda.current():
            yield
    except BaseException as error:
        with suppress(GpuFault), cuda.current():
            traceback.clear_frames(error.__traceback__)  # TensorRT's objects in them must go before their context
        raise
    finally:
        cuda.close()


def _compile(
    module: Any, request: PlanRequest, report: Callable[[float, str], None], cancel: threading.Event
) -> PlanResult:
    if TYPE_CHECKING:
        import tensorrt as trt
    else:
        trt = module

    reasons: list[str] = []
    progress = BuildProgress(report)

    class Logger(trt.ILogger):
        """Passes TensorRT's messages to ours and remembers what went wrong."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)  # the binding needs it by name: super() leaves it without its other half

        def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
            if severity <= trt.ILogger.Severity.ERROR:
                reasons.append(" ".join(msg.split()))
            _log.debug("%s: %s", trt.__name__, msg)

    class Monitor(trt.IProgressMonitor):
        """Reports the phases, and ends the build when asked."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            progress.start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            progress.step(phase_name, step)
            return not cancel.is_set()

        def phase_finish(self, phase_name: str) -> None:
            progress.finish(phase_name)

    # All of these stay referenced until the build has ended: the bindings hold no references of their own.
    logger, monitor = Logger(), Monitor()
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(request.onnx):
        found = [parser.get_error(index).desc() for index in range(parser.num_errors)] or reasons
        raise BuildFailed(
            f"TensorRT cannot read the network: {_said(found)}. Use --backend onnxruntime for this style."
        )
    config = builder.create_builder_config()
    config.builder_optimization_level = request.level
    config.max_aux_streams = 0  # one stream is what a CUDA graph captures most simply
    config.clear_flag(trt.BuilderFlag.TF32)  # fp32 means fp32
    # TensorRT-RTX, which alone has this flag, wants it where a run is captured as a CUDA graph (its notes to 1.2).
    captured: Any = getattr(trt.BuilderFlag, "REQUIRE_USER_ALLOCATION", None)
    if captured is not None:
        config.set_flag(captured)
    if request.turing:
        rtx = cast("tensorrt_rtx.IBuilderConfig", config)
        rtx.num_compute_capabilities = 1
        if not rtx.set_compute_capability(module.ComputeCapability.SM75, 0):
            raise BuildFailed(f"TensorRT cannot build for Turing: {_said(reasons)}. Use --flavour tensorrt.")
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # for `livefilter engines inspect`
    config.progress_monitor = monitor
    if not request.size.fixed:
        profile = builder.create_optimization_profile()
        sizes = (request.size.smallest, request.size.best, request.size.largest)
        profile.set_shape("frame", *((1, size.height, size.width, 3) for size in sizes))
        profile.set_shape("look", *((4, size.width, 1) for size in sizes))
        if request.strength:
            profile.set_shape("strength", *((1, size.height // 2, size.width // 2, 1) for size in sizes))
        config.add_optimization_profile(profile)
    if request.timing is not None:
        config.set_timing_cache(config.create_timing_cache(request.timing), True)
    layers = tuple(_describe(network.get_layer(index)) for index in range(network.num_layers))
    if cancel.is_set():
        raise BuildCancelled(CANCELLED)
    plan = builder.build_serialized_network(network, config)
    if cancel.is_set():
        raise BuildCancelled(CANCELLED)
    if plan is None:
        raise BuildFailed(f"TensorRT cannot build {request.size}: {_said(reasons)}. Try a smaller --size or --level.")
    timing = None if request.timing is None else bytes(memoryview(config.get_timing_cache().serialize()))
    return PlanResult(bytes(memoryview(plan)), layers, timing)


def _describe(layer: tensorrt.ILayer) -> dict[str, Any]:
    output = layer.get_output(0)
    return {
        "name": layer.name,
        "type": layer.type.name.lower(),
        "precision": output.dtype.name.lower(),
        "shape": list(output.shape),
    }


def _said(reasons: list[str]) -> str:
    return sentence(reasons[0] if reasons else "it gives no reason")
