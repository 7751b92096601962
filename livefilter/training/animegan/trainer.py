"""One step of training, and all that a checkpoint keeps."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from livefilter.errors import InvalidInput
from livefilter.generator.animegan import animegan
from livefilter.generator.weights import read_tensors
from livefilter.training.animegan import losses
from livefilter.training.animegan.data import Batch
from livefilter.training.animegan.discriminator import Discriminator
from livefilter.training.animegan.recipe import AnimeGanRecipe
from livefilter.training.animegan.team import Team
from livefilter.training.animegan.vgg import Vgg19
from livefilter.whole_file import replacing

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

# A run that goes on may be longer, and be computed otherwise; anything else would make it another run.
_MAY_CHANGE = {"steps", "precision"}


class Trainer:
    """Generator, discriminator and their optimizers at some step of a recipe.

    Raises: InvalidInput: the precision does not exist on the device.
    """

    def __init__(self, recipe: AnimeGanRecipe, vgg: Vgg19, team: Team) -> None:
        if recipe.precision == "float16" and team.device.type != "cuda":
            raise InvalidInput("float16 is for GPUs. On the CPU use --precision bfloat16 or float32.")
        self.recipe, self.team = recipe, team
        self.step = 0
        self.best = float("inf")
        torch.manual_seed(recipe.seed)
        self.generator = animegan(recipe.version).to(team.device)
        self.discriminator = Discriminator().to(team.device)
        self.vgg = vgg.to(team.device)
        self._draw, self._judge = team.wrap(self.generator), team.wrap(self.discriminator)
        scaled = recipe.precision == "float16"
        self._scaler = torch.amp.GradScaler(team.device.type, enabled=scaled)
        self._judge_scaler = torch.amp.GradScaler(team.device.type, enabled=scaled)
        self._judge_adam = self._adam(self.discriminator, recipe.judge_rate)
        self._start_phase()

    @property
    def pretraining(self) -> bool:
        """Whether the next step asks for content alone."""
        return self.step < self.recipe.pretrain_steps

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """Make one step; returns each term of the losses, unweighted, and the weighted totals, as of this process."""
        if self.step == self.recipe.pretrain_steps:
            self._start_phase()
        photo, anime, grey, smooth = (torch.from_numpy(part).to(self.team.device) for part in batch)
        with self._autocast():
            drawn = self._draw(photo).float()
        if self.pretraining:
            terms = {"content": losses.content_loss(self._seen(drawn), self._seen(photo))}
            judged: dict[str, Tensor] = {}
        else:
            judged = self._teach_discriminator(torch.cat([anime, drawn.detach(), grey, smooth]))
            terms = {"adversarial": losses.adversarial_loss(self._verdict(drawn))}
            terms |= self._picture_terms(drawn, photo, grey)
        total = losses.generator_loss(terms, self.recipe.weights)
        _descend(total, self._adam_now, self._scaler)
        self.step += 1
        shown = {f"generator/{name}": value.detach() for name, value in terms.items()}
        return shown | {"generator/total": total.detach()} | judged

    @torch.no_grad()
    def score(self, photos: Tensor, grey: Tensor) -> dict[str, float]:
        """The picture terms and their weighted sum on pictures kept for it, one at a time.

        The adversarial term is left out: it compares with a discriminator that moves.

        Args:
            photos, grey: (N, 3, crop, crop) RGB in [-1, 1], on the CPU.
        """
        sums: dict[str, float] = {}
        for photo, style in zip(photos, grey, strict=True):
            seen = photo[None].to(self.team.device)
            with self._autocast():
                drawn = self.generator(seen).float()
            terms = self._picture_terms(drawn, seen, style[None].to(self.team.device))
            terms["total"] = losses.generator_loss(terms, self.recipe.weights)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value) / len(photos)
        return sums

    def save(self, path: Path) -> None:
        """Write a checkpoint, atomically."""
        state = {
            "recipe": dataclasses.asdict(self.recipe),
            "step": self.step,
            "best": self.best,
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "adam": self._adam_now.state_dict(),
            "judge_adam": self._judge_adam.state_dict(),
            "scalers": [self._scaler.state_dict(), self._judge_scaler.state_dict()],
        }
        with replacing(path) as stream:
            torch.save(state, stream)

    def restore(self, path: Path) -> None:
        """Go on from a file that `save` wrote.

        Raises: InvalidInput: the file is no checkpoint, or of a run with another recipe.
        """
        state = read_checkpoint(path)
        mine = dataclasses.asdict(self.recipe)
        for name, value in mine.items():
            there = state["recipe"].get(name)
            if there != value and name not in _MAY_CHANGE:
                raise InvalidInput(f"{path} is of a run with {name} {there}, not {value}. Name another --out folder.")
        try:
            self.step, self.best = int(state["step"]), float(state["best"])
            self.generator.load_state_dict(state["generator"])
            self.discriminator.load_state_dict(state["discriminator"])
            self._start_phase()
            self._adam_now.load_state_dict(state["adam"])
            self._judge_adam.load_state_dict(state["judge_adam"])
            for scaler, kept in zip((self._scaler, self._judge_scaler), state["scalers"], strict=True):
                if kept and scaler.is_enabled():
                    scaler.load_state_dict(kept)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise InvalidInput(f"{path} is damaged: {error}. Delete it to start again.") from error

    def _start_phase(self) -> None:
        rate = self.recipe.pretrain_rate if self.pretraining else self.recipe.rate
        self._adam_now = self._adam(self.generator, rate)

    def _adam(self, network: nn.Module, rate: float) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), rate, betas=(self.recipe.beta, 0.999))

    def _autocast(self) -> torch.autocast:
        kind = _TYPES[self.recipe.precision]
        return torch.autocast(self.team.device.type, kind, enabled=kind is not torch.float32)

    def _seen(self, pictures: Tensor) -> Tensor:
        with self._autocast():
            features: Tensor = self.vgg(pictures)
        return features

    def _picture_terms(self, drawn: Tensor, photo: Tensor, grey: Tensor) -> dict[str, Tensor]:
        features = self._seen(drawn)
        with torch.no_grad():
            wanted, strokes = self._seen(photo), self._seen(grey)
        return {
            "content": losses.content_loss(features, wanted),
            "style": losses.style_loss(features, strokes),
            "colour": losses.colour_loss(drawn, photo),
            "variation": losses.variation_loss(drawn),
        }

    def _verdict(self, drawn: Tensor) -> Tensor:
        """What the discriminator says, without teaching it; past the wrapper, which would wait for its gradients."""
        self.discriminator.requires_grad_(False)
        with self._autocast():
            verdict: Tensor = self.discriminator(drawn)
        self.discriminator.requires_grad_(True)
        return verdict

    def _teach_discriminator(self, pictures: Tensor) -> dict[str, Tensor]:
        # All four kinds in one pass: layer normalisation keeps pictures apart, and a wrapped network must be called
        # once for each time that its gradients are asked for.
        with self._autocast():
            verdicts = self._judge(pictures)
        terms = losses.discriminator_terms(verdicts)
        total = losses.discriminator_loss(terms, self.recipe.weights)
        _descend(total, self._judge_adam, self._judge_scaler)
        shown = {f"discriminator/{name}": value.detach() for name, value in terms.items()}
        return shown | {"discriminator/total": total.detach()}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `Trainer.save` wrote, without running anything from it.

    Raises: InvalidInput: the file is missing, damaged or no checkpoint.
    """
    state = read_tensors(path)
    if not isinstance(state.get("recipe"), dict) or "generator" not in state:
        raise InvalidInput(f"{path} is not a checkpoint of `livefilter train animegan`.")
    return state


def _descend(loss: Tensor, adam: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> None:
    adam.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    scaler.step(adam)
    scaler.update()
