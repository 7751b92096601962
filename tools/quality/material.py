"""The pictures that a style is measured on, each with what the teacher made of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.artist import PublishedDrawings, TeacherArtist, read_picture
from livefilter.training.card import StyleFacts
from livefilter.training.data import Lesson, Pair, is_held_out, load_pairs, precompute, scaled
from livefilter.training.teacher import Teacher
from tools.quality.plan import Plan

Item = TypeVar("Item")

CLIP_SUFFIXES = {".mp4", ".mkv", ".mov", ".webm", ".avi"}
_FIRST_FRAME = 30


@dataclass(frozen=True)
class Material:
    """What a style is measured on.

    held_out: photos that training left out; seen: some that it did not, for the colour table.
    clips: by name, the frames; drawn: by name, what the teacher made of them; empty where it has no network here.
    demo: livefilter's own photo, and what the teacher made of it.
    """

    held_out: list[Pair]
    seen: list[Pair]
    clips: dict[str, list[Image]]
    drawn: dict[str, list[Image]]
    demo: tuple[Image, Image | None]
    teacher: Teacher | None


def teacher_path(facts: StyleFacts, plan: Plan) -> Path | None:
    """Where the network of a style's teacher is; None when only drawings of it are known."""
    path = plan.teachers / f"{facts.teacher}.onnx"
    return path if path.is_file() else None


def gather(name: str, facts: StyleFacts, plan: Plan) -> Material:
    """Read the pictures of a style and let the teacher draw those that are not in the cache yet.

    Raises: InvalidInput: photos, clips or drawings are missing or unreadable.
    """
    folder, network = plan.cache / name, teacher_path(facts, plan)
    teacher = Teacher(network, plan.runtime) if network else None
    artist = TeacherArtist(teacher, facts.finish) if teacher else None
    if artist:
        lessons = [Lesson(plan.photos, artist)]
    else:
        lessons = [
            Lesson(each / "photo", PublishedDrawings(each / name, facts.finish))
            for each in plan.pairs
            if (each / name).is_dir()
        ]
    if not lessons:
        raise InvalidInput(
            f"Style {name} has neither a teacher {plan.teachers / facts.teacher}.onnx nor a folder {name} of drawings "
            "in one of --pairs. Add one of them."
        )
    held_out: list[Pair] = []
    seen: list[Pair] = []
    for index, lesson in enumerate(lessons):
        kept = folder / str(index) if len(lessons) > 1 else folder  # as training/data.prepare keeps them
        photos = lesson.photos()
        for found, wanted, most in ((held_out, True, plan.held_out_photos), (seen, False, plan.table_photos)):
            chosen = _spread([path for path in photos if is_held_out(path.name) is wanted], most)
            precompute(chosen, lesson.artist, kept, [plan.scale])
            found += load_pairs(chosen, kept, [plan.scale])
    if not held_out or not seen:
        raise InvalidInput(f"Style {name} has too few photos to leave some out of training. Add photos.")

    frames = {clip.stem: _frames(clip, plan) for clip in _clips(plan.clips)}
    with ExitStack() as stack:
        demo = stack.enter_context(resources.as_file(resources.files("livefilter.capture") / "assets" / "demo.jpg"))
        if artist is None:
            clips = {
                clip: [scaled(read_picture(path), plan.longest) for path in files] for clip, files in frames.items()
            }
            return Material(held_out, seen, clips, {}, (scaled(read_picture(demo), plan.longest), None), None)
        precompute([demo, *itertools.chain(*frames.values())], artist, folder, [plan.scale])
        pairs = {clip: load_pairs(files, folder, [plan.scale]) for clip, files in frames.items()}
        (own,) = load_pairs([demo], folder, [plan.scale])
    return Material(
        held_out,
        seen,
        {clip: [pair.photo for pair in found] for clip, found in pairs.items()},
        {clip: [pair.drawing for pair in found] for clip, found in pairs.items()},
        (own.photo, own.drawing),
        teacher,
    )


def _clips(folder: Path) -> list[Path]:
    clips = sorted(path for path in folder.iterdir() if path.suffix.lower() in CLIP_SUFFIXES)
    if not clips:
        raise InvalidInput(f"The folder {folder} holds no clip ({', '.join(sorted(CLIP_SUFFIXES))}).")
    return clips


def _frames(clip: Path, plan: Plan) -> list[Path]:
    """Write some frames of a clip, one after the other, as pictures beside the teachers' drawings; return the files."""
    folder = plan.cache / "frames"
    files = [folder / f"{clip.stem}-{_FIRST_FRAME + index:04d}.png" for index in range(plan.clip_frames)]
    if not all(file.exists() for file in files):
        import av

        folder.mkdir(parents=True, exist_ok=True)
        try:
            with av.open(str(clip)) as container:
                wanted = itertools.islice(container.decode(video=0), _FIRST_FRAME, _FIRST_FRAME + len(files))
                pictures = [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in wanted]
        except (av.FFmpegError, IndexError) as error:
            raise InvalidInput(f"The clip {clip} cannot be read: {error}. Remove it from its folder.") from error
        if len(pictures) < len(files):
            raise InvalidInput(f"The clip {clip} has fewer than {_FIRST_FRAME + len(files)} frames. Use longer clips.")
        for file, picture in zip(files, pictures, strict=True):
            cv2.imwrite(str(file), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return files


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many, taken evenly."""
    count = min(most, len(items))
    return [items[index * len(items) // count] for index in range(count)]
