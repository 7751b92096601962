"""What `livefilter build` compiles: a style of the catalogue, or a generator in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from livefilter.errors import InvalidInput
from livefilter.styles.accepts import Accepts
from livefilter.styles.catalogue import Catalogue
from livefilter.tensorrt.flavour import Flavour
from livefilter.tensorrt.key import SizeRange

_CHECKPOINTS = (".safetensors", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True, slots=True)
class BuildNetwork:
    """A network that engines can be built from.

    path: an ONNX file, `frame` to `styled`, uint8 BGR. style, licence: for names and the sidecar.
    accepts: the frames that it takes.
    """

    path: Path
    style: str
    licence: str
    accepts: Accepts = Accepts()  # noqa: RUF009 - frozen

    def require(self, size: SizeRange) -> None:
        """Accept only sizes that the network takes.

        Raises: InvalidInput.
        """
        only, multiple = self.accepts.size, self.accepts.multiple
        ends = [(end.width, end.height) for end in (size.smallest, size.best, size.largest)]
        if only is not None and {*ends} != {only}:
            raise InvalidInput(f"{self.style} takes frames of {self.accepts}. Use --size {only[0]}x{only[1]}.")
        if any(side % multiple for end in ends for side in end):
            near = "x".join(str(max(multiple, round(side / multiple) * multiple)) for side in ends[1])
            raise InvalidInput(f"{self.style} takes frames of {self.accepts}, not {size}. Use {near}.")


def network_to_build(
    named: str, network_size: str, flavour: Flavour, folder: Path, say: Callable[[str], None]
) -> BuildNetwork:
    """Look up a style, or read a file.

    named: a style, an ONNX file with a style's ports or with RGB float in and out, or a checkpoint (.safetensors,
    .pt, .pth, .ckpt) of livefilter's own generators or of the AnimeGAN family. network_size: of a style's network.
    folder: receives what must be converted first, by the rules of `livefilter import`: the engine then serves the
    style that the same file is imported as. say: told in a sentence what was found.
    Raises: InvalidInput: no such file, or no generator in it. UnknownName, StyleCorrupt: of the catalogue.
        BackendUnavailable: a package that reads the file is missing.
    """
    path = Path(named)
    suffix = path.suffix.lower()
    if suffix not in (".onnx", *_CHECKPOINTS) and not path.is_file():
        style, chosen = Catalogue().choose(named, network_size, gpu=True)
        return BuildNetwork(chosen.path, chosen.label, style.licence, chosen.accepts)
    if not path.is_file():
        raise InvalidInput(f"Network file {path} does not exist. Check the path or name a style: livefilter styles.")
    flavour.require_installed()  # of what it needs, onnx is needed from here on
    if suffix == ".onnx" and _has_style_ports(path):
        return BuildNetwork(path, path.stem, "unknown")
    from livefilter.generator.import_apart import import_apart

    incoming = import_apart(path).incoming
    say(f"{path.name} is {incoming.found}, {incoming.parameters} weights; it takes {incoming.accepts}.")
    wrapped = folder / f"{path.stem}.onnx"
    wrapped.write_bytes(incoming.data)
    return BuildNetwork(wrapped, path.stem, "unknown", incoming.accepts)


def _has_style_ports(path: Path) -> bool:
    from livefilter.generator.float_generator import read_onnx
    from livefilter.generator.onnx_network import FRAME, STYLED

    graph = read_onnx(path).graph
    return {FRAME, STYLED} <= {port.name for port in (*graph.input, *graph.output)}
