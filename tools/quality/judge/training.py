"""Train the judge on one thread and tell how often it errs on what it never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from livefilter.frame import Image
from tools.quality.judge.network import DrawingOrPhoto
from tools.quality.judge.pictures import KINDS, Examples
from tools.quality.judge.scoring import Judge
from tools.quality.judge.views import LARGE, SMALL, view

_BATCH = {SMALL: 32, LARGE: 16}
_SMALL_FIRST = 0.7  # of the steps: twice as quick
_RATE = 3e-3
_TOLD_EVERY = 100
_CALIBRATED = 120  # pictures of each class and kind


def train_judge(
    examples: Mapping[tuple[str, str], Examples],
    out: Path,
    steps: int,
    told: Callable[[str], None],
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Train on a quarter each of drawn faces, drawn scenes, photographed faces and scenes, and write `out`.

    Args:
        examples: by ("drawing" or "photo", "faces" or "scenes").
        out: the file of weights; it keeps the figures as well.
        steps: 2,000 take 3 minutes of one free core.
        told: hears of the loss.

    Returns: by kind, "photo" and "drawing": mean probability of a drawing; "error": share on the wrong side of 0.5,
        the mean of both classes; all on pictures kept apart.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    random = np.random.default_rng(seed)
    network = DrawingOrPhoto().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.02)
    loss_of = nn.BCEWithLogitsLoss()
    lots = list(examples.items())
    wanted = torch.tensor([0.97 if lots[row % len(lots)][0][0] == "drawing" else 0.03 for row in range(_BATCH[SMALL])])
    losses = 0.0
    out.parent.mkdir(parents=True, exist_ok=True)
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min(1.0, step / 100) * 0.5 * (1.0 + np.cos(np.pi * step / steps))
        side = SMALL if step <= _SMALL_FIRST * steps else LARGE
        crops = [_picked(lots[row % len(lots)], side, random) for row in range(_BATCH[side])]
        with torch.autocast("cpu", torch.bfloat16):
            odds = network(_tensor(np.stack(crops)))
        loss = loss_of(odds.float(), wanted[: len(crops)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses += float(loss.detach())
        if step % _TOLD_EVERY == 0:
            Judge(network).save(out, {"steps": step})
            told(f"step {step} of {steps}: loss {losses / _TOLD_EVERY:.3f}")
            losses = 0.0
    judge = Judge(network.eval())
    calibrate(network, judge, examples)
    figures = {kind: _errors(judge, examples, kind) for kind in KINDS}
    judge.save(out, {"figures": figures, "steps": steps})
    return figures


def calibrate(network: DrawingOrPhoto, judge: Judge, examples: Mapping[tuple[str, str], Examples]) -> None:
    """Scale the network's odds to whole pictures, as much as of crops they are trained for (Platt 1999).

    The mean over a picture is surer than that over a crop; fitted to pictures it learned from, each kind alike.
    """
    odds: list[float] = []
    drawn: list[float] = []
    for (what, _), found in examples.items():
        some = found.learned[:: max(1, len(found.learned) // _CALIBRATED)][:_CALIBRATED]
        odds += [judge.odds(picture) for picture in some]
        drawn += [float(what == "drawing")] * len(some)
    values, wanted = torch.tensor(odds), torch.tensor(drawn) * 0.96 + 0.02
    line = torch.tensor([1.0, 0.0], requires_grad=True)
    search = torch.optim.LBFGS([line], max_iter=50)

    def closure() -> torch.Tensor:
        search.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(line[0] * values + line[1], wanted)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    search.step(closure)  # type: ignore[no-untyped-call]
    slope, shift = line.detach()
    with torch.no_grad():
        network.last.weight.mul_(slope)
        network.last.bias.mul_(slope).add_(shift)


def _picked(lot: tuple[tuple[str, str], Examples], side: int, random: np.random.Generator) -> Image:
    (_, kind), examples = lot
    return view(examples.learned[random.integers(len(examples.learned))], kind, side, random)


def _tensor(crops: npt.NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(crops).permute(0, 3, 1, 2).float().mul_(1 / 127.5).sub_(1.0)


def _errors(judge: Judge, examples: Mapping[tuple[str, str], Examples], kind: str) -> dict[str, float]:
    drawn = np.array([judge(picture) for picture in examples["drawing", kind].apart])
    seen = np.array([judge(picture) for picture in examples["photo", kind].apart])
    return {
        "photo": round(float(seen.mean()), 3),
        "drawing": round(float(drawn.mean()), 3),
        "error": round(float(((seen > 0.5).mean() + (drawn <= 0.5).mean()) / 2), 3),
        "photos": len(seen),
        "drawings": len(drawn),
    }
