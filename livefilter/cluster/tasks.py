"""What is handed to workers and what they hand back; all of it is plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

# look: read a file and tell what it is. whole: style a file. segment: style a part of a video. join: put parts
# together.
TaskKind: TypeAlias = Literal["look", "whole", "segment", "join"]

# Whose fault it is that a task failed. file: it would fail everywhere. worker: it may work on another one.
# reach: this machine does not see the file or the folder of results. cut: the video cannot be cut as it was planned.
Blame: TypeAlias = Literal["file", "worker", "reach", "cut", "stopped"]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a video, in ticks of its stream.

    seek: a key frame from which decoding starts, at least one before `start`; None for the file's beginning.
    start, end: time stamps of the first picture of the part and of the first behind it; None for the file's ends.
    frames: pictures in it.
    """

    seek: int | None
    start: int | None
    end: int | None
    frames: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found in a file.

    sha256, size, modified_ns: of the file. frames: pictures, 0 when that is not known. lasts_s: seconds of video.
    spans: where it may be cut; empty when it is better left whole.
    """

    sha256: str
    size: int
    modified_ns: int
    frames: int = 0
    lasts_s: float = 0.0
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work.

    number: its own. file: number of the file it belongs to. source: the file. target: what the result is to be called;
    a worker writes it under another name, with its own random part. frames: how many to expect, 0 when not known.
    parts: styled segments, of a join. cut_s: seconds of a part, of a look. data: the file itself, for workers that
    cannot reach it.
    """

    number: int
    file: int
    kind: TaskKind
    source: str
    target: str
    frames: int = 0
    span: Span | None = None
    parts: tuple[str, ...] = ()
    last_lasts_s: float = 0.0
    cut_s: float = 0.0
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task.

    path: the result, complete. frames: pictures in it, files of one. sha256, size: of the result. seconds: it took.
    bad: damage of the input, a line each. notice: what the output cannot hold. last_lasts_s: of the last picture.
    facts: of a look. failed: why there is no result, in a line; blame: whose fault that is.
    data: the result itself, from workers that cannot reach the folder of results.
    """

    path: str = ""
    frames: int = 0
    sha256: str = ""
    size: int = 0
    seconds: float = 0.0
    bad: tuple[str, ...] = ()
    notice: str | None = None
    last_lasts_s: float = 0.0
    facts: Facts | None = None
    failed: str = ""
    blame: Blame = "worker"
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Hello:
    """What a worker is.

    host: name of its machine. version: of livefilter there. backend, precision, device: what it styles with.
    reaches: it sees the folder of results.
    """

    host: str
    version: str
    backend: str
    precision: str
    device: str
    reaches: bool
