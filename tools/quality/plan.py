"""What the report is made from, and how much of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from livefilter.errors import InvalidInput


@dataclass(frozen=True)
class Plan:
    """Folders and amounts.

    photos: pictures; those that training leaves out are measured on. people: what tools/people.py found in them.
    teachers: the published generators that recipes name, NAME.onnx. clips: videos.
    cache: holds, in a folder for each style, what `livefilter train distill --cache` keeps; what it lacks is drawn.
    out: results and drawings, which a later run takes up again, and contact sheets that are not to be published.
    judge: what `python -m tools.quality.judge train` wrote. landmarks_python: a Python that has MediaPipe.
    animegan: a published graph of AnimeGANv2. Without one of these three, what needs it is left out.
    runtime: runs the teachers, "onnxruntime" or "openvino". held_out_photos: at most so many are measured on.
    flicker_frames: of each clip, one after the other, from its second second on. expression_frames: of each clip,
    spread over it. noise_photos: for the still scene. timed_rounds: of a few runs of each network.

    Raises: InvalidInput: a folder or file does not exist.
    """

    photos: Path
    people: Path
    teachers: Path
    clips: Path
    cache: Path
    out: Path
    judge: Path | None = None
    landmarks_python: Path | None = None
    animegan: Path | None = None
    runtime: str = "onnxruntime"
    held_out_photos: int = 30
    flicker_frames: int = 5
    expression_frames: int = 16
    noise_photos: int = 4
    timed_rounds: int = 3

    def __post_init__(self) -> None:
        for folder in (self.photos, self.people, self.teachers, self.clips):
            if not folder.is_dir():
                raise InvalidInput(
                    f"The folder {folder} does not exist. Name another; `python -m tools.quality --help`."
                )
        for file in (self.judge, self.landmarks_python, self.animegan):
            if file and not file.is_file():
                raise InvalidInput(f"The file {file} does not exist. Name another, or leave its option out.")

    def key(self, *parts: str) -> str:
        """What a result depends on, beside the pictures: `parts`, the amounts and the judge, as a short hash."""
        amounts = (self.held_out_photos, self.flicker_frames, self.expression_frames, self.noise_photos, self.runtime)
        judge = self.judge.read_bytes() if self.judge else b""
        asked = (self.landmarks_python is not None, self.animegan is not None, hashlib.sha256(judge).hexdigest())
        return hashlib.sha256(repr((amounts, asked, parts)).encode()).hexdigest()[:16]
