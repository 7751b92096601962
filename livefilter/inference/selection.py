"""Which backend runs, and why."""

from __future__ import annotations

from livefilter.errors import BackendUnavailable
from livefilter.registry import ENGINES

# Fastest first. OpenVINO stands before ONNX Runtime because it needs a half to a third of the time on the same CPU.
PREFERENCE = (
    "tensorrt",
    "tensorrt-rtx",
    "onnxruntime-tensorrt",
    "onnxruntime-cuda",
    "onnxruntime-directml",
    "onnxruntime-coreml",
    "openvino",
    "onnxruntime",
)


def choose_backend(name: str) -> tuple[str, str]:
    """The backend to run for a `--backend` value, and the reason in plain words.

    name: a registry name, which is taken or refused, never replaced; or "auto", the fastest one present.
    Raises: UnknownName; BackendUnavailable: the named one cannot run here, with the fix.
    """
    if name != "auto":
        reason = why_unavailable(name)
        if reason:
            raise BackendUnavailable(reason)
        return name, "chosen by name"
    reasons: list[str] = []
    for candidate in PREFERENCE:
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
