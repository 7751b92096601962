"""Which of the engines that were built serves, and how a missing one is built."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from livefilter.errors import EngineMismatch
from livefilter.inference.hardware import Gpu
from livefilter.inference.smaller import usual_smaller
from livefilter.styles.network import SIZES
from livefilter.styles.network_file import require_meant
from livefilter.tensorrt.builder import EngineRequest
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.store import EngineStore, StoredEngine

_LEVELS = (5, 4, 3, 2, 1, 0)  # the best engine that was built


def label_of(network: Path) -> str:
    """What `livefilter build` calls a network: style and size where the file lies as styles do, else its path."""
    return f"{network.parent.name}-{network.stem}" if _is_of_a_style(network) else str(network)


def _is_of_a_style(network: Path) -> bool:
    return network.name in {f"{size}.onnx" for size in SIZES}


def usual_factor(network: Path, size: SizeRange) -> int:
    """How many times smaller than its frames an engine draws them where nothing else is said: as many as live runs ask
    for, and 1 where it is for a range, each size of which would want its own."""
    return usual_smaller(network, size.best.width, size.best.height) if size.fixed else 1


def build_arguments(request: EngineRequest) -> list[str]:
    """What follows `livefilter` in the command that builds an engine."""
    path = request.network
    network = [path.parent.name, "--network", path.stem] if _is_of_a_style(path) else [str(path)]
    told = [*network, "--size", str(request.size), "--flavour", request.flavour.name]
    told += ["--nv12"] if request.form == "nv12" else []
    told += ["--batch", str(request.batch)] if request.batch > 1 else []
    if request.smaller != usual_factor(path, request.size):
        told += ["--smaller", str(request.smaller)]
    return ["build", *told, *(["--gpu", str(request.gpu)] if request.gpu else [])]


def build_command(request: EngineRequest) -> str:
    """The command that builds an engine."""
    return shlex.join(["livefilter", *build_arguments(request)])


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
        and (key.size, key.precision, key.flavour, key.form, key.batch)
        == (wanted.size, wanted.precision, wanted.flavour, wanted.form, wanted.batch)
        and (differences := replace(key, level=wanted.level).differences(wanted))
    ]
    whys = faults + [f"the one there is for another: {what}" for what in elsewhere]
    whys += [f"the one for {key.size} does not reach it" for key in ranged]
    why = f" ({whys[0]})" if whys else ""
    raise EngineMismatch(
        f"There is no {request.flavour.title} engine of {request.style} for {request.frames} on {gpu.name}{why}. "
        f"Build it: {build_command(request)}"
    )
