"""What shapes a training run, with the published figures as defaults."""

from __future__ import annotations

from dataclasses import dataclass

from livefilter.errors import InvalidInput, UnknownName

PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Weights:
    """How much each term counts.

    The generator's: adversarial, content, style, colour, variation. The discriminator's, for pictures that it should
    call anime (anime) and those that it should not (drawn, grey, smooth); all four are multiplied by `adversarial`.
    """

    content: float
    style: float
    colour: float
    variation: float
    anime: float
    drawn: float
    grey: float
    smooth: float
    adversarial: float = 300.0


# The authors' figures. Those of the discriminator are from the loss function of their repository (tools/ops.py).
PRESETS = {
    "hayao": Weights(content=1.5, style=2.5, colour=15, variation=1, anime=1.2, drawn=1.2, grey=1.2, smooth=0.8),
    "paprika": Weights(content=2.0, style=0.6, colour=50, variation=0.1, anime=1, drawn=1, grey=1, smooth=0.005),
    "shinkai": Weights(content=1.2, style=2.0, colour=10, variation=1, anime=1.7, drawn=1.7, grey=1.7, smooth=1),
}


@dataclass(frozen=True)
class AnimeGanRecipe:
    """Everything that shapes a run; a checkpoint keeps it.

    version: of the generator, see `livefilter.generator.animegan`. preset: name of the weights. batch: crops of
    photos in a step, over all processes together, and as many of anime and of smoothed anime. crop: side in pixels,
    a multiple of 16. steps, pretrain_steps: in all, and for content alone. rate, judge_rate, pretrain_rate: Adam's
    learning rates of generator, discriminator, and generator in the first phase. precision: of the forward pass.

    Raises: InvalidInput, UnknownName: a value is out of its range.
    """

    steps: int
    pretrain_steps: int
    version: str = "v2"
    preset: str = "hayao"
    batch: int = 12
    crop: int = 256
    seed: int = 0
    precision: str = "float32"
    pretrain_rate: float = 2e-4
    rate: float = 2e-5
    judge_rate: float = 4e-5
    beta: float = 0.5

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise UnknownName("preset", self.preset, PRESETS)
        if self.precision not in PRECISIONS:
            raise UnknownName("precision", self.precision, PRECISIONS)
        if self.crop < 32 or self.crop % 16:
            raise InvalidInput(f"A crop of {self.crop} does not fit the networks. Use a multiple of 16, from 32 on.")
        if not 0 <= self.pretrain_steps <= self.steps:
            raise InvalidInput(f"{self.pretrain_steps} steps of pre-training do not fit into {self.steps} in all.")

    @property
    def weights(self) -> Weights:
        """The preset's."""
        return PRESETS[self.preset]
