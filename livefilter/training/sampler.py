"""Crops for the student, drawn at random: flipped, exposed, degraded as webcams do, at many strengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.data import Pair
from livefilter.training.degradation import Degradation, exposure_table
from livefilter.training.lab import from_lab, to_lab

LARGEST_SHIFT = 8
FACES = 32.0, 330.0  # pixels
FARTHEST = 2.0  # times the shorter side of a photo: what is beyond it is its mirror image
STRENGTHS = 0.0, 0.5, 1.0, 1.5
CHANCES = 0.2, 0.35, 0.2, 0.25
EYES = 0.34, 0.25  # of a face's side: how far down eyes are, and the sigma of the blob that covers both


@dataclass(frozen=True)
class Batch:
    """What one training step sees; uint8 arrays (N, H, W, 3) BGR, owned by the caller.

    The last `len(shifts)` rows repeat the first ones, moved by (down, right) pixels and with fresh noise of the same
    strength, so that the student can be asked for the same drawing twice.

    strengths: (N,) float32, of the drawing that is wanted. eyes: (N, H, W) float32, 1 where eyes are, 0 away from them.
    """

    seen: Image
    targets: Image
    shifts: list[tuple[int, int]]
    strengths: npt.NDArray[np.float32]
    eyes: npt.NDArray[np.float32]


@dataclass(frozen=True)
class _View:
    """A part of a photo and what is wanted of it at a strength; a crop and `LARGEST_SHIFT` wide and high."""

    photo: Image
    target: Image
    strength: float
    eyes: npt.NDArray[np.float32]


class Sampler:
    """Draws random crops, flipped, exposed and degraded, for ever.

    In half of the crops colour and exposure change, of photo and target alike; blur, noise and JPEG blocks touch the
    photo only, so that the student learns to see through them. Of photos with faces two thirds of the crops show one,
    brought to a width of `FACES` pixels, each as likely as twice of it; small ones among mirror images of their photo.

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
        seen, targets, eyes = [], [], []
        for view, degradation, down, right in rows:
            window = np.s_[down : down + self._crop, right : right + self._crop]
            seen.append(degradation.of(view.photo[window], random))
            targets.append(view.target[window])
            eyes.append(view.eyes[window])
        return Batch(
            np.stack(seen),
            np.stack(targets),
            [(down, right) for down, right in moved],
            np.array([view.strength for view, *_ in rows], np.float32),
            np.stack(eyes),
        )

    def _pick(self, random: np.random.Generator, any_strength: bool) -> _View:
        pair = self._pairs[random.integers(len(self._pairs))]
        strength = 1.0
        if self._strengths and any_strength and pair.mild is not None:
            strength = float(random.choice(STRENGTHS, p=CHANCES))
        window = self._window(pair, random)
        pictures = [_cut(picture, window, self._size) for picture in (pair.photo, _at_strength(pair, strength))]
        eyes = _eyes(pair, window, self._size)
        if random.random() < 0.5:
            pictures, eyes = [picture[:, ::-1] for picture in pictures], eyes[:, ::-1]
        if random.random() < 0.5:
            table = exposure_table(random)
            pictures = [np.asarray(cv2.LUT(np.ascontiguousarray(picture), table), np.uint8) for picture in pictures]
        photo, target = pictures
        return _View(photo, target, strength, eyes)

    def _window(self, pair: Pair, random: np.random.Generator) -> tuple[int, int, int]:
        """Choose what is cut out: its top, left and side."""
        height, width = pair.photo.shape[:2]
        size = self._size
        if not pair.faces:
            return int(random.integers(height - size + 1)), int(random.integers(width - size + 1)), size
        face = pair.faces[random.integers(len(pair.faces))]
        wide = float(np.exp(random.uniform(*np.log(FACES))))
        side = round(min(max(size * face.side / wide, 32), FARTHEST * min(height, width)))
        ends = [sorted((0, limit - side)) for limit in (height, width)]
        if random.random() < 1 / 3:
            top, left = (int(random.integers(least, most + 1)) for least, most in ends)
            return top, left, side
        middle = [face.top + face.side / 2, face.left + face.side / 2]
        corner = [round(at - side / 2 + random.uniform(-0.3, 0.3) * side) for at in middle]
        top, left = (min(max(at, least), most) for at, (least, most) in zip(corner, ends, strict=True))
        return top, left, side


def _at_strength(pair: Pair, strength: float) -> Image:
    """The target at one of `STRENGTHS`: the photo, the milder drawing, the drawing, and a bolder one."""
    if strength == 0.0:
        return pair.photo
    if strength == 0.5 and pair.mild is not None:
        return pair.mild
    return pair.target if strength == 1.0 else bold(pair.target)


def bold(drawing: Image) -> Image:
    """A drawing at one and a half times its strength: darker lines, more contrast, richer colours."""
    lab = to_lab(drawing)
    light = lab[..., 0]
    lines = np.clip(cv2.GaussianBlur(light, (0, 0), 2.6) - cv2.GaussianBlur(light, (0, 0), 0.8) - 1.0, 0.0, 16.0)
    lab[..., 0] = np.clip(50.0 + (light - 50.0) * 1.12 - 2.5 * lines, 0.0, 100.0)
    lab[..., 1:] *= 1.2
    return from_lab(lab)


def _eyes(pair: Pair, window: tuple[int, int, int], size: int) -> npt.NDArray[np.float32]:
    """Where the eyes of the pair's faces are in a window, brought to `size` pixels: (size, size), 0 to 1."""
    top, left, side = window
    rows, columns = ((np.arange(size) + 0.5) * side / size + start for start in (top, left))
    found = np.zeros((size, size), np.float32)
    for face in pair.faces:
        down, wide = (share * face.side for share in EYES)
        vertical = np.exp(-(((rows - face.top - down) / wide) ** 2) / 2.0)
        across = np.exp(-(((columns - face.left - face.side / 2) / wide) ** 2) / 2.0)
        np.maximum(found, np.outer(vertical, across), out=found, casting="same_kind")
    return found


def _cut(picture: Image, window: tuple[int, int, int], size: int) -> Image:
    top, left, side = window
    height, width = picture.shape[:2]
    part = picture[max(0, top) : top + side, max(0, left) : left + side]
    if part.shape[:2] != (side, side):
        beyond = max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width)
        part = np.asarray(cv2.copyMakeBorder(part, *beyond, cv2.BORDER_REFLECT_101), np.uint8)
    if side == size:
        return part
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (size, size), interpolation=method), np.uint8)
