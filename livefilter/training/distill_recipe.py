"""What shapes a distillation, with the defaults of the bundled networks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class DistillRecipe:
    """Everything that shapes a training run.

    steps: in all. minutes: end before, when these are over; 0: no such limit. judged: crops of a step that the
    discriminator sees. repeats: crops that are there twice. learning_rate: of the first and last layer and the biases,
    with Adam. kernel_learning_rate: of the other kernels, with Muon. last_pace: the part of both that is left in the
    end.
    """

    steps: int = 24_000
    minutes: float = 0.0
    adversarial_from: int = 24_000
    batch: int = 5
    judged: int = 2
    crop: int = 192
    repeats: int = 1
    learning_rate: float = 2e-3
    kernel_learning_rate: float = 5e-3
    last_pace: float = 0.01
    warm_up: int = 300
    discriminator_learning_rate: float = 4e-4
    averaging: float = 0.999
    seed: int = 0
    bfloat16: bool = True
    weights: dict[str, float] = field(
        default_factory=lambda: {
            "pixels": 0.0,
            "colour": 1.0,
            "gradient": 1.0,
            "lines": 3.0,
            "flatness": 1.0,
            "consistency": 1.5,
            "adversarial": 0.1,
            "features": 5.0,
            "perceptual": 0.0,
            "tones": 2.0,
        }
    )

    def plain_l1(self) -> DistillRecipe:
        """The same run with nothing but L1 at full size: a student that is only asked for the right pixels."""
        return replace(self, adversarial_from=self.steps, weights=dict.fromkeys(self.weights, 0.0) | {"pixels": 1.0})
