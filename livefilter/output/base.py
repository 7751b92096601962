"""What every output is."""

from __future__ import annotations

import threading
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from livefilter.closeable import Closeable
from livefilter.frame import Frame


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """What an output is told about the frames that will come.

    width, height: pixels of every frame, fixed for the sink's life.
    fps: frames per second at which `send` will be called.
    media: a file whose sound is copied into recordings and streams; None for silence.
    loop: the media file is played again at its end.
    tracks: of the media file's sound: the default one, all, or none.
    ended: given when the frames are those of a whole file, which then keeps its own times, and set once the last of
        them has been read: the sound then goes on to its own end.
    nv12: frames may come as NV12 to sinks that take it; they are even-sized then.
    lan: pages answer on the local network, too, to those who have the token.
    alpha: frames may come with a cut-out, and outputs that can are to keep its transparency.
    encoder_threads: of the video encoder, on which the bytes of a recording depend; 0 for as many as cores.
    live: False when frames come as fast as the sink takes them (rendering), True at `fps` by the clock.
    """

    width: int
    height: int
    fps: float
    media: Path | None = None
    loop: bool = False
    live: bool = True
    nv12: bool = False
    lan: bool = False
    alpha: bool = False
    tracks: Literal["default", "all", "none"] = "default"
    ended: threading.Event | None = None
    encoder_threads: int = 0


class Sink(Closeable):
    """An open output: usable as soon as it is constructed, as `Class(target, options)`.

    name: what a person calls it, with where it can be found, such as "live page http://127.0.0.1:8420/".
    notice: what a person should know about how it was opened; None when there is nothing.
    slow: its `send` may wait for a disk, network or encoder, so in a live run it gets a thread of its own.
    takes_nv12: its `send` takes frames in NV12, too; others get them converted to BGR.
    comes_back: opening the same output again may help when it has failed, as with a server that was restarted.
    main_thread: it must be constructed, pumped and closed on the main thread (windows).
    Raises on construction: SinkUnavailable or InvalidInput, naming the target, the cause and the fix.
    """

    name: str
    notice: str | None = None
    slow: bool = False
    takes_nv12: bool = False
    comes_back: bool = False
    main_thread: bool = False

    @classmethod
    def check(cls, target: str) -> None:
        """Refuse a target that is none or that others use now, before the input is opened and taken away from them.

        Raises: InvalidInput, SinkUnavailable.
        """

    @abstractmethod
    def send(self, frame: Frame) -> None:
        """Hand over one frame of the size in the options; the sink may keep it but never writes into it.

        Screens for the person in control show the frame's `mark` beside it.
        Raises: SinkLost.
        """

    @abstractmethod
    def close(self) -> None:
        """Finish the file or free the device. Can be called twice.

        Raises: SinkLost: what was sent could not be finished (the disk is full).
        """

    def watched(self) -> bool | None:
        """Whether anybody watches at this moment; never waits. None where that cannot be known, as for a recording."""
        return None

    @classmethod
    def unavailable(cls) -> str | None:
        """Why this output cannot be opened on this machine and how to fix that; None when it can."""
        return None
