"""Teach a finished network to say where people are, without a change to what it draws."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from livefilter.frame import Image
from livefilter.generator.network import BRANCH, Generator
from livefilter.generator.person_branch import PersonBranch
from livefilter.training.data import is_held_out
from livefilter.training.degradation import NOISE, Degradation
from livefilter.training.learner import Learner
from livefilter.training.person import PersonSampler, Sitter, person_loss, planes

SIDE = 360  # the shorter side at which frames are drawn on most processors
LARGEST = 400
SHAPES = ((448, 256), (336, 256), (256, 336), (512, 288), (320, 184), (640, 360))
_OFTEN_AS_MEANT, _STRONGEST = 0.7, 1.5
# What the drawing layers make of a crop costs more than a step of the branch, so each is learned from three times.
_AGAIN, _REMEMBERED = 2, 48
# This part of a batch is there again with other noise, and is to get the same mask: what wavers, flickers.
_TWICE, _WAVERING = 1 / 3, 4.0


def train_branch(
    generator: Generator, sitters: Sequence[Sitter], steps: int, batch: int = 6, seed: int = 0
) -> Generator:
    """A copy of a generator with a branch for people that is trained on these photos; all else stays as it is.

    One that has a branch goes on from it. steps: batches of new crops.
    """
    torch.manual_seed(seed)
    taught = copy.deepcopy(generator).requires_grad_(False).eval()
    taught.design = replace(generator.design, person=BRANCH)
    taught.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    branch = taught.person if isinstance(taught.person, PersonBranch) else None
    branch = branch or PersonBranch(taught.design.quarter, taught.design.eighth)
    branch.requires_grad_(True)
    branch.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learner = Learner(branch, steps * (1 + _AGAIN))
    sampler = PersonSampler([sitter for sitter in sitters if not is_held_out(sitter.name)], batch, seed, SHAPES)
    remembered: list[tuple[list[Tensor], Tensor]] = []
    for step in range(steps):
        random = np.random.default_rng((seed, step))
        pictures, masks = sampler.batch(step)
        again = round(batch * _TWICE)
        repeat(pictures, masks, again, random)
        strengths = [1.0 if random.random() < _OFTEN_AS_MEANT else random.uniform(0.0, _STRONGEST) for _ in pictures]
        # Some runtimes round to bfloat16, and a mask that has not learned to bear it has holes in faces there.
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=step % 2 == 1):
            seen = taught.seen(planes(pictures, strengths if taught.design.strength else None))
        wanted = F.avg_pool2d(torch.from_numpy(masks)[:, None].float() / 255.0, 4)
        remembered = [*remembered[1 - _REMEMBERED :], ([each.half() for each in seen], wanted)]
        for place in (-1, *random.integers(len(remembered), size=_AGAIN)):
            features, goal = remembered[int(place)]
            with torch.autocast("cpu", torch.bfloat16):
                logits = branch(*(each.float() for each in features))
            loss = person_loss(logits.float(), goal)
            if again:
                found = logits.float().sigmoid()
                loss = loss + _WAVERING * (found[:again] - found[-again:]).abs().mean()
            learner.step(loss)
    taught.person = learner.averaged
    return taught.eval()


def repeat(pictures: Image, masks: Image, count: int, random: np.random.Generator) -> None:
    """Put the first so many of a batch, with more noise, and their masks in the place of its last ones.

    pictures: (N, H, W, 3) uint8. masks: (N, H, W).
    """
    for place in range(count):
        noise = Degradation(0.0, random.uniform(*NOISE), 0)
        pictures[place - count], masks[place - count] = noise.of(pictures[place], random), masks[place]
