"""Frames of video clips."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.data import scaled

SUFFIXES = {".mp4", ".mkv", ".mov", ".webm", ".avi"}
LONGEST = 640
_FIRST_FRAME = 30


def list_clips(folder: Path) -> list[Path]:
    """The clips of a folder, sorted by name.

    Raises: InvalidInput: there is none.
    """
    clips = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not clips:
        raise InvalidInput(f"The folder {folder} holds no clip ({', '.join(sorted(SUFFIXES))}).")
    return clips


def frames_in_a_row(clip: Path, count: int, longest: int) -> list[Image]:
    """So many frames, one after the other, from the second second on, scaled: (H, W, 3) uint8 BGR, multiples of 32.

    Raises: InvalidInput: the clip cannot be read, or is too short.
    """
    return _read(clip, range(_FIRST_FRAME, _FIRST_FRAME + count), longest)


def frames_spread(clip: Path, count: int, longest: int) -> list[Image]:
    """So many frames at most, spread over the whole clip, scaled.

    Raises: InvalidInput: the clip cannot be read.
    """
    with _opened(clip) as container:
        there = container.streams.video[0].frames or sum(1 for _ in container.decode(video=0))
    most = min(count, there)
    return _read(clip, [index * there // most for index in range(most)], longest)


def _opened(clip: Path) -> av.container.InputContainer:
    try:
        return av.open(str(clip))
    except (av.FFmpegError, IndexError) as error:
        raise InvalidInput(f"The clip {clip} cannot be read: {error}. Remove it from its folder.") from error


def _read(clip: Path, wanted: Sequence[int], longest: int) -> list[Image]:
    numbers = set(wanted)
    with _opened(clip) as container:
        try:
            frames = itertools.islice(container.decode(video=0), max(wanted) + 1)
            found = [frame.to_ndarray(format="bgr24") for index, frame in enumerate(frames) if index in numbers]
        except (av.FFmpegError, IndexError) as error:
            raise InvalidInput(f"The clip {clip} cannot be read: {error}. Remove it from its folder.") from error
    if len(found) < len(wanted):
        raise InvalidInput(f"The clip {clip} has fewer than {max(wanted) + 1} frames. Use longer clips.")
    return [scaled(np.asarray(picture, np.uint8), longest) for picture in found]
