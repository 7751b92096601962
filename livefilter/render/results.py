"""What a render takes and what it made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from livefilter.capture.base import Source
from livefilter.output.base import Sink, SinkOptions
from livefilter.render.pictures import Stills

# Called with how many frames are done and how many there are, 0 when that is unknown.
Report: TypeAlias = Callable[[int, int], None]

# Which tracks of a video's sound are kept.
Tracks: TypeAlias = Literal["default", "all", "none"]


@dataclass(frozen=True, slots=True)
class Openers:
    """How files are opened, so that this room needs to know no kind of file.

    video: a finite source of a file's frames. animation: the same of an open animated picture, which it closes.
    recording: a sink that writes a new file. picture: a picture file. video_suffixes: endings of the files that can be
    recorded.
    """

    video: Callable[[Path], Source]
    animation: Callable[[Any], Source]
    recording: Callable[[Path, SinkOptions], Sink]
    picture: Callable[[Path], Stills]
    video_suffixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was made.

    target: the file or folder. frames: frames of the video or animation, pages, or images of a folder.
    skipped: files of a folder that are not images. folders: sub-folders, which are left alone.
    bad: what could not be rendered, a line each. what: what the frames are called.
    notice: what the output cannot hold.
    """

    target: Path
    frames: int
    skipped: int = 0
    folders: int = 0
    bad: tuple[str, ...] = ()
    what: str = "frame"
    notice: str | None = None


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a render early.

    partial: the playable beginning, if there is one. frames: how many frames or images are done.
    """

    def __init__(self, partial: Path | None, frames: int) -> None:
        super().__init__()
        self.partial = partial
        self.frames = frames
