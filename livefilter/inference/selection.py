"""Which backend runs, and why."""

from __future__ import annotations

from collections.abc import Collection

from livefilter.errors import BackendUnavailable
from livefilter.registry import ENGINES

# Fastest first. OpenVINO stands before ONNX Runtime because it needs a half to a third of the time on the same CPU.
PREFERENCE = (
    "tensorrt",
    "tensorrt-rtx",
    "torch",
    "onnxruntime-tensorrt",
    "onnxruntime-tensorrt-rtx",
    "onnxruntime-cuda",
    "onnxruntime-directml",
    "onnxruntime-coreml",
    "openvino",
    "onnxruntime",
)
# These run what was built ahead for one size, so they may be present and still have nothing to run.
BUILT_AHEAD = ("tensorrt", "tensorrt-rtx")
_ON_CPU = ("openvino", "onnxruntime", "identity")
_ON_NVIDIA = (*BUILT_AHEAD, "torch", "onnxruntime-tensorrt", "onnxruntime-tensorrt-rtx", "onnxruntime-cuda")


def runs_on_gpu(name: str) -> bool:
    """Whether a backend runs on a GPU, and so takes a style's full network where none is named."""
    return name not in _ON_CPU


def numbers_gpus(name: str) -> bool:
    """Whether a backend runs on the GPU of the number that it is told, which those on NVIDIA's do."""
    return name in _ON_NVIDIA


def choose_backend(name: str, without: Collection[str] = ()) -> tuple[str, str]:
    """The backend to run for a `--backend` value, and the reason in plain words.

    name: a registry name, which is taken or refused, never replaced; or "auto", the fastest one present.
    without: what "auto" passes over, such as BUILT_AHEAD where no engine is built while the program runs.
    Raises: UnknownName; BackendUnavailable: the named one cannot run here, with the fix.
    """
    if name != "auto":
        reason = why_unavailable(name)
        if reason:
            raise BackendUnavailable(reason)
        return name, "chosen by name"
    reasons: list[str] = []
    for candidate in PREFERENCE:
        if candidate in without:
            continue
        reason = why_unavailable(candidate)
        if reason is None:
            # On a bare CPU there is one step that anybody can take; the doctor tells the rest.
            better = f" ({why_unavailable('openvino')})" if candidate == "onnxruntime" else ""
            return candidate, f"the fastest one that runs here{better}"
        reasons.append(reason)
    raise BackendUnavailable(f"No backend can run on this machine: {reasons[-1]}")


def why_unavailable(name: str) -> str | None:
    """Why a backend cannot run on this machine, with the fix; None when it can.

    Raises: UnknownName.
    """
    try:
        found: str | None = ENGINES.load(name).unavailable()
    except ImportError as error:
        return f"{name} does not load ({error}). Reinstall it: pip install --force-reinstall onnxruntime"
    return found
