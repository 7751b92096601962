"""Generators from files of weights: PyTorch checkpoints and safetensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.generator import animegan_export, export
from livefilter.generator.animegan import from_weights, version_of
from livefilter.generator.network import BRANCH, DESIGNS, Design, Generator, at_strength
from livefilter.generator.weights import read_tensors, shapes

SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors")
# Where training programs keep the weights of a generator inside a checkpoint; the averaged ones draw best.
_INSIDE = ("averaged", "g_ema", "ema", "generator", "G", "weights", "state_dict", "params", "model")


@dataclass(frozen=True)
class Checkpoint:
    """A generator that was read from weights.

    description: what was found, in a few words. bgr: it takes and gives BGR, otherwise RGB; (N, 3, H, W) in [-1, 1].
    parameters: weights in the network. to_onnx: its graph as a style's network, uint8 BGR in and out.
    """

    description: str
    module: nn.Module
    bgr: bool
    parameters: int
    to_onnx: Callable[[], onnx.ModelProto]

    def __call__(self, image: Image) -> Image:
        """Draw through PyTorch in float32. image: (H, W, 3) uint8 BGR, H and W multiples of 8; so is what returns."""
        turned = image if self.bgr else image[:, :, ::-1]
        planes = torch.from_numpy(np.ascontiguousarray(turned)).float().permute(2, 0, 1)[None] / 127.5 - 1.0
        module = at_strength(self.module) if isinstance(self.module, Generator) else self.module
        with torch.no_grad():
            drawn: Tensor = module(planes)[0].permute(1, 2, 0)
        levels = ((drawn + 1.0) * 127.5).clamp(0.0, 255.0).round().to(torch.uint8).numpy()
        return np.ascontiguousarray(levels if self.bgr else levels[:, :, ::-1])


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a generator of livefilter's own or of the AnimeGAN family, as the public PyTorch port names its weights.

    Nothing in the file is run. Of a training checkpoint the generator in it is taken.
    Raises: InvalidInput: the file cannot be read, or holds no such generator; says what it holds.
    """
    unpacked, told = _unpacked(read_tensors(path))
    weights = _plain(unpacked)
    if not weights:
        raise InvalidInput(f"{path} holds no weights. Name a checkpoint of a generator.")
    own = _own(weights, told)
    if own is not None:
        own.eval()
        count, design = export.parameters(own), own.design
        sizes = f"{design.half}-{design.quarter}-{design.eighth} channels, {design.eighth_blocks} blocks"
        return Checkpoint(f"livefilter's own generator ({sizes})", own, True, count, lambda: export.to_onnx(own))
    try:
        generator = from_weights(weights)
    except InvalidInput as error:
        raise InvalidInput(f"{path} {error} Nor is it a generator of livefilter's own.") from error
    generator.eval()
    count = sum(value.numel() for value in generator.parameters())
    return Checkpoint(
        f"an AnimeGAN generator ({version_of(generator)})",
        generator,
        False,
        count,
        lambda: animegan_export.to_onnx(generator),
    )


def _unpacked(found: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The innermost table of weights, and the design that livefilter's own checkpoints have beside it."""
    design = None
    for _ in range(4):
        inside = next((found[name] for name in _INSIDE if isinstance(found.get(name), dict)), None)
        if inside is None:
            break
        design = found["design"] if isinstance(found.get("design"), dict) else None
        found = inside
    return found, design


def _plain(weights: dict[str, Any]) -> dict[str, Tensor]:
    """The tensors alone, as float32, without the "module." that DistributedDataParallel puts before each name."""
    return {
        str(name).removeprefix("module."): value.float() if value.is_floating_point() else value
        for name, value in weights.items()
        if isinstance(value, Tensor)
    }


def _own(weights: dict[str, Tensor], told: dict[str, Any] | None) -> Generator | None:
    """The generator of livefilter's own that has just these weights; None when they are of something else.

    told: its design, where the file has it.
    """
    try:
        design = Design(**told) if told else _found(weights)
        with torch.device("meta"):
            wanted = shapes(Generator(design).state_dict())
    except (KeyError, TypeError, ValueError, RuntimeError):
        return None
    if wanted != shapes(weights):
        return None
    generator = Generator(design)
    generator.load_state_dict(weights)
    return generator


def _found(weights: dict[str, Tensor]) -> Design:
    """The design that weights show.

    Raises: KeyError: they are of something else.
    """
    eighth = weights["down_eighth.weight"].shape[0]
    hidden = weights["blocks.0.layers.0.weight"].shape[0]
    design = Design(
        half=weights["head.weight"].shape[0],
        quarter=weights["down_quarter.weight"].shape[0],
        eighth=eighth,
        half_convs=_count(weights, "half_out"),
        quarter_convs=_count(weights, "quarter_out"),
        eighth_blocks=_count(weights, "blocks"),
        expansion=hidden // eighth if "blocks.0.layers.2.weight" in weights else 0,
        strength=weights["head.weight"].shape[1] - 3,
        person=BRANCH if "person.last.weight" in weights else int("person.weight" in weights),
    )
    # Weights tell neither how far apart their taps lie nor whether edges are made crisp; designs that are trained do.
    unsaid = {"dilation": 1, "crisp": 0, "strength": design.strength, "person": design.person}
    trained = next((each for each in DESIGNS.values() if replace(each, **unsaid) == design), design)
    return replace(design, dilation=trained.dilation, crisp=trained.crisp)


def _count(weights: dict[str, Tensor], part: str) -> int:
    return len({name.split(".")[1] for name in weights if name.startswith(f"{part}.")})
