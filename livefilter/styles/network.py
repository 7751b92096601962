"""One trained network of a style."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from livefilter.errors import StyleCorrupt
from livefilter.styles.accepts import Accepts
from livefilter.styles.network_edit import gives, without_crisp

# Smallest first: `lite` is for CPUs, `full` for GPUs.
SIZES = ("lite", "full")
_PERSON = "person"  # the output that says where people are


@dataclass(frozen=True, slots=True)
class Network:
    """A network of a style, in one of two sizes, as the style's card describes it.

    style: name of the style it belongs to. size: "lite" or "full".
    path: the ONNX file, whose SHA-256 must be `sha256` (64 lower-case hexadecimal digits).
    int8_path: the same network with convolutions in INT8, for processors; its SHA-256 must be `int8_sha256`.
    parameters: weights in the network. macs_per_pixel: multiply-accumulates for each pixel of a frame.
    accepts: the sizes of frames that it takes.
    training: the command that made it. figures: what was measured after training, by name.
    """

    style: str
    size: str
    path: Path
    sha256: str
    parameters: int = 0
    macs_per_pixel: float = 0.0
    accepts: Accepts = field(default_factory=Accepts)
    training: str = ""
    figures: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    int8_path: Path | None = None
    int8_sha256: str = ""

    @property
    def label(self) -> str:
        """What tells it from every other network: style and size."""
        return f"{self.style}-{self.size}"

    @property
    def tells_people(self) -> bool:
        """Whether the file has an output that says where people are; not where it cannot be read."""
        try:
            return gives(self.path.read_bytes(), _PERSON)
        except (OSError, ValueError):  # opening it says why
            return False

    @property
    def is_crisp(self) -> bool:
        """Whether its last layer makes edges crisp, which may as well be done at another size; not where unreadable."""
        try:
            return without_crisp(self.path.read_bytes())[1] > 0
        except (OSError, ValueError):
            return False

    def verify(self) -> None:
        """Compare the files with the card's SHA-256, so that no other file runs in their place.

        Raises: StyleCorrupt: names both.
        """
        self._verify(self.path, self.sha256)
        if self.int8_path is not None:
            self._verify(self.int8_path, self.int8_sha256)

    def _verify(self, path: Path, sha256: str) -> None:
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise StyleCorrupt(
                f"Network file {path} of style {self.style} cannot be read: {error.strerror}. Reinstall the style."
            ) from error
        if found != sha256:
            raise StyleCorrupt(
                f"Network file {path} of style {self.style} is not the one its card names: "
                f"its SHA-256 is {found}, but the card says {sha256}. Reinstall the style."
            )
