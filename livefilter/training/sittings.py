"""Pairs of photos and a chain's drawings, made at the size at which the chain draws faces best."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.artist import read_picture, write_picture
from livefilter.training.chain import ChainArtist
from livefilter.training.data import Pair, is_held_out, scaled
from livefilter.training.people import Face, People
from livefilter.training.plain_skin import plain_skinned
from livefilter.training.target import recoloured

FACE = 160  # pixels; chains draw wider faces too mildly, and hardly change small ones
SMALL_FACE = 64
ENLARGED = 110  # a small face, before it is drawn
FAINT = 42.0  # grey levels
BRIGHT = 0.62  # of white
SCENE = 448
LONGEST = 256, 640
RARE = 0.3  # of the pairs
LOOKED = "looked.json"
_AROUND = 0.6  # of a face's side, on each side of it, is drawn with a small face


def precompute(photos: Sequence[Path], artist: ChainArtist, people: People, cache: Path) -> None:
    """Write the photos, the drawings and the milder drawings that are not in `cache` yet."""
    cache.mkdir(parents=True, exist_ok=True)
    for path in tqdm(photos, desc="drawings", unit="picture"):
        files = _files(cache, path)
        if all(file.exists() for file in files):
            continue
        original = read_picture(path)
        faces = people.faces(path.name)
        photo = scaled(original, _longest(original, faces))
        here = _moved(faces, original, photo)
        passes = min((face.passes for face in faces), default=2)
        drawing = _clearly_drawn(photo, here[:1], partial(artist.sketch, passes=passes))
        for face in here:
            if face.side < SMALL_FACE:
                drawing = _with_small_face(drawing, original, photo, face, artist.sketch)
        made = [photo, artist.finished(drawing)]
        if len(files) > len(made):
            mild = _clearly_drawn(photo, here[:1], partial(artist.sketch_mildly, passes=min(passes, 1)))
            made.append(artist.finished(mild, share=0.5))
        skin = people.skin(path.name, photo.shape[1], photo.shape[0])
        if skin is not None:
            made[1:] = [plain_skinned(each, photo, skin, here) for each in made[1:]]
        for file, picture in zip(files, made, strict=True):
            write_picture(file, picture)


def load(photos: Sequence[Path], people: People, cache: Path) -> list[Pair]:
    """Read the pairs of these photos.

    Raises: InvalidInput: one is missing or unreadable.
    """
    pairs = []
    for path in photos:
        read = [cv2.imread(str(file)) for file in _files(cache, path)]
        if any(picture is None for picture in read):
            raise InvalidInput(f"The cache {cache} lacks {path.name}. Delete it and run again.")
        photo, drawing, *milder = (np.asarray(picture, np.uint8) for picture in read)
        faces = _moved(people.faces(path.name), read_picture(path), photo)
        pairs.append(Pair(path.name, photo, drawing, drawing, mild=milder[0] if milder else None, faces=faces))
    return pairs


def prepare(photos: Sequence[Path], artist: ChainArtist, people: People, cache: Path) -> tuple[list[Pair], list[Pair]]:
    """Draw what is missing; give the pairs to learn from and those held out.

    Shut eyes and open mouths are seen twice as often as they come, where they are rare. Drawings that lost a face, see
    `lost`, are not learned from.

    Raises: InvalidInput: the photos are too few to hold some out, or the list of lost faces cannot be read.
    """
    precompute(photos, artist, people, cache)
    passed_over = lost(cache)
    kept = [path for path in photos if is_held_out(path.name)]
    rest = [path for path in photos if not is_held_out(path.name) and path.name not in passed_over]
    if not kept or not rest:
        raise InvalidInput("The photo folder is too small to keep photos out. Add photos.")
    seen = load(rest, people, cache)
    careful = [pair for pair in seen if any(face.passes < 2 for face in pair.faces)]
    if len(careful) < RARE * len(seen):
        seen += careful
    return seen, load(kept, people, cache)


def lost(cache: Path) -> set[str]:
    """The names of photos whose drawings lost a face, as tools/drawn_faces.py tells; none where it has not looked.

    Raises: InvalidInput: the list cannot be read.
    """
    file = cache / LOOKED
    try:
        looked = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return {name for name, is_lost in looked.items() if is_lost}
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{file} is no list of photos ({error}). Write it anew: tools/drawn_faces.py.") from error


def _longest(photo: Image, faces: Sequence[Face]) -> int:
    """The longest side at which the widest face is `FACE` wide, or a scene's."""
    if not faces:
        return SCENE
    longest = max(photo.shape[:2]) * FACE / faces[0].side
    return round(min(max(longest, LONGEST[0]), LONGEST[1]))


def _moved(faces: Sequence[Face], original: Image, photo: Image) -> tuple[Face, ...]:
    down, across = (new / old for new, old in zip(photo.shape[:2], original.shape[:2], strict=True))
    return tuple(face.scaled(across, down) for face in faces)


def _clearly_drawn(photo: Image, faces: Sequence[Face], draw: Callable[[Image], Image]) -> Image:
    """Draw a photo whose face is grey in grey, as those of webcams are, from a clearer form of it, in its own light.

    Generators see no eyes where there is little contrast (CLAHE, Zuiderveld 1994).
    """
    if not any(_contrast(photo, face) < FAINT for face in faces):
        return draw(photo)
    lab = cv2.cvtColor(photo, cv2.COLOR_BGR2LAB)
    side = max(40.0, max(face.side for face in faces))
    tiles = tuple(max(1, round(edge / side)) for edge in (photo.shape[1], photo.shape[0]))
    light = np.asarray(cv2.createCLAHE(3.0, tiles).apply(lab[..., 0]), np.uint8)
    level = max(0.05, float(np.mean([_face(light, face).mean() for face in faces])) / 255.0)
    gamma = min(1.0, np.log(BRIGHT) / np.log(level))
    lab[..., 0] = np.rint(255.0 * (light / 255.0) ** gamma)
    clear = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR), np.uint8)
    near = np.max([_around(face, photo.shape, 0.6, 1.3) for face in faces], axis=0)
    clear = np.rint(photo + (clear.astype(np.float32) - photo) * near).astype(np.uint8)
    return recoloured(draw(clear), photo, rich=1.0, light=0.9)


def _around(face: Face, shape: Sequence[int], inner: float, outer: float) -> npt.NDArray[np.float32]:
    """1 near the middle of a face, 0 further away than `outer` of its sides: (H, W, 1)."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    away = np.hypot(rows - face.top - face.side / 2, columns - face.left - face.side / 2) / face.side
    return np.asarray(np.clip((outer - away) / (outer - inner), 0.0, 1.0)[..., None], np.float32)


def _contrast(photo: Image, face: Face) -> float:
    """The standard deviation of the brightness of a face, in grey levels."""
    part = _face(photo, face)
    return float(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).std()) if part.size else FAINT


def _face(picture: Image, face: Face) -> Image:
    top, left = max(0, round(face.top)), max(0, round(face.left))
    return picture[top : round(face.top + face.side), left : round(face.left + face.side)]


def _with_small_face(drawing: Image, original: Image, photo: Image, face: Face, draw: Callable[..., Image]) -> Image:
    """Draw a small face from an enlarged cut-out and put it back, fading out around it."""
    height, width = photo.shape[:2]
    reach = face.side * _AROUND
    left, top = max(0, int(face.left - reach)), max(0, int(face.top - reach))
    right, bottom = min(width, int(face.left + face.side + reach)), min(height, int(face.top + face.side + reach))
    if min(right - left, bottom - top) < 8:
        return drawing
    factor = original.shape[1] / width
    y0, y1, x0, x1 = (round(value * factor) for value in (top, bottom, left, right))
    cut = scaled(original[y0:y1, x0:x1], round(max(right - left, bottom - top) * ENLARGED / face.side))
    size = right - left, bottom - top
    enlarged = face.side * cut.shape[1] / (right - left)
    middle = Face((cut.shape[1] - enlarged) / 2, (cut.shape[0] - enlarged) / 2, enlarged)
    drawn = _clearly_drawn(cut, (middle,), partial(draw, passes=face.passes))
    drawn = np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.uint8)
    cover = _around(face, photo.shape, 0.75, 1.05)[top:bottom, left:right]
    result = drawing.copy()
    old = result[top:bottom, left:right]
    result[top:bottom, left:right] = np.rint(old + (drawn.astype(np.float32) - old) * cover).astype(np.uint8)
    return result


def _files(cache: Path, path: Path) -> list[Path]:
    """Where the pair of a photo is kept. Every second one, by its name, has a milder drawing as well."""
    kinds = ("photo", "target", "mild")[: 2 + zlib.crc32(path.name.encode()) % 2]
    return [cache / f"{path.stem}-{kind}.png" for kind in kinds]
