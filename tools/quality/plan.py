"""What the report is made from, and how much of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from livefilter.errors import InvalidInput
from livefilter.training.data import Scale


@dataclass(frozen=True)
class Plan:
    """Folders and amounts.

    photos: pictures; those that training leaves out are measured on. teachers: published generators, TEACHER.onnx.
    clips: videos that training never saw. pairs: folders with `photo` and, for each style whose teacher has no
    network here, a folder of its name with the drawings; in the order in which training had them.
    cache: holds, in a folder for each style, what `livefilter train distill --cache` keeps; what it lacks is drawn.
    out: results, which a later run takes up again, and contact sheets that are not to be published.
    runtime: runs the teachers, "onnxruntime" or "openvino". longest: side of the photos in pixels.
    held_out_photos: at most so many are measured on. table_photos: the colour table is fitted to so many others.
    clip_frames: of each clip, from its second second on. noise_photos: for the still scene.
    timed_runs: of each network at each size.

    Raises: InvalidInput: a folder does not exist.
    """

    photos: Path
    teachers: Path
    clips: Path
    pairs: tuple[Path, ...]
    cache: Path
    out: Path
    runtime: str = "onnxruntime"
    longest: int = 512
    held_out_photos: int = 24
    table_photos: int = 48
    clip_frames: int = 12
    noise_photos: int = 6
    timed_runs: int = 15

    def __post_init__(self) -> None:
        for folder in (self.photos, self.teachers, self.clips, *self.pairs):
            if not folder.is_dir():
                raise InvalidInput(
                    f"The folder {folder} does not exist. Name another; `python -m tools.quality --help`."
                )

    @property
    def scale(self) -> Scale:
        """The teacher draws at the size that is measured."""
        return Scale(self.longest, self.longest)

    def key(self, *parts: str) -> str:
        """What a result depends on, beside the pictures: `parts` and the amounts, as a short hash."""
        amounts = (self.longest, self.held_out_photos, self.table_photos, self.clip_frames, self.noise_photos)
        return hashlib.sha256(repr((amounts, self.runtime, parts)).encode()).hexdigest()[:16]
