"""What a style's chain makes of frames of clips, step by step as of the photos that its networks learn from."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training import sittings
from livefilter.training.artist import write_picture
from livefilter.training.chain import ChainArtist
from livefilter.training.people import FACES, People
from tools.apart import run_apart

_OPTION, _TIMEOUT_S = "--landmarks-python", 1200.0


class DrawnFrames:
    """Frames that were drawn with their faces found, their skin without lines, and their lids lowered.

    frames: by clip. artist: the chain. python: has MediaPipe. frames_folder: for the frames and who is in them, alike
    for all styles. cache: for this style's drawings. They are made at the first call, but for what is there already.
    """

    def __init__(
        self,
        frames: Mapping[str, Sequence[Image]],
        artist: ChainArtist,
        python: Path,
        frames_folder: Path,
        cache: Path,
    ) -> None:
        self._frames, self._artist, self._python = frames, artist, python
        self._folder, self._cache = frames_folder, cache
        self._names = {
            frame.tobytes(): f"{clip}-{index:02}" for clip, row in frames.items() for index, frame in enumerate(row)
        }

    @cached_property
    def _drawn(self) -> Path:
        """The folder with the drawings, once they are there: a report that has its figures already needs none."""
        photos, people = self._folder / "pictures", self._folder / "people"
        photos.mkdir(parents=True, exist_ok=True)
        files = []
        for frame in itertools.chain.from_iterable(self._frames.values()):
            files.append(photos / f"{self._names[frame.tobytes()]}.png")
            write_picture(files[-1], frame)
        known = people / FACES
        if not known.exists() or set(json.loads(known.read_text(encoding="utf-8"))) != {file.name for file in files}:
            run_apart(self._python, ["tools/people.py", str(photos), str(people)], "people", _OPTION, _TIMEOUT_S)
        sittings.precompute(files, self._artist, People(people), self._cache)
        looking = ["-m", "tools.drawn_faces", str(photos), str(people), str(self._cache)]
        run_apart(self._python, looking, "drawn faces", _OPTION, _TIMEOUT_S)
        return self._cache

    def __call__(self, frame: Image) -> Image:
        """The drawing of one of the frames, (H, W, 3) uint8 BGR, in its size.

        Raises: InvalidInput: it is none of them, its drawing is gone, that Python cannot tell who is in it, or the
            folders cannot be read.
        """
        file = self._drawn / f"{self._names.get(frame.tobytes(), 'no frame of the clips')}-target.png"
        drawing = cv2.imread(str(file))
        if drawing is None:
            raise InvalidInput(f"{file} is not there or is no picture. Delete {self._cache} and run again.")
        size = frame.shape[1], frame.shape[0]
        return np.asarray(cv2.resize(drawing, size, interpolation=cv2.INTER_CUBIC), np.uint8)
