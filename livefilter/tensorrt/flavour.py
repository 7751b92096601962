"""The two flavours of TensorRT: one API, two packages."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from typing import Any

from livefilter.errors import BackendUnavailable, UnknownName
from livefilter.inference.hardware import NO_GPU, TURING, Gpu, find_gpu


@dataclass(frozen=True, slots=True)
class Flavour:
    """A TensorRT package.

    name: what the user types. title: what the user reads. module: what is imported. requirement: what pip installs.
    needs_gpu: whether building needs a GPU. timing_cache: whether it keeps one (in TensorRT-RTX it does nothing).
    capabilities: the compute capabilities that it supports; the last one stands for all later ones, too.
    """

    name: str
    title: str
    module: str
    requirement: str
    needs_gpu: bool
    timing_cache: bool
    capabilities: tuple[tuple[int, int], ...]

    def load(self) -> Any:
        """Import the package.

        Raises: BackendUnavailable: it is not installed, too old or does not load, with the command that installs it.
        """
        self.require_installed()
        if misfit := self.misfit():
            raise BackendUnavailable(f"{self.title} engines cannot be built or run, because {misfit}")
        try:
            return importlib.import_module(self.module)
        except (ImportError, OSError) as error:
            raise BackendUnavailable(
                f"{self.title} is installed but does not load: {str(error).splitlines()[0]}. Reinstall it: "
                f'pip install --force-reinstall "{self.requirement}"'
            ) from error

    def require_installed(self) -> None:
        """Check that building is possible, without importing anything large.

        Raises: BackendUnavailable: with the command that installs what is missing.
        """
        needs = {self.module: self.requirement, "onnx": "onnx>=1.16,<2", "filelock": "filelock>=3.16,<5"}
        missing = [needed for module, needed in needs.items() if importlib.util.find_spec(module) is None]
        if missing:
            names = ", ".join(needed.partition(">")[0] for needed in missing)
            quoted = " ".join(f'"{needed}"' for needed in missing)
            others = [o for o in FLAVOURS.values() if o is not self and importlib.util.find_spec(o.module) is not None]
            other = f", or use --flavour {others[0].name}" if others and self.requirement in missing else ""
            are, them = ("are", "them") if len(missing) > 1 else ("is", "it")
            raise BackendUnavailable(
                f"{self.title} engines cannot be built, because {names} {are} not installed. "
                f"Install {them}: pip install {quoted}{other}"
            )

    def misfit(self) -> str | None:
        """Why the installed version does not serve, with the command that installs one that does; None when it does.

        TensorRT 10, which ONNX Runtime's provider wants, would read the precisions of a graph as mere hints.
        """
        wanted = self.requirement.partition(">=")[2].partition(",")[0].partition(".")[0]
        found = self.version()
        if found.partition(".")[0] == wanted:
            return None
        return f'{self.title} {found} is installed, not {wanted}. Install it: pip install "{self.requirement}"'

    def version(self) -> str:
        """The version of the package, read without importing it."""
        for distribution in (self.module, self.module.replace("_", "-")):
            try:
                return importlib.metadata.version(distribution)
            except importlib.metadata.PackageNotFoundError:
                continue
        return str(self.load().__version__)

    def refusal(self, gpu: Gpu) -> str | None:
        """Why it cannot run on this GPU, without a full stop; None when it can."""
        major, minor = (int(part) for part in gpu.capability.split("."))
        *single, last = self.capabilities
        if (major, minor) >= last or (major, minor) in single:
            return None
        names = ", ".join(f"{major}.{minor}" for major, minor in single)
        supported = f"{names}{' and ' if names else ''}{last[0]}.{last[1]} or later"
        return f"{self.title} supports compute capability {supported}, and {gpu.name} has {gpu.capability}"

    def builds_for_turing(self, capability: str) -> bool:
        """Whether engines for a GPU of this capability have to be built for it alone.

        TensorRT-RTX leaves Turing out of what fits all later GPUs (its documentation, "CPU-only AOT").
        """
        return self.name == "rtx" and capability == ".".join(map(str, TURING))

    def find_gpu(self, index: int = 0) -> Gpu:
        """The GPU to build for; NO_GPU where there is none and none is needed.

        Raises: BackendUnavailable.
        """
        found = find_gpu(index)
        if isinstance(found, Gpu):
            if refusal := self.refusal(found):
                others = [o for o in FLAVOURS.values() if o is not self and o.refusal(found) is None]
                fix = f"--flavour {others[0].name}" if others else "--backend onnxruntime-cuda"
                raise BackendUnavailable(f"The engine cannot be built: {refusal}. Use {fix}.")
            return found
        if self.needs_gpu:
            raise BackendUnavailable(
                f"{self.title} engines are built on the NVIDIA GPU that runs them, but {found}. "
                "Install its driver (580 or later) from https://www.nvidia.com/drivers, or use --flavour rtx, which "
                "builds without a GPU."
            )
        return NO_GPU


# Compute capabilities from the support matrices of TensorRT 11 and TensorRT-RTX 1.7. TensorRT-RTX itself names 8.0 and
# leaves out 9.0 (H100, H200), which its runtime was seen to refuse.
FLAVOURS = {
    "tensorrt": Flavour(
        name="tensorrt",
        title="TensorRT",
        module="tensorrt",
        requirement="tensorrt>=11,<12",
        needs_gpu=True,
        timing_cache=True,
        capabilities=(TURING,),
    ),
    "rtx": Flavour(
        name="rtx",
        title="TensorRT-RTX",
        module="tensorrt_rtx",
        requirement="tensorrt-rtx>=1.7,<2",
        needs_gpu=False,
        timing_cache=False,
        capabilities=(TURING, (8, 0), (8, 6), (8, 9), (12, 0)),
    ),
}


def get_flavour(name: str) -> Flavour:
    """Look up a flavour.

    Raises: UnknownName.
    """
    if name not in FLAVOURS:
        raise UnknownName("flavour", name, FLAVOURS)
    return FLAVOURS[name]
