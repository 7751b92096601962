"""A training run from its first step, or where it was cut off, to its last."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from livefilter.errors import InvalidInput
from livefilter.training.animegan.data import Decks
from livefilter.training.animegan.files import write_generator
from livefilter.training.animegan.samples import Samples
from livefilter.training.animegan.trainer import Trainer

log = logging.getLogger(__name__)

LATEST, BEST, RESULT, LOGS = "latest.pt", "best.pt", "generator.safetensors", "logs"


class Run:
    """Drives a trainer and writes what comes of it into `out`: checkpoints, sheets, logs and the result.

    Every process of a team drives its own; the leading one writes. `every` steps there is a checkpoint, a sheet and a
    score; every `shown` steps the means of the losses are shown and logged.

    Raises: InvalidInput: there is a checkpoint in `out`, and it is damaged or of another recipe.
    """

    def __init__(self, trainer: Trainer, samples: Samples, out: Path, every: int = 500, shown: int = 10) -> None:
        self._trainer, self._samples, self._out = trainer, samples, out
        self._every, self._shown = every, shown
        self._sums: dict[str, Tensor] = {}
        self._count = 0
        out.mkdir(parents=True, exist_ok=True)
        if (out / LATEST).exists():
            trainer.restore(out / LATEST)
            log.info("going on at step %d", trainer.step)

    def train(self, decks: Decks, workers: int = 4) -> None:
        """Train to the last step of the recipe.

        Raises: InvalidInput: a picture cannot be read, the batch cannot be shared out, or the losses are finite no
            more.
        """
        trainer, recipe, team = self._trainer, self._trainer.recipe, self._trainer.team
        first, last = team.share(recipe.batch)
        writer = SummaryWriter(str(self._out / LOGS), purge_step=trainer.step + 1) if team.leads else None
        bar = tqdm(total=recipe.steps, initial=trainer.step, unit="step", disable=not team.leads)
        try:
            for batch in decks.stream(trainer.step, recipe.steps, first, last, workers):
                bar.set_description("content" if trainer.pretraining else "anime")
                for name, value in trainer.learn(batch).items():
                    self._sums[name] = self._sums.get(name, 0.0) + value
                self._count += 1
                saving = trainer.step % self._every == 0 or trainer.step == recipe.steps
                if saving or trainer.step % self._shown == 0 or trainer.step == recipe.pretrain_steps:
                    self._show(writer, bar)
                if saving and writer is not None:
                    self._keep(writer)
                bar.update()
        finally:
            bar.close()
            if writer is not None:
                writer.close()
        if team.leads:
            about = {"preset": recipe.preset, "step": str(trainer.step)}
            write_generator(trainer.generator, self._out / RESULT, about)

    def _show(self, writer: SummaryWriter | None, bar: Any) -> None:
        means = self._trainer.team.mean(torch.stack(list(self._sums.values())) / self._count).tolist()
        values = dict(zip(self._sums, means, strict=True))
        self._sums, self._count = {}, 0
        step = self._trainer.step
        if not all(math.isfinite(value) for value in means):
            raise InvalidInput(
                f"The losses are not finite at step {step}. Go on from the last checkpoint with --precision float32."
            )
        for name, value in values.items():
            if writer is not None:
                writer.add_scalar(name, value, step)
        bar.set_postfix({name.replace("/total", ""): f"{values[name]:.3g}" for name in values if "total" in name})

    def _keep(self, writer: SummaryWriter) -> None:
        trainer, step = self._trainer, self._trainer.step
        scores = trainer.score(self._samples.crops, self._samples.grey)
        for name, value in scores.items():
            writer.add_scalar(f"kept out/{name}", value, step)
        # Content alone is best served by the photo itself, so the first phase has no best.
        if step > trainer.recipe.pretrain_steps and scores["total"] < trainer.best:
            trainer.best = scores["total"]
            trainer.save(self._out / BEST)
        trainer.save(self._out / LATEST)
        sheet = self._samples.sheet(trainer.generator)
        cv2.imwrite(str(self._out / f"sheet-{step:06d}.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 90])
        writer.add_image("sheet", sheet[:, :, ::-1], step, dataformats="HWC")
