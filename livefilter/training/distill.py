"""Distil a published generator into a small one: the training loop."""

from __future__ import annotations

import contextlib
import copy
import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.generator.network import Design, Generator
from livefilter.generator.rebuild import generator_from_onnx
from livefilter.training import losses
from livefilter.training.background import in_background
from livefilter.training.checkpoint import design_kept, load_checkpoint
from livefilter.training.data import Pair
from livefilter.training.distill_recipe import DistillRecipe
from livefilter.training.muon import KernelMuon
from livefilter.training.perceptual import MobileFeatures, perceptual_loss
from livefilter.training.sampler import Batch, Sampler
from livefilter.whole_file import replacing

log = logging.getLogger(__name__)

LATEST = "latest.pt"


class Distillation:
    """A training run: a generator, its discriminator, their optimisers and the averaged weights.

    Its whole state is saved and restored, so that a run that was cut off continues as if it had not been; but for the
    pace of one that counts minutes, which follows the clock.

    device: "cpu", or "cuda" for an NVIDIA card. workers: processes that make the batches; 0 is a thread. eyes: for the
    perceptual loss.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        recipe: DistillRecipe,
        design: Design | None = None,
        device: str = "cpu",
        workers: int = 0,
        eyes: MobileFeatures | None = None,
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.step = 0
        self.seconds = 0.0
        self._workers = workers
        self._device = torch.device(device)
        self._eyes = eyes.to(self._device) if eyes is not None else None
        self.generator, self.discriminator = Generator(design), losses.PatchDiscriminator()
        for network in (self.generator, self.discriminator):
            network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        ends = [*self.generator.head.parameters(), *self.generator.tail.parameters()]
        known = {id(parameter) for parameter in ends}
        inner = [parameter for parameter in self.generator.parameters() if id(parameter) not in known]
        self._kernels = KernelMuon([parameter for parameter in inner if parameter.ndim == 4])
        others = [*ends, *(parameter for parameter in inner if parameter.ndim != 4)]
        self._optimizer = torch.optim.Adam(others, recipe.learning_rate, betas=(0.9, 0.99), fused=True)
        self._judge = torch.optim.Adam(
            self.discriminator.parameters(), recipe.discriminator_learning_rate, betas=(0.5, 0.99), fused=True
        )
        r, strengths = recipe, bool(self.generator.design.strength)
        self._sampler = Sampler(pairs, r.crop, r.batch, r.repeats, r.seed, r.judged, strengths)

    def pace(self) -> float:
        """The part of each learning rate that this step takes: linear warm-up, then a cosine down to `last_pace`."""
        r = self.recipe
        if self.step < r.warm_up:
            return (self.step + 1) / r.warm_up
        done = min(1.0, max((self.step - r.warm_up) / max(1, r.steps - r.warm_up), self._time_used()))
        return r.last_pace + (1.0 - r.last_pace) * 0.5 * (1 + math.cos(math.pi * done))

    def run(self, until: int, after_step: Callable[[dict[str, Tensor]], None] | None = None) -> None:
        """Train up to step `until` or until the minutes are over; `after_step` gets the terms of the step just made."""
        if self._time_used() >= 1:
            return
        began = time.perf_counter() - self.seconds
        with contextlib.closing(in_background(self._sampler, self.step, until, self._workers)) as batches:
            for batch in batches:
                terms = self.train_step(batch)
                self.step += 1
                self.seconds = time.perf_counter() - began
                if after_step is not None:
                    after_step(terms)
                if self._time_used() >= 1:
                    return

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """Make one step of the generator and, once it is due, of the discriminator; returns the unweighted terms."""
        seen, targets = (self._planes(pictures) for pictures in (batch.seen, batch.targets))
        adversarial = self.step >= self.recipe.adversarial_from
        given = seen
        if self.generator.design.strength:
            strengths = torch.from_numpy(batch.strengths).to(seen)[:, None, None, None]
            given = torch.cat([seen, strengths.expand(-1, 1, *seen.shape[2:])], 1)
        with self._autocast():
            drawn = self.generator(given.contiguous(memory_format=torch.channels_last))
        eyes = torch.from_numpy(batch.eyes).to(self._device)[:, None]
        terms = self._terms(drawn.float(), targets, batch.shifts, eyes)
        rows = slice(self.recipe.judged)  # half a batch is enough for networks that judge, and costs half the time
        if self._eyes is not None:
            with self._autocast():
                terms["perceptual"] = perceptual_loss(self._eyes, drawn[rows].float(), targets[rows])
        if adversarial:
            terms |= self._judged(seen[rows], drawn[rows].float(), targets[rows])
        total = torch.stack([self.recipe.weights[name] * term for name, term in terms.items()]).sum()
        self.generator.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        pace = self.pace()
        for group in self._optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * pace
        self._optimizer.step()
        self._kernels.step(self.recipe.kernel_learning_rate * pace)
        self._average()
        values = {name: term.detach() for name, term in (terms | {"total": total}).items()}
        if adversarial:
            values["discriminator"] = self._train_discriminator(seen[rows], drawn[rows].float().detach(), targets[rows])
        return values

    def save(self, path: Path) -> None:
        """Write the whole state to a file that is either the old one or the new one, never half."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "generator": self.generator.state(),
            "averaged": self.averaged.state(),
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "kernels": self._kernels.state_dict(),
            "judge": self._judge.state_dict(),
        }
        with replacing(path) as stream:
            torch.save(state, stream)

    def restore(self, path: Path) -> None:
        """Continue from a file that `save` wrote, with edges as crisp as that run draws them.

        Raises: InvalidInput: the file is no checkpoint of this design.
        """
        state = load_checkpoint(path)
        try:
            design = design_kept(state, self.generator.design)
            self.generator.load_state_dict(state["generator"]["weights"])
            self.averaged.load_state_dict(state["averaged"]["weights"])
            self.discriminator.load_state_dict(state["discriminator"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._kernels.load_state_dict(state["kernels"])
            self._judge.load_state_dict(state["judge"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise InvalidInput(f"The checkpoint {path} is of another design. Use an empty --out folder.") from error
        if design != self.generator.design:
            log.warning(
                "The run in %s goes on with edges as crisp as it began with: %d, and %d today. For today's, train into "
                "another --out folder, with --start-from %s.",
                path.parent, design.crisp, self.generator.design.crisp, path,
            )  # fmt: skip
            self.generator.design = self.averaged.design = design
        self.step, self.seconds = int(state["step"]), float(state.get("seconds", 0.0))

    def start_from(self, path: Path) -> None:
        """Begin with the averaged weights and the discriminator of another run's checkpoint, at step 0, or with the
        weights of a style's ONNX file, which has no discriminator. The other network may be the smaller one.

        Raises: InvalidInput: the file is no checkpoint, or its design has more channels or layers, or other ones.
            StyleCorrupt: the ONNX file is no network of livefilter's own kind.
        """
        try:
            if path.suffix == ".onnx":
                found = generator_from_onnx(path)
            else:
                state = load_checkpoint(path)
                found = Generator(Design(**state["averaged"]["design"]))
                found.load_state_dict(state["averaged"]["weights"])
                self.discriminator.load_state_dict(state["discriminator"])
            for network in (self.generator, self.averaged):
                network.take_folded(found)
            self.averaged.load_state_dict(self.generator.state_dict())
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            raise InvalidInput(f"{path} is of another design, so nothing can start from it: {error}") from error

    def _time_used(self) -> float:
        """The part of the minutes that is over; 0 where they are not counted."""
        return self.seconds / (60.0 * self.recipe.minutes) if self.recipe.minutes else 0.0

    def _planes(self, pictures: Image) -> Tensor:
        """(N, H, W, 3) uint8 as (N, 3, H, W) in [-1, 1], channels last, on the device."""
        return torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2).float() / 127.5 - 1.0

    def _terms(
        self, drawn: Tensor, targets: Tensor, shifts: Sequence[tuple[int, int]], eyes: Tensor
    ) -> dict[str, Tensor]:
        """The terms that have a weight, but for the discriminator's."""
        weighted = {name for name, weight in self.recipe.weights.items() if weight}
        terms = {}
        if "pixels" in weighted:
            terms["pixels"] = (drawn - targets).abs().mean()
        if "colour" in weighted:
            terms["colour"] = losses.multi_scale_l1(drawn, targets)
        if weighted & {"gradient", "flatness"}:
            terms["gradient"], terms["flatness"] = losses.gradient_and_flatness_loss(drawn, targets)
        if "tones" in weighted:
            terms["tones"] = losses.tone_loss(drawn, targets)
        if "lines" in weighted:
            terms["lines"] = losses.line_loss(drawn, targets, eyes)
        if "consistency" in weighted:
            terms["consistency"] = losses.consistency_loss(drawn, shifts)
        return terms

    def _judged(self, seen: Tensor, drawn: Tensor, targets: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        with self._autocast():
            found = self.discriminator(seen, drawn)
            with torch.no_grad():
                wanted = self.discriminator(seen, targets)
        self.discriminator.requires_grad_(True)
        return {
            "adversarial": losses.adversarial_loss(found[-1]),
            "features": losses.feature_matching_loss(found[:-1], wanted[:-1]),
        }

    def _train_discriminator(self, seen: Tensor, drawn: Tensor, targets: Tensor) -> Tensor:
        with self._autocast():
            real = self.discriminator(seen, targets)[-1]
            fake = self.discriminator(seen, drawn)[-1]
        loss = losses.discriminator_loss(real, fake)
        self._judge.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._judge.step()
        return loss.detach()

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.recipe.averaging, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.averaged.parameters()), list(self.generator.parameters()), 1.0 - keep)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self.recipe.bfloat16)


def distill(
    run: Distillation,
    out: Path,
    sheet: Callable[[Generator, Path], None],
    save_every: int = 1000,
    sheet_every: int = 1000,
    log_every: int = 200,
) -> Generator:
    """Train `run` to the end of its recipe, continuing from `out` if it was cut off, and return the averaged network.

    Writes checkpoints and sample sheets (made by `sheet`) into `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    if (out / LATEST).exists():
        run.restore(out / LATEST)
        log.info("continuing at step %d", run.step)
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    since = time.perf_counter()

    def after_step(terms: dict[str, Tensor]) -> None:
        nonlocal since
        for name, value in terms.items():
            sums[name] = value + sums.get(name, 0.0)
            counts[name] = counts.get(name, 0) + 1
        if run.step % log_every == 0:
            rate = log_every / (time.perf_counter() - since)
            means = "  ".join(f"{name} {float(sums[name]) / counts[name]:.4f}" for name in sums)
            log.info("step %d  %.1f steps/s  %s", run.step, rate, means)
            sums.clear()
            counts.clear()
            since = time.perf_counter()
        if run.step % save_every == 0:
            run.save(out / LATEST)
        if run.step % sheet_every == 0:
            sheet(run.averaged, out / f"sheet-{run.step:06d}.png")

    run.run(run.recipe.steps, after_step)
    run.save(out / LATEST)
    return run.averaged
