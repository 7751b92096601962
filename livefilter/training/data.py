"""Training pairs: photos and what the teacher made of them, cached on disk, cropped and degraded on the fly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from livefilter.errors import InvalidInput
from livefilter.training.artist import Artist, read_picture
from livefilter.training.people import Face
from livefilter.training.target import finished
from livefilter.whole_file import write_whole

Image = npt.NDArray[np.uint8]

LARGEST_SHIFT = 8
PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
TEACHER_MULTIPLE = 32
HELD_OUT_ONE_IN = 19
NOISE = 1.0, 9.0  # grey levels
FACES = 55.0, 330.0  # pixels
STRENGTHS = 0.0, 0.5, 1.0, 1.5
CHANCES = 0.2, 0.35, 0.2, 0.25

# Fresh normal noise for every crop would cost more than the crop; a random stretch of a fixed bank is as good.
_NOISE = np.random.default_rng(0).standard_normal(2_000_000, dtype=np.float32)


@dataclass(frozen=True)
class Pair:
    """One photo, the teacher's drawing of it and the target: (H, W, 3) uint8 BGR of one shape.

    mild: the target at half the strength. person: where people are, (H, W) uint8, 0 to 255. faces: theirs.
    """

    name: str
    photo: Image
    drawing: Image
    target: Image
    mild: Image | None = None
    person: Image | None = None
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

        Raises:
            InvalidInput: the text is neither.
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

    Raises:
        InvalidInput: the folder is missing or holds no picture.
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

    Raises:
        InvalidInput: a photo or its drawing cannot be read.
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
            _write(file, kept)


def load_pairs(photos: Sequence[Path], cache: Path, scales: Sequence[Scale]) -> list[Pair]:
    """Read the cached pairs of these photos.

    Raises:
        InvalidInput: a pair is missing or unreadable.
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

    Raises:
        InvalidInput: a folder is too small to hold photos out.
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


@dataclass(frozen=True)
class Batch:
    """What one training step sees; uint8 arrays (N, H, W, 3) BGR, owned by the caller.

    The last `len(shifts)` rows repeat the first ones, moved by (down, right) pixels and with fresh noise of the same
    strength, so that the student can be asked for the same drawing twice.

    strengths: (N,) float32, of the drawing that is wanted. people: for each row where people are, (H, W) uint8, 0 to
    255, or None where that is not known.
    """

    seen: Image
    targets: Image
    shifts: list[tuple[int, int]]
    strengths: npt.NDArray[np.float32]
    people: list[Image | None]


@dataclass(frozen=True)
class _View:
    """A part of a photo and what is wanted of it at a strength; a crop and `LARGEST_SHIFT` wide and high."""

    photo: Image
    target: Image
    person: Image | None
    strength: float


class Sampler:
    """Draws random crops, flipped, exposed and degraded, for ever.

    In half of the crops colour and exposure change, of photo and target alike; blur, noise and JPEG blocks touch the
    photo only, so that the student learns to see through them. Of photos with faces two thirds of the crops show one,
    brought to a width of `FACES` pixels, each as likely as twice of it.

    judged: rows at the start of a batch that are at full strength, for the discriminator. strengths: whether the others
    may be at another strength, if the pair has a milder drawing.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        crop: int,
        batch: int,
        repeats: int = 1,
        seed: int = 0,
        judged: int = 0,
        strengths: bool = False,
    ) -> None:
        self._size = crop + LARGEST_SHIFT
        self._pairs = [pair for pair in pairs if pair.faces or min(pair.photo.shape[:2]) >= self._size]
        if not self._pairs:
            raise InvalidInput(f"No photo is {self._size} pixels high and wide: name larger photos or a smaller crop.")
        self._crop, self._batch, self._repeats, self._seed = crop, batch, repeats, seed
        self._judged, self._strengths = judged, strengths

    def batch(self, step: int) -> Batch:
        """Make the batch of one step; it depends on the seed and the step only, so training can be resumed."""
        random = np.random.default_rng((self._seed, step))
        once = self._batch - self._repeats
        picks = [(self._pick(random, row >= self._judged), Degradation.drawn(random)) for row in range(once)]
        for row, (view, degradation) in enumerate(picks[: self._repeats]):
            picks[row] = view, degradation.noisier(random)
        moved = random.integers(0, LARGEST_SHIFT + 1, (self._repeats, 2)).tolist()
        rows = [(*pick, 0, 0) for pick in picks]
        rows += [(*pick, down, right) for pick, (down, right) in zip(picks, moved, strict=False)]
        seen, targets, people = [], [], []
        for view, degradation, down, right in rows:
            window = np.s_[down : down + self._crop, right : right + self._crop]
            seen.append(degradation.of(view.photo[window], random))
            targets.append(view.target[window])
            people.append(None if view.person is None else view.person[window])
        return Batch(
            np.stack(seen),
            np.stack(targets),
            [(down, right) for down, right in moved],
            np.array([view.strength for view, *_ in rows], np.float32),
            people,
        )

    def _pick(self, random: np.random.Generator, any_strength: bool) -> _View:
        pair = self._pairs[random.integers(len(self._pairs))]
        strength = 1.0
        if self._strengths and any_strength and pair.mild is not None:
            strength = float(random.choice(STRENGTHS, p=CHANCES))
        wanted = _at_strength(pair, strength)
        pictures = [pair.photo, wanted] + ([] if pair.person is None else [pair.person])
        window, enlarged = self._window(pair, random)
        pictures = [_cut(picture, window, enlarged) for picture in pictures]
        if random.random() < 0.5:
            pictures = [picture[:, ::-1] for picture in pictures]
        if random.random() < 0.5:
            table = exposure_table(random)
            pictures[:2] = [_through(picture, table) for picture in pictures[:2]]
        return _View(pictures[0], pictures[1], pictures[2] if len(pictures) > 2 else None, strength)

    def _window(self, pair: Pair, random: np.random.Generator) -> tuple[tuple[int, int, int], int]:
        """Choose what is cut out: its top, left and side, and the side that it is brought to."""
        height, width = pair.photo.shape[:2]
        size = self._size
        if not pair.faces:
            return (int(random.integers(height - size + 1)), int(random.integers(width - size + 1)), size), size
        face = pair.faces[random.integers(len(pair.faces))]
        wide = float(np.exp(random.uniform(*np.log(FACES))))
        side = round(min(max(size * face.side / wide, 32), height, width))
        if random.random() < 1 / 3:
            return (int(random.integers(height - side + 1)), int(random.integers(width - side + 1)), side), size
        middle = [face.top + face.side / 2, face.left + face.side / 2]
        corner = [round(at - side / 2 + random.uniform(-0.3, 0.3) * side) for at in middle]
        top, left = (min(max(at, 0), limit - side) for at, limit in zip(corner, (height, width), strict=True))
        return (top, left, side), size


def _at_strength(pair: Pair, strength: float) -> Image:
    """The target at one of `STRENGTHS`: the photo, the milder drawing, the drawing, and a bolder one."""
    if strength == 0.0:
        return pair.photo
    if strength == 0.5 and pair.mild is not None:
        return pair.mild
    return pair.target if strength == 1.0 else bold(pair.target)


def bold(drawing: Image) -> Image:
    """A drawing at one and a half times its strength: darker lines, more contrast, richer colours."""
    lab = np.asarray(cv2.cvtColor(drawing.astype(np.float32) / 255.0, cv2.COLOR_BGR2LAB), np.float32)
    light = lab[..., 0]
    lines = np.clip(cv2.GaussianBlur(light, (0, 0), 2.6) - cv2.GaussianBlur(light, (0, 0), 0.8) - 1.0, 0.0, 16.0)
    lab[..., 0] = np.clip(50.0 + (light - 50.0) * 1.12 - 2.5 * lines, 0.0, 100.0)
    lab[..., 1:] *= 1.2
    return np.asarray(np.rint(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR), 0.0, 1.0) * 255.0), np.uint8)


def _cut(picture: Image, window: tuple[int, int, int], size: int) -> Image:
    top, left, side = window
    part = picture[top : top + side, left : left + side]
    if side == size:
        return part
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (size, size), interpolation=method), np.uint8)


def exposure_table(random: np.random.Generator) -> Image:
    """Make a mild random change of exposure and white balance: a look-up table (1, 256, 3) uint8."""
    levels = np.arange(256)[:, None] / 255.0
    gamma, gain = np.exp(random.normal(0, 0.15)), np.exp(random.normal(0, 0.08))
    balance = np.exp(random.normal(0, 0.03, 3))
    table = np.clip(levels**gamma * gain * balance, 0.0, 1.0) * 255.0
    return np.asarray(np.rint(table)[None], dtype=np.uint8)


@dataclass(frozen=True)
class Degradation:
    """What a webcam does to a picture: sometimes it is soft, noisy, or has JPEG blocks; 0 leaves that out.

    softness: sigma of a Gaussian, in pixels. noise: standard deviation in grey levels. quality: of the JPEG, to 95.
    """

    softness: float
    noise: float
    quality: int

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Degradation:
        """Draw one at random."""
        softness = random.uniform(0.4, 1.0) if random.random() < 0.3 else 0.0
        noise = random.uniform(*NOISE) if random.random() < 0.6 else 0.0
        return cls(softness, noise, int(random.integers(40, 95)) if random.random() < 0.5 else 0)

    def noisier(self, random: np.random.Generator) -> Degradation:
        """The same, with noise if it had none."""
        return self if self.noise else replace(self, noise=random.uniform(*NOISE))

    def of(self, photo: Image, random: np.random.Generator) -> Image:
        """Degrade (H, W, 3) uint8 BGR; the noise is fresh each time."""
        seen = np.ascontiguousarray(photo)
        if self.softness:
            seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), self.softness), np.uint8)
        if self.noise:
            noise = _NOISE[random.integers(len(_NOISE) - seen.size) :][: seen.size].reshape(seen.shape)
            seen = np.asarray(np.clip(seen + noise * self.noise, 0, 255), np.uint8)
        if self.quality:
            _, data = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
            seen = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        return seen


def _through(picture: Image, table: Image) -> Image:
    return np.asarray(cv2.LUT(np.ascontiguousarray(picture), table), dtype=np.uint8)


def _files(cache: Path, stem: str, scale: Scale) -> list[Path]:
    size = str(scale.longest) if scale.longest == scale.drawn_at else f"{scale.longest}-from-{scale.drawn_at}"
    return [cache / f"{stem}-{size}-{kind}.png" for kind in ("photo", "teacher", "target")]


def _write(path: Path, picture: Image) -> None:
    write_whole(path, cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
