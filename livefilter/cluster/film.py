"""One file on its way from input to result, and the tasks that it still needs."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from pathlib import Path

from livefilter.cluster.manifest import Entry, Part
from livefilter.cluster.tasks import Facts, Outcome, Span, Task


@dataclass
class Film:
    """A file: a picture or a video.

    number: its own. size: bytes of the input. entry: what the manifest knows. facts: None until it was looked at.
    failed: why there will be no result, in a line. parts: styled segments by their place.
    """

    number: int
    source: Path
    target: Path
    size: int
    entry: Entry
    facts: Facts | None = None
    failed: str = ""
    spans: tuple[Span, ...] = ()
    parts: dict[int, Part] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)  # task number -> place of the segment

    @property
    def over(self) -> bool:
        """Nothing is left to do."""
        return self.entry.done or bool(self.failed)

    def unchanged(self) -> bool:
        """Whether the input is, by size and time, the one that the result was made of; what is gone counts as such."""
        try:
            status = self.source.stat()
        except OSError:
            return True
        return (status.st_size, status.st_mtime_ns) == (self.entry.input_size, self.entry.input_modified_ns)

    def comes_first(self, pattern: str) -> bool:
        """Whether the user wants it before others."""
        return bool(pattern) and fnmatch.fnmatch(self.source.name, pattern)

    def take_facts(self, facts: Facts, *, cut: bool) -> None:
        """Remember what was found, and forget what was made of another version of the file."""
        entry = self.entry
        if entry.input_sha256 != facts.sha256:
            entry.parts, entry.done = [], False
        entry.input_sha256, entry.input_size = facts.sha256, facts.size
        entry.input_modified_ns = facts.modified_ns
        self.facts = facts
        self.spans = facts.spans if cut else ()
        spans = [[span.seek, span.start, span.end, span.frames] for span in self.spans]
        if entry.spans != spans:
            entry.parts, entry.spans = [], spans
        self.parts = {part.place: part for part in entry.parts}

    def leave_whole(self) -> None:
        """Give up cutting."""
        self.spans, self.parts, self.places = (), {}, {}
        self.entry.spans, self.entry.parts = [], []

    def tasks(self, numbers: NumberLine, work: Path) -> list[Task]:
        """What is to be done now that it was looked at: the segments that are missing, or all of it in one."""
        if not self.spans:
            frames = self.facts.frames if self.facts else 0
            return [Task(numbers.next(), self.number, "whole", str(self.source), str(work / self.target.name), frames)]
        made = []
        for place, span in enumerate(self.spans):
            if place in self.parts:
                continue
            name = f"{self.target.stem}-{place:05d}{self.target.suffix}"
            task = Task(
                numbers.next(), self.number, "segment", str(self.source), str(work / name), span.frames, span=span
            )
            self.places[task.number] = place
            made.append(task)
        return made or [self.join(numbers, work)]

    def take_part(self, task: Task, outcome: Outcome) -> bool:
        """Keep a styled segment; whether it was the last that was missing."""
        place = self.places[task.number]
        part = Part(place, Path(outcome.path).name, outcome.sha256, outcome.frames, outcome.last_lasts_s)
        self.parts[place] = part
        self.entry.parts = [self.parts[each] for each in sorted(self.parts)]
        self.entry.bad += list(outcome.bad)
        return len(self.parts) == len(self.spans)

    def join(self, numbers: NumberLine, work: Path) -> Task:
        """The task that puts all segments together."""
        ordered = [self.parts[place] for place in sorted(self.parts)]
        return Task(
            numbers.next(),
            self.number,
            "join",
            str(self.source),
            str(work / self.target.name),
            sum(part.frames for part in ordered),
            parts=tuple(str(work / part.name) for part in ordered),
            last_lasts_s=ordered[-1].last_lasts_s,
        )

    def take_result(self, outcome: Outcome) -> None:
        """Note what the result is; it has no name yet."""
        entry = self.entry
        entry.sha256, entry.size = outcome.sha256, outcome.size
        entry.frames, entry.notice = outcome.frames, outcome.notice
        entry.bad += list(outcome.bad)

    def finish(self) -> list[Part]:
        """The result has its name; the segments that nobody needs any more."""
        parts, self.entry.parts = self.entry.parts, []
        self.entry.done, self.entry.spans = True, []
        return parts


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where it cannot be looked at."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


class NumberLine:
    """Gives each task a number of its own."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """The next number."""
        self._last += 1
        return self._last
