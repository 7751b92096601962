"""What makes one engine a different one from another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from livefilter.errors import EngineMismatch, InvalidInput

# Raise it when the same network would be converted or built differently: engines built before are then stale.
REVISION = 4
PRECISIONS = ("fp16", "fp32")
# Of the frame graph: BGR bytes or NV12 out, both blended and turned by the input `look`.
FORMS = ("bgr", "nv12")
MULTIPLE, _LARGEST = 8, 8192


@dataclass(frozen=True, slots=True)
class FrameSize:
    """Width and height in pixels, multiples of 8.

    Raises: InvalidInput.
    """

    width: int
    height: int

    def __post_init__(self) -> None:
        for value in (self.width, self.height):
            if not 0 < value <= _LARGEST or value % MULTIPLE:
                near = FrameSize(_nearest(self.width), _nearest(self.height))
                raise InvalidInput(
                    f"An engine cannot be built for {self.width}x{self.height}: width and height must be multiples of "
                    f"{MULTIPLE}, up to {_LARGEST}. Use {near}."
                )

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, text: str) -> FrameSize:
        """Read "1280x720".

        Raises: InvalidInput.
        """
        width, _, height = text.lower().strip().partition("x")
        if not (width.isascii() and height.isascii() and width.isdigit() and height.isdigit()):
            raise InvalidInput(f"{text!r} is no frame size. Write width and height in pixels, such as 1280x720.")
        return cls(int(width), int(height))


@dataclass(frozen=True, slots=True)
class SizeRange:
    """The frame sizes that one engine takes: it is fastest at `best`; a fixed size has three equal ones.

    Raises: InvalidInput: they are not in rising order.
    """

    smallest: FrameSize
    best: FrameSize
    largest: FrameSize

    def __post_init__(self) -> None:
        sizes = (self.smallest, self.best, self.largest)
        for values in ([size.width for size in sizes], [size.height for size in sizes]):
            if values != sorted(values):
                raise InvalidInput(
                    f"The size range {self.smallest}:{self.best}:{self.largest} does not rise in width and in height. "
                    "Write SMALLEST:BEST:LARGEST, such as 512x288:1280x720:1920x1080."
                )

    @classmethod
    def parse(cls, text: str) -> SizeRange:
        """Read "1280x720", or "512x288:1280x720:1920x1080" for smallest, best and largest.

        Raises: InvalidInput.
        """
        parts = [FrameSize.parse(part) for part in text.split(":")]
        if len(parts) == 1:
            return cls(parts[0], parts[0], parts[0])
        if len(parts) != 3:
            raise InvalidInput(f"{text!r} is no size range. Write SMALLEST:BEST:LARGEST, each such as 1280x720.")
        return cls(*parts)

    @property
    def fixed(self) -> bool:
        return self.smallest == self.largest

    def __contains__(self, size: FrameSize) -> bool:
        return (
            self.smallest.width <= size.width <= self.largest.width
            and self.smallest.height <= size.height <= self.largest.height
        )

    def __str__(self) -> str:
        return str(self.best) if self.fixed else f"{self.smallest}:{self.best}:{self.largest}"


@dataclass(frozen=True, slots=True)
class EngineKey:
    """Everything that an engine depends on: where one differs, it must be built anew.

    onnx_sha256: of the style's file. revision: of the conversion to FP16. size: a SizeRange as text.
    version: of TensorRT. gpu, capability, driver: of the machine, as in `Gpu`. level: builder optimisation, 0 to 5.
    form: one of FORMS. batch: frames at once. smaller: how many times smaller than its frames it draws.
    """

    onnx_sha256: str
    revision: int
    size: str
    precision: str
    flavour: str
    version: str
    gpu: str
    capability: str
    driver: str
    level: int
    form: str = "bgr"
    batch: int = 1
    smaller: int = 1

    @property
    def frames(self) -> str:
        """What it takes, in words."""
        return frames_of(self.size, self.batch, self.smaller)

    @property
    def digest(self) -> str:
        """64 bits in hexadecimal, for file names."""
        text = json.dumps(self.as_data(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_data(self) -> dict[str, Any]:
        """For the sidecar; `from_data` reads it back."""
        data = asdict(self)
        for name in ("batch", "smaller"):
            if data[name] == 1:
                del data[name]  # as engines were kept before there was such a thing
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> EngineKey:
        """Read what `as_data` gave.

        Raises: EngineMismatch: an entry is missing, unknown or of the wrong type.
        """
        try:
            key = cls(**data)
        except TypeError as error:
            raise EngineMismatch(f"its key cannot be read ({error})") from error
        for name, value in asdict(key).items():
            if type(value) is not (int if name in {"revision", "level", "batch", "smaller"} else str):
                raise EngineMismatch(f"its key has {value!r} as {name}")
        return key

    def differences(self, other: EngineKey) -> list[str]:
        """What `other` has changed, in words: "driver 580.1 -> 590.2"."""
        mine, theirs = asdict(self), asdict(other)
        return [f"{name} {mine[name]} -> {theirs[name]}" for name in mine if mine[name] != theirs[name]]

    def serves_as(self, other: EngineKey) -> bool:
        """Whether the two are meant for the same use: what differs is the machine or the style's file."""
        names = ("size", "precision", "flavour", "level", "form", "batch", "smaller")
        return all(getattr(self, name) == getattr(other, name) for name in names)


def frames_of(size: str, batch: int, smaller: int = 1) -> str:
    """Such as "1280x720", or "1280x720 drawn 2 times smaller, 4 at once"."""
    drawn = f" drawn {smaller} times smaller" if smaller > 1 else ""
    return f"{size}{drawn}" + (f", {batch} at once" if batch > 1 else "")


def _nearest(value: int) -> int:
    return min(_LARGEST, max(MULTIPLE, round(value / MULTIPLE) * MULTIPLE))
