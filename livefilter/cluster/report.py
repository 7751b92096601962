"""What a run is asked for, and what it tells in the end."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunOptions:
    """overwrite: replace results that exist. retries: of a task that failed, on another machine where there is one.
    cut_s: seconds that a part of a video lasts at least, 0 to cut none. first: names of files that come first.
    """

    overwrite: bool = False
    retries: int = 2
    cut_s: float = 30.0
    first: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has made: the files that are done and their frames, what is wrong with which, what happened."""

    done: int
    frames: int
    bad: tuple[str, ...]
    failed: tuple[str, ...]
    notices: tuple[str, ...]
    retried: int
    doubled: int
    lost: int
    results: dict[str, str] = field(default_factory=dict)
