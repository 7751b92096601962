"""Does a built engine still fit this machine?"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from livefilter.inference.hardware import NO_GPU, Gpu, find_gpu
from livefilter.tensorrt.flavour import FLAVOURS
from livefilter.tensorrt.key import REVISION
from livefilter.tensorrt.sidecar import Sidecar


def why_stale(sidecar: Sidecar, networks: Mapping[str, str]) -> str | None:
    """Why this engine will not be used any more; None when it may be.

    networks: the SHA-256 of each network that is known here, by its label.
    """
    key = sidecar.key
    flavour = FLAVOURS.get(key.flavour)
    if flavour is None:
        return f"flavour {key.flavour} is not known"
    if networks.get(sidecar.style, key.onnx_sha256) != key.onnx_sha256:
        return f"the network of {sidecar.style} has changed"
    if key.revision != REVISION:
        return "livefilter now converts networks differently"
    if importlib.util.find_spec(flavour.module) is not None and flavour.version() != key.version:
        return f"it was built with {flavour.title} {key.version}, and {flavour.version()} is installed"
    return _other_machine(sidecar)


def _other_machine(sidecar: Sidecar) -> str | None:
    built = Gpu(sidecar.key.gpu, sidecar.key.capability, sidecar.key.driver)
    found = find_gpu()
    here = found if isinstance(found, Gpu) else NO_GPU
    if built == here:
        return None
    if built == NO_GPU:
        return f"it was built without a GPU, and this machine has {here.name}"
    if isinstance(found, str):
        return f"it was built for {built.name}, but {found}"
    for number in range(1, 64):  # other GPUs of this machine
        other = find_gpu(number)
        if isinstance(other, str):
            break
        if other == built:
            return None
    return (
        f"it was built for {built.name} with driver {built.driver}, and this machine has {here.name} with {here.driver}"
    )
