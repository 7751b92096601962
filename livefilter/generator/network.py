"""The generator: a small encoder-decoder without whole-image statistics."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from livefilter.generator.conv import Conv
from livefilter.generator.person_branch import PersonBranch, twice
from livefilter.inference.crisp import reach

MULTIPLE = 8
BRANCH = 2  # of Design.person
Seen: TypeAlias = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Design:
    """Channel counts at 1/2, 1/4 and 1/8 of the frame's resolution, and the number of layers at each.

    `expansion` widens the hidden layer of the blocks at 1/8, which are inverted bottlenecks with a depthwise 3x3;
    0 makes them plain residual pairs of 3x3 convolutions. `dilation` spreads the first kernel of every second block,
    so that one eye knows of the other. `strength` adds a plane to the frame's three, which says how strong the
    drawing is to be, and is 0 or 1. `person` adds an output that says where people are: 1 is one more layer at the end,
    2 a branch of its own, which the drawing knows nothing of. `crisp` makes edges crisp, see `crisped`: 0 leaves them
    soft, which is what a network makes of edges whose place it can only guess.
    """

    half: int = 16
    quarter: int = 32
    eighth: int = 64
    half_convs: int = 2
    quarter_convs: int = 1
    eighth_blocks: int = 4
    expansion: int = 0
    dilation: int = 1
    strength: int = 0
    person: int = 0
    crisp: int = 0

    def as_dict(self) -> dict[str, int]:
        """The design as plain numbers, for checkpoints."""
        return asdict(self)


# `lite` is for processors, `full` for graphics cards and the best look.
DESIGNS = {
    "lite": Design(16, 32, 64, half_convs=1, quarter_convs=2, eighth_blocks=5, dilation=2, strength=1, crisp=4),
    "full": Design(32, 64, 96, half_convs=1, quarter_convs=2, eighth_blocks=6, dilation=2, strength=1, crisp=4),
}


class Block(nn.Module):
    """A residual block at 1/8 resolution: inverted bottleneck (expansion > 0) or two plain 3x3 convolutions."""

    def __init__(self, channels: int, expansion: int, dilation: int = 1) -> None:
        super().__init__()
        hidden = channels * expansion
        if expansion:
            self.layers = nn.ModuleList(
                [
                    Conv(channels, hidden, 1),
                    Conv(hidden, hidden, 3, groups=hidden),
                    Conv(hidden, channels, 1, gain=0.3),
                ]
            )
        else:
            self.layers = nn.ModuleList(
                [Conv(channels, channels, dilation=dilation), Conv(channels, channels, gain=0.3)]
            )

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H/8, W/8) to the same shape."""
        hidden = features
        for layer in self.layers[:-1]:
            hidden = F.relu(layer(hidden))
        out: Tensor = F.relu(features + self.layers[-1](hidden))
        return out


class Generator(nn.Module):
    """Draws a frame anew: regions are decided at 1/8 resolution, lines on a thin path at 1/2 and 1/4.

    The head is a pixel-unshuffle and its 3x3 convolution written as one 6x6 convolution of stride 2, the tail a
    pixel-shuffle. There is no skip from the frame to the output, so doing nothing is not the easy answer, and no
    statistic over the image, so a change in one corner cannot change the brightness of another.
    """

    def __init__(self, design: Design | None = None) -> None:
        super().__init__()
        self.design = d = design or Design()
        self.head = Conv(3 + d.strength, d.half, 6, stride=2)
        self.down_quarter = Conv(d.half, d.quarter, 4, stride=2)
        self.quarter_in = nn.ModuleList([Conv(d.quarter, d.quarter) for _ in range(d.quarter_convs)])
        self.down_eighth = Conv(d.quarter, d.eighth, 4, stride=2)
        self.blocks = nn.ModuleList(
            [Block(d.eighth, d.expansion, d.dilation if n % 2 else 1) for n in range(d.eighth_blocks)]
        )
        self.up_quarter = Conv(d.eighth, d.quarter, 1)
        self.quarter_out = nn.ModuleList([Conv(d.quarter, d.quarter) for _ in range(d.quarter_convs)])
        self.up_half = Conv(d.quarter, d.half, 1)
        self.half_out = nn.ModuleList([Conv(d.half, d.half) for _ in range(d.half_convs)])
        self.tail = Conv(d.half, 12, gain=0.3)
        self.person: Conv | PersonBranch | None = Conv(d.half, 1, 1) if d.person == 1 else None
        if d.person == BRANCH:
            self.person = PersonBranch(d.quarter, d.eighth)

    def forward(self, frames: Tensor) -> Tensor:
        """Style frames.

        Args:
            frames: (N, 3, H, W) float in [-1, 1], BGR; H and W multiples of 8. A design with `strength` takes a fourth
                plane: 1 for the drawing as it is meant to be, less for a milder and more for a bolder one.

        Returns: (N, 3, H, W) in the same order; values may overshoot [-1, 1] a little and are clipped at export.
        """
        return self.draw(frames)[0]

    def draw(self, frames: Tensor) -> tuple[Tensor, Tensor | None]:
        """The styled frames and, where the design has `person`, logits (N, 1, H/2, W/2) of a person being there."""
        half, seen = self._features(frames)
        drawn = F.pixel_shuffle(self.tail(half), 2)
        if self.design.crisp:
            drawn = crisped(drawn, self.design.crisp)
        return drawn, None if self.person is None else self._people(half, seen)

    def find(self, frames: Tensor) -> Tensor:
        """The logits of `draw` alone.

        Raises: ValueError: the design has no `person`.
        """
        return self._people(*self._features(frames))

    def without_person(self) -> None:
        """Take the output for people away."""
        self.design, self.person = replace(self.design, person=0), None

    def seen(self, frames: Tensor) -> Seen:
        """What a branch for people is given: features at 1/4, and at 1/8 before and after the blocks."""
        return self._seen(F.relu(self.head(frames)))

    def _people(self, half: Tensor, seen: Seen) -> Tensor:
        if self.person is None:
            raise ValueError("This network has no output for people.")
        found: Tensor = twice(self.person(*seen)) if isinstance(self.person, PersonBranch) else self.person(half)
        return found

    def _seen(self, half: Tensor) -> Seen:
        fine = F.relu(self.down_quarter(half))
        for layer in self.quarter_in:
            fine = F.relu(layer(fine))
        first = F.relu(self.down_eighth(fine))
        deep = first
        for block in self.blocks:
            deep = block(deep)
        return fine, first, deep

    def _features(self, frames: Tensor) -> tuple[Tensor, Seen]:
        """What the last layers draw from, (N, half, H/2, W/2), and what is `seen`."""
        half = F.relu(self.head(frames))
        seen = self._seen(half)
        fine, _first, deep = seen
        quarter = F.relu(fine + twice(self.up_quarter(deep)))
        for layer in self.quarter_out:
            quarter = F.relu(layer(quarter))
        half = F.relu(half + twice(self.up_half(quarter)))
        for layer in self.half_out:
            half = F.relu(layer(half))
        return half, seen

    @torch.no_grad()
    def take_folded(self, other: Generator) -> None:
        """Draw as another generator does, at any strength, that has as many channels and layers or fewer.

        Further channels are at first heard by nobody, further layers let everything through, and the branches begin
        anew, so that a larger network goes on from what a smaller one learned (Net2Net, Chen et al. 2016).

        Raises: ValueError: the other one has more channels or layers, or other kernels.
        """
        kept = {
            name: layer
            for name, layer in other.named_modules()
            if isinstance(layer, Conv) and not name.startswith("person")
        }
        own = {
            name: layer
            for name, layer in self.named_modules()
            if isinstance(layer, Conv) and not name.startswith("person")
        }
        if kept.keys() - own.keys():
            raise ValueError(f"This network has no layer {min(kept.keys() - own.keys())}.")
        for name, layer in own.items():
            kernel: Tensor = torch.zeros_like(layer.weight)
            bias: Tensor = torch.zeros_like(layer.bias)
            if name in kept:
                kernel, bias = kept[name].kernel(), kept[name].bias
            elif not name.startswith("blocks"):
                kernel[:, :, 1, 1] = torch.eye(len(kernel))
            elif not name.endswith(f".{len(self.blocks[0].layers) - 1}"):  # type: ignore[arg-type]
                continue  # the last layer of a further block adds nothing, and what comes before it may be anything
            outputs, inputs = kernel.shape[:2]
            room = layer.weight[:outputs, :inputs]
            if room.shape != kernel.shape:
                raise ValueError(f"{name} has a kernel of {tuple(kernel.shape)}, not {tuple(layer.weight.shape)}.")
            layer.weight[:outputs] = 0.0
            room.copy_(kernel)
            layer.bias[:outputs] = bias
            for branch in (layer.point, layer.identity):
                if branch is not None:
                    branch.zero_()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps: the design and the weights."""
        return {"design": self.design.as_dict(), "weights": self.state_dict()}


def crisped(pictures: Tensor, contrast: float) -> Tensor:
    """Pictures whose edges are crisp: a soft toggle mapping (Kramer and Bruckner 1975).

    Each value of (N, C, H, W) moves away from the middle between the least and the greatest of the 3x3 around it, to
    `contrast` times its distance, but not beyond them.
    """
    pictures = pictures.contiguous()  # planes of few channels are pooled faster one by one
    most, least = F.max_pool2d(pictures, 3, 1, 1), -F.max_pool2d(-pictures, 3, 1, 1)
    moved = contrast * pictures + (0.5 - 0.5 * contrast) * (most + least)
    return torch.minimum(torch.maximum(moved, least), most)


def crisped_larger(pictures: Tensor, contrast: float, times: int, strength: float | Tensor = 1.0) -> Tensor:
    """Pictures so many times larger, with edges crisp at that size, as livefilter.inference.crisp makes bytes.

    pictures: (N, C, H, W) in [-1, 1], what lies beyond is cut off. strength: of the drawing; what is hardly one keeps
        the edges that it gets by being enlarged.
    """
    large = F.interpolate(pictures, scale_factor=float(times), mode="bicubic").clamp(-1, 1).contiguous()
    most, least = F.max_pool2d(large, 3, 1, 1), -F.max_pool2d(-large, 3, 1, 1)
    further = reach(times) - 1
    window = 2 * further + 1, 1, further
    share = strength.clamp(max=1.0) if isinstance(strength, Tensor) else min(1.0, strength)
    most = most + (F.max_pool2d(most, *window) - most) * share
    least = least + (-F.max_pool2d(-least, *window) - least) * share
    middle = (least + most) * 0.5
    moved = middle + (large - middle) * (contrast + contrast * (times - 1) * share)
    return torch.minimum(torch.maximum(moved, least), most)


def at_strength(generator: Generator, strength: float = 1.0) -> Generator:
    """A copy that takes three planes and always draws at this strength, without the output for people.

    The plane's share of the first convolution becomes part of its bias.
    """
    fixed = copy.deepcopy(generator).cpu()
    fixed.without_person()
    fixed.design = replace(fixed.design, strength=0)
    if generator.design.strength:
        kernel = fixed.head.weight.detach()
        fixed.head.weight = nn.Parameter(kernel[:, :3].clone())
        fixed.head.bias = nn.Parameter(fixed.head.bias.detach() + strength * kernel[:, 3].sum((1, 2)))
    return fixed
