"""Train the small network that finds people, for styles whose own networks do not tell where they are."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from livefilter.errors import InvalidInput
from livefilter.generator.network import Design, Generator
from livefilter.training.artist import read_picture
from livefilter.training.data import is_held_out
from livefilter.training.degradation import Degradation, exposure_table
from livefilter.training.learner import Learner
from livefilter.training.people import People
from livefilter.whole_file import replacing

Image = npt.NDArray[np.uint8]
# Wide kernels at 1/8, so that what a shirt belongs to is seen; 0.28 MB. Half of its time goes into 1/2 as it is.
DESIGN = Design(8, 16, 40, half_convs=1, quarter_convs=1, eighth_blocks=4, dilation=4, person=1)
SIDE = 144  # the shorter side of the pictures that the network is to be used on
SHAPES = ((256, SIDE), (192, SIDE), (SIDE, 192), (256, SIDE))  # of crops, in turns, as cameras have them
_LARGEST = 320
_NEARER = 1.7  # than as much of a photo as fits into a crop
_NEAR_FACE = 0.12  # of the shorter side: somebody before a webcam
_DIM, _OFTEN_DIM = (0.2, 0.8), 0.3  # rooms at night
_OFTEN_ELSEWHERE, _OFTEN_SOFT, _SOFT = 0.5, 0.5, (1.0, 6.0)  # pixels


@dataclass(frozen=True)
class Sitter:
    """A photo and where people are in it: (H, W, 3) uint8 BGR and (H, W) uint8, 0 to 255.

    near: somebody sits as close as before a webcam.
    """

    name: str
    photo: Image
    mask: Image
    near: bool = False


def load(photos: Sequence[Path], people: People, largest: int = _LARGEST) -> list[Sitter]:
    """Read photos and their masks; a photo in which no face was found has nobody in it.

    largest: the shorter side in pixels to which larger photos are made smaller.
    Raises: InvalidInput: a photo cannot be read, or none has a mask.
    """
    found = []
    for path in photos:
        photo = read_picture(path)
        near = any(face.side >= _NEAR_FACE * min(photo.shape[:2]) for face in people.faces(path.name))
        factor = min(1.0, largest / min(photo.shape[:2]))
        size = round(photo.shape[1] * factor), round(photo.shape[0] * factor)
        mask = people.mask(path.name, *size)
        if mask is not None:
            photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
            found.append(Sitter(path.name, photo, mask if people.faces(path.name) else np.zeros_like(mask), near))
    if not found:
        raise InvalidInput("None of the photos has a mask. Write them: python tools/people.py PHOTOS PEOPLE")
    return found


def drawn(sitters: Sequence[Sitter], cache: Path) -> list[Sitter]:
    """The same people in the drawings of the photos that a chain made: to be found there, too, a network has to look at
    shapes, and not at skin and wood of one colour (Geirhos et al. 2019). Photos held out are left out.

    cache: folder of the drawings (`livefilter train distill --cache`).
    Raises: InvalidInput: there is none of these photos, or one cannot be read.
    """
    found = []
    for sitter in sitters:
        path = cache / f"{Path(sitter.name).stem}-target.png"
        if is_held_out(sitter.name) or not path.exists():
            continue
        size = sitter.mask.shape[1], sitter.mask.shape[0]
        drawing = np.asarray(cv2.resize(read_picture(path), size, interpolation=cv2.INTER_AREA), np.uint8)
        found.append(Sitter(sitter.name, drawing, sitter.mask))
    if not found:
        raise InvalidInput(
            f"{cache} has no drawings of these photos. Draw them: livefilter train styles --draw-only, or leave "
            "--drawings out."
        )
    return found


class PersonSampler:
    """Draws crops at many scales, degraded as webcams do; half of the people stand before another photo.

    Half of those photos are out of focus, as what is behind somebody often is.

    Photos of somebody near are drawn twice as often as others. shapes: (width, height) of crops, in turns.
    """

    def __init__(
        self, sitters: Sequence[Sitter], batch: int, seed: int = 0, shapes: Sequence[tuple[int, int]] = SHAPES
    ) -> None:
        self._batch, self._seed, self._shapes = batch, seed, shapes
        self._sitters = [sitter for sitter in sitters for _ in range(1 + sitter.near)]
        self._with_people = [sitter for sitter in self._sitters if sitter.mask.any()]

    def batch(self, step: int) -> tuple[Image, Image]:
        """(N, H, W, 3) and (N, H, W) uint8 of one of the shapes; they depend on the seed and the step alone."""
        random = np.random.default_rng((self._seed, step))
        shape = self._shapes[step % len(self._shapes)]
        seen, wanted = [], []
        for _ in range(self._batch):
            photo, mask = self._crop(self._sitters, shape, random)
            if random.random() < _OFTEN_ELSEWHERE and self._with_people:
                behind, others = photo, mask
                if random.random() < _OFTEN_SOFT and not others.any():
                    behind = np.asarray(cv2.GaussianBlur(behind, (0, 0), random.uniform(*_SOFT)), np.uint8)
                behind = np.asarray(cv2.LUT(behind, exposure_table(random)), np.uint8)
                photo, mask = self._crop(self._with_people, shape, random)
                share = mask[..., None] / 255.0
                photo = np.asarray(np.rint(photo * share + behind * (1.0 - share)), np.uint8)
                mask = np.maximum(mask, others)
            light = random.uniform(*_DIM) if random.random() < _OFTEN_DIM else 1.0
            photo = np.asarray(cv2.LUT(photo, np.rint(exposure_table(random) * light).astype(np.uint8)), np.uint8)
            seen.append(Degradation.drawn(random).of(photo, random))
            wanted.append(mask)
        return np.stack(seen), np.stack(wanted)

    @staticmethod
    def _crop(sitters: Sequence[Sitter], shape: tuple[int, int], random: np.random.Generator) -> tuple[Image, Image]:
        """A part of one of the photos, as large as it goes or nearer."""
        sitter = sitters[int(random.integers(len(sitters)))]
        height, width = sitter.mask.shape
        factor = max(shape[0] / width, shape[1] / height) * _NEARER ** random.random()
        size = max(shape[0], round(width * factor)), max(shape[1], round(height * factor))
        pictures = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (sitter.photo, sitter.mask)]
        left, top = random.integers(size[0] - shape[0] + 1), random.integers(size[1] - shape[1] + 1)
        cut = [picture[top : top + shape[1], left : left + shape[0]] for picture in pictures]
        if random.random() < 0.5:
            cut = [picture[:, ::-1] for picture in cut]
        photo, mask = (np.ascontiguousarray(picture) for picture in cut)
        return np.asarray(photo, np.uint8), np.asarray(mask, np.uint8)


def train_person(
    sitters: Sequence[Sitter], steps: int, batch: int = 12, seed: int = 0, start: Generator | None = None
) -> Generator:
    """Train the network on these photos, and return its averaged weights. start: go on with a copy of these."""
    torch.manual_seed(seed)
    network = Generator(DESIGN) if start is None else copy.deepcopy(start).requires_grad_(True)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learner = Learner(network, steps)
    sampler = PersonSampler([sitter for sitter in sitters if not is_held_out(sitter.name)], batch, seed)
    for step in range(steps):
        seen, wanted = sampler.batch(step)
        # In bfloat16 so few channels take longer.
        learner.step(person_loss(_logits(network, seen), torch.from_numpy(wanted)[:, None].float() / 255.0))
    return learner.averaged


def save_network(network: Generator, path: Path) -> None:
    """Write what `load_network` reads, whole or not at all."""
    with replacing(path) as stream:
        torch.save(network.state(), stream)


def load_network(path: Path) -> Generator:
    """Read a network to go on with.

    Raises: InvalidInput: the file is none.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = Generator(Design(**state["design"]))
        network.load_state_dict(state["weights"])
    except Exception as error:  # torch raises many kinds for a damaged file
        raise InvalidInput(f"{path} is no network that finds people ({error}). Name an OUT/person.pt.") from error
    return network


def person_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy and Dice (Milletari et al. 2016) of logits and a mask in [0, 1].

    logits: (N, 1, H/n, W/n). wanted: (N, 1, H, W).
    """
    goal = F.avg_pool2d(wanted, wanted.shape[-1] // logits.shape[-1])
    found = logits.sigmoid()
    # Edges are few, and what people look at.
    edge = F.max_pool2d(goal, 5, 1, 2) + F.max_pool2d(-goal, 5, 1, 2)
    both, either = (found * goal).sum((1, 2, 3)), (found + goal).sum((1, 2, 3))
    dice = 1.0 - (2.0 * both + 50.0) / (either + 50.0)
    return F.binary_cross_entropy_with_logits(logits, goal, weight=1.0 + edge) + 0.5 * dice.mean()


@torch.no_grad()
def overlap(network: Generator, sitters: Sequence[Sitter], side: int = SIDE) -> dict[str, float]:
    """How well people are found in the photos held out, at the size that the network is for.

    side: their shorter side in pixels.
    Returns: photos; iou: intersection over union, its mean over photos with people; false_alarm: the share of pixels of
        photos without people that are called one.
    """
    ious, alarms = [], []
    for sitter in sitters:
        if not is_held_out(sitter.name):
            continue
        factor = side / min(sitter.mask.shape)
        width, height = (max(8, round(side * factor / 8) * 8) for side in sitter.mask.shape[::-1])
        photo = np.asarray(cv2.resize(sitter.photo, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        mask = cv2.resize(sitter.mask, (width // 2, height // 2), interpolation=cv2.INTER_AREA) > 127
        found = _logits(network, photo[None])[0, 0].float().numpy() > 0
        if mask.mean() > 0.01:
            ious.append(float((mask & found).sum() / (mask | found).sum()))
        else:
            alarms.append(float(found.mean()))
    return {
        "photos": len(ious) + len(alarms),
        "iou": round(float(np.mean(ious)), 3) if ious else 0.0,
        "false_alarm": round(float(np.mean(alarms)), 3) if alarms else 0.0,
    }


def planes(pictures: Image, strengths: Sequence[float] | None = None) -> Tensor:
    """What a network takes, (N, 3, H, W) of (N, H, W, 3) uint8 BGR; with strengths a fourth plane of each."""
    seen = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1.0
    if strengths is not None:
        values = torch.tensor(strengths)[:, None, None, None]
        seen = torch.cat([seen, values.expand(-1, 1, *seen.shape[2:])], 1)
    return seen.contiguous(memory_format=torch.channels_last)


def _logits(network: Generator, pictures: Image) -> Tensor:
    return network.find(planes(pictures, [1.0] * len(pictures) if network.design.strength else None))
