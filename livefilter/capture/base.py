"""What every input is."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

from livefilter.capture.mode import Mode
from livefilter.closeable import Closeable
from livefilter.frame import Frame


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What to ask of an input; a source ignores what does not apply to it.

    width, height: pixels to ask for; 0 takes what the input gives.
    fps: frames per second to ask for; 0 takes what the input gives.
    loop: start a file again at its end.
    mode: the `SourceInfo.mode` of an earlier opening: the same again, at once and without measuring.
    open_timeout_s: seconds that a network stream has for its first picture; 0 takes what suits it.
    """

    width: int = 0
    height: int = 0
    fps: float = 0.0
    loop: bool = False
    mode: Mode | None = None
    open_timeout_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What an open input really gives.

    name: what a person calls it, such as "camera 0 (Integrated Webcam)".
    width, height: pixels of its frames.
    fps: nominal frames per second; what was measured where the device's own word cannot be trusted.
    live: True for devices and streams that cannot wait; False for files and pictures that can be read at any pace.
    frames: how many frames a finite input has, as its header says; 0 when unknown or endless.
    media: the file that sound and subtitles can be copied from, if there are any.
    reopen_target: the input (as --input takes it) under which the same device is found again, though its index changed.
    mode: what a camera was found to be best in, for `SourceOptions.mode`.
    """

    name: str
    width: int
    height: int
    fps: float
    live: bool
    frames: int = 0
    media: Path | None = None
    reopen_target: str | None = None
    mode: Mode | None = None


class Source(Closeable):
    """An open input: usable as soon as it is constructed, as `Class(target, options)`.

    Raises on construction: SourceUnavailable or InvalidInput, naming the target, the cause and the fix.
    """

    info: SourceInfo

    @property
    def damage(self) -> str | None:
        """What a finite input has lost so far (cut off, undecodable), a sentence; None when it is whole."""
        return None

    @abstractmethod
    def read(self) -> Frame:
        """Block until the next frame; the caller owns it from then on.

        Returns: image (H, W, 3) uint8 BGR.
        Raises: SourceLost: the input stopped delivering; a new one may be opened on the same target. EndOfStream: a
            finite input is at its end.
        """

    @abstractmethod
    def close(self) -> None:
        """Free the device. Can be called twice."""
