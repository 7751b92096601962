"""What goes into a TensorRT plan and what comes out, checked before anything is written to the GPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from livefilter.errors import EngineMismatch
from livefilter.inference.ports import PERSON, STRENGTH, NetworkPorts

NO_MORE = NetworkPorts()


@dataclass(frozen=True, slots=True)
class Port:
    """A tensor of a plan: its shape at the wanted size, the name of its type in TensorRT, and its bytes."""

    shape: tuple[int, ...]
    dtype: str
    given: bool

    @property
    def nbytes(self) -> int:
        values = 4 if self.dtype == "FLOAT" else 1
        for length in self.shape:
            values *= length
        return values


def ports_of(form: str, width: int, height: int, own: NetworkPorts = NO_MORE, batch: int = 1) -> dict[str, Port]:
    """The tensors of a plan of a form (livefilter.tensorrt.key.FORMS) for frames of one size.

    own: which more its network has. batch: frames at once, which all get the one look.
    """
    frame, half = (batch, height, width, 3), (batch, height // 2, width // 2, 1)
    ports = {"frame": Port(frame, "UINT8", given=True), "look": Port((4, width, 1), "FLOAT", given=True)}
    if own.strength:
        ports[STRENGTH] = Port(half, "FLOAT", given=True)
    ports["styled"] = Port((batch, height * 3 // 2, width) if form == "nv12" else frame, "UINT8", given=False)
    if own.person:
        ports[PERSON] = Port(half, "UINT8", given=False)
    return ports


def own_ports(engine: Any) -> NetworkPorts:
    """Which ports a plan's network has that a style may leave out."""
    names = {engine.get_tensor_name(index) for index in range(engine.num_io_tensors)}
    return NetworkPorts(strength=STRENGTH in names, person=PERSON in names)


def require_ports(engine: Any, trt: Any, ports: dict[str, Port]) -> bool:
    """Accept only plans with these tensors: an address that is too small would be written past.

    Returns: whether the plan is for a range of sizes, whose first profile takes this one.
    Raises: EngineMismatch.
    """
    batch, height, width, _ = ports["frame"].shape
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    found = {name: (tuple(engine.get_tensor_shape(name)), engine.get_tensor_dtype(name)) for name in names}
    fits = set(names) == set(ports) and all(
        found[name][1] == getattr(trt.DataType, port.dtype)
        and engine.get_tensor_mode(name) == (trt.TensorIOMode.INPUT if port.given else trt.TensorIOMode.OUTPUT)
        and _like(found[name][0], port.shape)
        for name, port in ports.items()
    )
    if not fits:
        several = f"{batch} frames of " if batch > 1 else ""
        raise EngineMismatch(f"The engine is no style for {several}{width}x{height}: it has {found}. Build it again.")
    if not any(-1 in shape for shape, _ in found.values()):
        return False
    for name, port in ports.items():
        if port.given:
            least, _, most = (tuple(shape) for shape in engine.get_tensor_profile_shape(name, 0))
            if not all(low <= length <= high for low, length, high in zip(least, port.shape, most, strict=True)):
                raise EngineMismatch(
                    f"The engine does not take {width}x{height}: its {name} may be from {least} to {most}. "
                    "Build one for this size."
                )
    return True


def fix_shapes(context: Any, ports: dict[str, Port]) -> None:
    """Set an execution context of a plan for a range of sizes to one size, once and for all.

    Raises: EngineMismatch: TensorRT refuses it, or gives another size.
    """
    for name, port in ports.items():
        if port.given and not context.set_input_shape(name, port.shape):
            raise EngineMismatch(f"The engine does not take {name} as {port.shape}. Build one for this size.")
    found, wanted = tuple(context.get_tensor_shape("styled")), ports["styled"].shape
    if found != wanted:
        raise EngineMismatch(f"The engine gives {found} where {wanted} is wanted. Build it again.")


def _like(declared: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(declared) == len(wanted) and all(a in (-1, b) for a, b in zip(declared, wanted, strict=True))
