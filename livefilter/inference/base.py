"""What every inference backend is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Protocol, TypeAlias

from livefilter.closeable import Closeable
from livefilter.frame import Image

Precision: TypeAlias = Literal["auto", "int8", "float"]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine may run.

    threads: CPU threads; 0 lets the runtime choose.
    gpu: number of the GPU, for backends that run on NVIDIA's.
    cuda: how TensorRT backends reach CUDA, "bindings" or "pycuda".
    nv12: a `ComposingEngine` gives NV12; other engines give BGR as ever.
    shared: other engines work on this machine at the same time, so threads are not bound to cores, which would be the
        same ones in every process; or what opens one engine for all runs of this process that are alike.
    sha256: what the network's file must be by its card; "" for any.
    batch: frames that an engine which `takes_batches` draws at once.
    people: whether a network that tells where people are is to do so, which takes a few percent of its time.
    soft: whether an engine that can is to leave out the last layer of a network that makes edges crisp; it says so by
        `Engine.contrast`.
    smaller: how many times smaller than its frames an engine that `draws_smaller` draws them; only a network whose
        edges are crisp, and frames whose sides are multiples of 8 times as much.
    precision: of the convolutions: see `livefilter.inference.precision`, which an engine finds decided.
    """

    threads: int = 0
    gpu: int = 0
    cuda: str = "bindings"
    nv12: bool = False
    sha256: str = ""
    shared: bool | Sharing = False
    batch: int = 1
    precision: Precision = "auto"
    people: bool = True
    soft: bool = False
    smaller: int = 1


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine runs on, as shown to the user.

    backend: registry name, such as "onnxruntime".
    device: the hardware, such as "CPU (2 threads)" or "NVIDIA RTX 4070".
    precision: "float32", "float16", "bfloat16" or "int8".
    width, height: the fixed size of its frames in pixels.
    """

    backend: str
    device: str
    precision: str
    width: int
    height: int


class Engine(Closeable):
    """A generator compiled for one frame size: `Class(network, width, height, options)`, ready when constructed.

    network: an ONNX file with input `frame` and output `styled`, both uint8 (1, H, W, 3) BGR; it may have more, see
        livefilter.inference.ports.
    width, height: pixels, multiples of 8.
    contrast: what the drawing's edges are yet to be made crisp with (`livefilter.inference.crisp`); 0 for nothing.
    leaves_crisp: it can leave that to its caller (`EngineOptions.soft`).
    draws_smaller: it can draw smaller than its frames and make edges crisp at their size (`EngineOptions.smaller`).
    computes_int8: it runs on the processor and gains from a network's INT8 form, where the processor does.
    Raises on construction: BackendUnavailable (runtime or device missing), StyleCorrupt (the file cannot be read).
    """

    takes_batches: ClassVar[bool] = False
    computes_int8: ClassVar[bool] = False
    leaves_crisp: ClassVar[bool] = False
    draws_smaller: ClassVar[bool] = False
    info: EngineInfo
    takes_strength: bool = False
    gives_person: bool = False
    contrast: float = 0.0

    @property
    def person(self) -> Image | None:
        """Where people are in the frame of the newest `run`, (H/2, W/2) uint8, 255 for certain; valid as its result is.

        None where the network does not tell, or was opened so that it does not: it `gives_person` or not.
        """
        return None

    @abstractmethod
    def run(self, image: Image, strength: float = 1.0) -> Image:
        """Style one frame.

        image: (height, width, 3) uint8 BGR, C-contiguous. strength: 0 to 1.5, 1 being the drawing as it is meant to be;
            without effect where the network does not take it (`takes_strength`).
        Returns: the same shape and dtype; the array is valid until the next `run` or `close`.
        Raises: EngineFailed.
        """

    def run_batch(self, images: Sequence[Image], strengths: Sequence[float]) -> list[tuple[Image, Image | None]]:
        """Style as many frames at once as `EngineOptions.batch` said, which only one that `takes_batches` can.

        images, strengths: as of `run`.
        Returns: of each frame what `run` and `person` are. Raises: EngineFailed.
        """
        return [(self.run(image, strength), self.person) for image, strength in zip(images, strengths, strict=True)]

    def verdict(self) -> str | None:
        """What a trial on this machine found: empty when the engine may draw, else why not; None before any trial."""
        return ""

    def keep_verdict(self, verdict: str) -> None:
        """Remember what a trial found, for this and later runs."""

    def cancel(self) -> None:
        """Make a `run` on another thread fail soon, and all later ones; without effect where a runtime cannot."""

    @abstractmethod
    def close(self) -> None:
        """Free the device's memory. Can be called twice."""

    @classmethod
    def unavailable(cls) -> str | None:
        """Why this backend cannot run on this machine and how to fix that; None when it can."""
        return None


EngineFactory: TypeAlias = Callable[[Path, int, int, EngineOptions], Engine]


class Sharing(Protocol):
    """What opens engines that several runs of this process share, as livefilter.inference.engine_pool does."""

    def open(
        self, factory: EngineFactory, network: Path, width: int, height: int, options: EngineOptions
    ) -> Engine: ...


def shared_by(factory: EngineFactory, shared: bool | Sharing) -> EngineFactory:
    """What opens engines like `factory`, but one for all who are alike, where they are shared."""
    if isinstance(shared, bool):
        return factory
    return _Pooled(factory, shared)


@dataclass(frozen=True, slots=True)
class _Pooled:
    """Opens one engine for all who are alike."""

    factory: EngineFactory
    sharing: Sharing

    @property
    def draws_smaller(self) -> bool:
        return getattr(self.factory, "draws_smaller", False)

    def __call__(self, network: Path, width: int, height: int, options: EngineOptions) -> Engine:
        return self.sharing.open(self.factory, network, width, height, options)
