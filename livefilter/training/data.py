"""Training pairs: photos and what the teacher made of them, cached on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.artist import Artist, read_picture, write_picture
from livefilter.training.people import Face
from livefilter.training.target import finished

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
TEACHER_MULTIPLE = 32
HELD_OUT_ONE_IN = 19


@dataclass(frozen=True)
class Pair:
    """One photo, the teacher's drawing of it and the target: (H, W, 3) uint8 BGR of one shape.

    mild: the target at half the strength. faces: of the people in it.
    """

    name: str
    photo: Image
    drawing: Image
    target: Image
    mild: Image | None = None
    faces: tuple[Face, ...] = ()


@dataclass(frozen=True)
class Scale:
    """The longest side of a photo, and of what the teacher is given.

    A teacher's style is stronger on small pictures: drawn smaller and enlarged, it gives a large photo few, thick
    lines and wide regions.
    """

    longest: int
    drawn_at: int

    @classmethod
    def parse(cls, text: str) -> Scale:
        """Read "640", or "768:512" for photos of 768 that the teacher sees at 512.

        Raises: InvalidInput: the text is neither.
        """
        longest, _, drawn_at = text.partition(":")
        try:
            return cls(int(longest), int(drawn_at or longest))
        except ValueError as error:
            raise InvalidInput(f"The scale {text!r} is not understood: write 640, or 768:512.") from error


def is_held_out(name: str) -> bool:
    """Tell whether the photo of this file name is kept for measuring; it depends on nothing but the name.

    What follows an @ does not count, so that the frames of one clip, clip@01.jpg and clip@02.jpg, stay together.
    """
    clip = name.partition("@")[0]
    return int.from_bytes(hashlib.sha256(clip.encode()).digest()[:8], "big") % HELD_OUT_ONE_IN == 0


def list_photos(folder: Path) -> list[Path]:
    """List the pictures of a folder, sorted by name.

    Raises: InvalidInput: the folder is missing or holds no picture.
    """
    if not folder.is_dir():
        raise InvalidInput(f"The photo folder {folder} does not exist. Name a folder of pictures with --photos.")
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not photos:
        raise InvalidInput(f"The photo folder {folder} holds no picture (jpg, png, webp or bmp).")
    return photos


def scaled(picture: Image, longest: int) -> Image:
    """Resize so that the longest side is at most `longest`, both sides multiples of the teacher's 32."""
    height, width = picture.shape[:2]
    factor = longest / max(height, width)
    size = [
        max(TEACHER_MULTIPLE, round(side * factor / TEACHER_MULTIPLE) * TEACHER_MULTIPLE) for side in (width, height)
    ]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (size[0], size[1]), interpolation=method), dtype=np.uint8)


def precompute(photos: Sequence[Path], artist: Artist, cache: Path, scales: Sequence[Scale]) -> None:
    """Write what the artist makes of each photo at each scale into `cache`; pairs that are there are kept.

    Raises: InvalidInput: a photo or its drawing cannot be read.
    """
    cache.mkdir(parents=True, exist_ok=True)
    for scale, path in tqdm([(s, p) for s in scales for p in photos], desc="drawings", unit="picture"):
        files = _files(cache, path.stem, scale)
        if all(file.exists() for file in files):
            continue
        picture = read_picture(path)
        photo = scaled(picture, scale.longest if artist.enlarges else min(scale.longest, max(picture.shape)))
        drawing = artist.draw(path, scaled(picture, scale.drawn_at) if artist.enlarges else photo)
        if drawing.shape != photo.shape:
            size = photo.shape[1], photo.shape[0]
            drawing = np.asarray(cv2.resize(drawing, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        target = finished(drawing, photo, artist.finish)
        for file, kept in zip(files, (photo, drawing, target), strict=True):
            write_picture(file, kept)


def load_pairs(photos: Sequence[Path], cache: Path, scales: Sequence[Scale]) -> list[Pair]:
    """Read the cached pairs of these photos.

    Raises: InvalidInput: a pair is missing or unreadable.
    """
    pairs = []
    for path in photos:
        for scale in scales:
            pictures = [cv2.imread(str(file)) for file in _files(cache, path.stem, scale)]
            if any(picture is None for picture in pictures):
                raise InvalidInput(f"The cache {cache} lacks {path.name} at {scale.longest}. Delete it and run again.")
            photo, drawing, target = (np.asarray(picture, np.uint8) for picture in pictures)
            pairs.append(Pair(path.name, photo, drawing, target))
    return pairs


@dataclass(frozen=True)
class Lesson:
    """A folder of photos and who draws them."""

    folder: Path
    artist: Artist

    def photos(self) -> list[Path]:
        """The picture files of the folder, sorted by name."""
        return list_photos(self.folder)


def prepare(lessons: Sequence[Lesson], cache: Path, scales: Sequence[Scale]) -> tuple[list[Pair], list[Pair]]:
    """Draw what is not in the cache yet; give the pairs to learn from and those held out for measuring.

    With several lessons, the pairs of the smaller ones are repeated so that each is seen about equally often.

    Raises: InvalidInput: a folder is too small to hold photos out.
    """
    folders = [cache / str(index) if len(lessons) > 1 else cache for index in range(len(lessons))]
    most = max(len(lesson.photos()) for lesson in lessons)
    seen: list[Pair] = []
    held_out: list[Pair] = []
    for lesson, folder in zip(lessons, folders, strict=True):
        photos = lesson.photos()
        precompute(photos, lesson.artist, folder, scales)
        kept = [path for path in photos if is_held_out(path.name)]
        rest = [path for path in photos if not is_held_out(path.name)]
        if not kept or not rest:
            raise InvalidInput(f"The photo folder {lesson.folder} is too small to keep photos out. Add photos.")
        seen += load_pairs(rest, folder, scales) * round(most / len(photos))
        held_out += load_pairs(kept, folder, scales)
    return seen, held_out


def _files(cache: Path, stem: str, scale: Scale) -> list[Path]:
    size = str(scale.longest) if scale.longest == scale.drawn_at else f"{scale.longest}-from-{scale.drawn_at}"
    return [cache / f"{stem}-{size}-{kind}.png" for kind in ("photo", "teacher", "target")]
