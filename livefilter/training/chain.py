"""An artist that is a chain: published generators and filters, one after the other, as a style's recipe lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.lab import Lab, from_lab, to_lab
from livefilter.training.smoothing import l0_smoothed
from livefilter.training.target import Finish, recoloured
from livefilter.training.teacher import Teacher

Generator = Callable[[Image], Image]
_MULTIPLE = 32


class ChainArtist:
    """Draws a photo by the steps of a recipe; see docs/generator.md for what each step does.

    steps: tables with `do`, the name of a step, and its parameters.
    generators: what draws one picture, by the names that `teacher` steps use.
    mild: steps that make the first half of a milder drawing.
    last: steps for the whole picture, once faces that were drawn apart are in their places.
    Raises: InvalidInput: a step or one of its parameters is unknown, or a generator is missing.
    """

    enlarges = True
    finish = Finish()

    def __init__(
        self,
        steps: Sequence[Mapping[str, Any]],
        generators: Mapping[str, Generator],
        mild: int = 2,
        last: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._steps = [_checked(step, generators) for step in steps]
        self._last = [_checked(step, generators) for step in last]
        self._generators = generators
        self._mild = mild

    def draw(self, path: Path, photo: Image) -> Image:
        """Draw the photo: sketch it and finish the sketch."""
        return self.finished(self.sketch(photo))

    def sketch(self, photo: Image, passes: int = 2) -> Image:
        """Draw the photo without the last steps; a generator that is to be applied several times is applied `passes`
        times at most, for once more opens a shut eye and closes an open mouth."""
        return self._stages(self._steps, photo, passes)[-1]

    def sketch_mildly(self, photo: Image, passes: int = 1) -> Image:
        """Sketch at half the strength: with fewer passes, and half-way between the first steps and the whole."""
        stages = self._stages(self._steps, photo, passes)
        first = stages[min(self._mild, len(stages)) - 1]
        return np.asarray(cv2.addWeighted(first, 0.5, stages[-1], 0.5, 0.0), np.uint8)

    def finished(self, sketch: Image, share: float = 1.0) -> Image:
        """Take the last steps, or the share of the way that they go."""
        if not self._last:
            return sketch
        finished = self._stages(self._last, sketch, 1)[-1]
        return np.asarray(cv2.addWeighted(finished, share, sketch, 1.0 - share, 0.0), np.uint8)

    def _stages(self, steps: Sequence[tuple[str, dict[str, Any]]], photo: Image, most: int) -> list[Image]:
        """What each step makes of the one before."""
        stages = [photo]
        for name, parameters in steps:
            drawing = stages[-1]
            if name == "teacher":
                for _ in range(min(most, parameters["passes"]) if "passes" in parameters else 1):
                    drawing = _framed(self._generators[parameters["name"]], drawing)
                if "keep" in parameters:
                    drawing = _with_colours_of(stages[-1], drawing, parameters["keep"], parameters.get("rich", 1.0))
            else:
                drawing = _STEPS[name](drawing, photo, **parameters)
            stages.append(drawing)
        return stages[1:]


def load_generators(steps: Sequence[Mapping[str, Any]], folder: Path, runtime: str) -> dict[str, Generator]:
    """The generators that the steps name, read from NAME.onnx in `folder`.

    Raises: InvalidInput: one is missing or cannot be loaded.
    """
    names = {step["name"] for step in steps if step.get("do") == "teacher" and "name" in step}
    return {name: Teacher(folder / f"{name}.onnx", runtime).draw for name in sorted(names)}


def smooth(drawing: Image, photo: Image, amount: float) -> Image:
    """Flatten regions; `amount` is the lambda of L0 smoothing."""
    return l0_smoothed(drawing, amount)


def recolour(drawing: Image, photo: Image, rich: float = 1.0, light: float = 0.8) -> Image:
    """Give the photo's hues and brightness back, see `recoloured`."""
    return recoloured(drawing, photo, rich, light)


def brighten(drawing: Image, photo: Image, gamma: float, rich: float = 1.0) -> Image:
    """Take the brightness to the power `gamma`, below 1 for lighter, and the colour `rich` times."""
    drawn = to_lab(drawing)
    drawn[..., 0] = 100.0 * _lightness(drawn) ** gamma
    drawn[..., 1:] *= rich
    return from_lab(drawn)


def light(drawing: Image, photo: Image, gamma: float, cool: float, bloom: float, rich: float, skin: float) -> Image:
    """Luminous air: blue shadows, light that spreads around what is bright, colours `rich` and skin `skin` times."""
    drawn = to_lab(drawing)
    level = _lightness(drawn)
    warm = np.clip(np.minimum(drawn[..., 1], drawn[..., 2]) / 12.0, 0.0, 1.0)
    drawn[..., 1:] *= (rich + (skin - rich) * warm)[..., None]
    shadow = (1.0 - level) ** 2
    drawn[..., 1] += cool / 3.0 * shadow
    drawn[..., 2] -= cool * shadow
    level = level**gamma
    glow = cv2.GaussianBlur(np.clip((level - 0.62) / 0.38, 0.0, 1.0), (0, 0), 7.0)
    drawn[..., 0] = 100.0 * (1.0 - (1.0 - level) * (1.0 - bloom * glow))
    return from_lab(drawn)


def lift(drawing: Image, photo: Image, amount: float, start: float = 42.0, full: float = 72.0) -> Image:
    """Light up what is light, as cels are: from a lightness (CIE L*) of `start` on towards white, by the share `amount`
    of the way from `full` on. What is darker, dark skin and hair among it, stays as it is."""
    drawn = to_lab(drawing)
    drawn[..., 0] += (100.0 - drawn[..., 0]) * amount * _ramp(drawn[..., 0], start, full)
    return from_lab(drawn)


def grade(
    drawing: Image, photo: Image, rich: float, skin: float, dark: Sequence[float], bright: Sequence[float]
) -> Image:
    """A style's own palette: colours `rich` and skin `skin` times as strong, dark tones moved by `dark` and bright ones
    by `bright`, each in a and b of CIE Lab. Skin is not moved, nor are black and white."""
    drawn = to_lab(drawing)
    level, chroma = drawn[..., 0].copy(), np.hypot(drawn[..., 1], drawn[..., 2])
    warm = np.clip(np.minimum(drawn[..., 1], drawn[..., 2]) / 10.0, 0.0, 1.0) * (1.0 - _ramp(chroma, 45.0, 65.0))
    drawn[..., 1:] *= (1.0 + (rich - 1.0 + (skin - rich) * warm) * np.clip(chroma / 10.0, 0.0, 1.0))[..., None]
    darkness = _ramp(level, 4.0, 22.0) * (1.0 - _ramp(level, 40.0, 68.0))
    brightness = _ramp(level, 45.0, 70.0) * (1.0 - _ramp(level, 90.0, 98.0))
    for tones, shift in ((darkness, dark), (brightness, bright)):
        drawn[..., 1:] += (tones * (1.0 - warm))[..., None] * np.asarray(shift, np.float32)
    return from_lab(drawn)


def ink(drawing: Image, photo: Image, amount: float, fine: float, wide: float, faintest: float = 3.0) -> Image:
    """Draw dark lines over where the drawing has them: difference of Gaussians of sigma `fine` and `wide` pixels."""
    grey = cv2.cvtColor(drawing, cv2.COLOR_BGR2GRAY).astype(np.float32)
    lines = cv2.GaussianBlur(grey, (0, 0), wide) - cv2.GaussianBlur(grey, (0, 0), fine) - faintest
    cover = cv2.GaussianBlur(np.clip(np.clip(lines, 0.0, 40.0) * amount, 0.0, 0.9), (0, 0), 0.5)[..., None]
    inked = drawing * (1.0 - cover) + np.array([32.0, 21.0, 38.0]) * cover
    return np.asarray(np.rint(inked), np.uint8)


def poster(drawing: Image, photo: Image, contrast: float, rich: float, skin: float) -> Image:
    """Gather the brightness near four tones and make colours `rich` and skin `skin` times as strong."""
    drawn = to_lab(drawing)
    level = _lightness(drawn) ** 0.9
    level = level - 0.045 * np.sin(8.0 * np.pi * level)
    drawn[..., 0] = 100.0 * np.clip(0.5 + (level - 0.5) * contrast, 0.0, 1.0)
    chroma = np.clip(np.hypot(drawn[..., 1], drawn[..., 2]) / 12.0, 0.0, 1.0)
    warm = np.clip(np.minimum(drawn[..., 1], drawn[..., 2]) / 12.0, 0.0, 1.0)
    drawn[..., 1:] *= (1.0 + (rich - 1.0 + (skin - rich) * warm) * chroma)[..., None]
    return from_lab(drawn)


_STEPS: dict[str, Callable[..., Image]] = {
    step.__name__: step for step in (smooth, recolour, brighten, light, lift, grade, ink, poster)
}


def _checked(step: Mapping[str, Any], generators: Mapping[str, Generator]) -> tuple[str, dict[str, Any]]:
    parameters = dict(step)
    name = parameters.pop("do", "")
    if name == "teacher":
        known = {"name", "passes", "keep", "rich"}
        if parameters.get("name") not in generators:
            raise InvalidInput(f"A teacher step names {parameters.get('name')!r}; there are {', '.join(generators)}.")
    elif name in _STEPS:
        code = _STEPS[name].__code__
        known = set(code.co_varnames[2 : code.co_argcount])
    else:
        raise InvalidInput(f"The step {name!r} is unknown: a recipe may use teacher, {', '.join(_STEPS)}.")
    if not set(parameters) <= known:
        unknown = ", ".join(sorted(set(parameters) - known))
        raise InvalidInput(f"The step {name} takes {', '.join(sorted(known))}, not {unknown}. Correct the recipe.")
    return name, parameters


def _with_colours_of(before: Image, drawing: Image, keep: float, rich: float) -> Image:
    """Take no more than lines and shading from a drawing whose colours are of no use; `keep` is the share of colour
    that comes, smoothed, from the picture before."""
    smooth = before
    for _ in range(3):
        smooth = np.asarray(cv2.bilateralFilter(smooth, 9, 30, 7), np.uint8)
    drawn = to_lab(drawing)
    drawn[..., 1:] = keep * rich * to_lab(smooth)[..., 1:] + (1.0 - keep) * drawn[..., 1:]
    return from_lab(drawn)


def _framed(generator: Generator, picture: Image) -> Image:
    """Draw a picture of any size with a margin of its mirror image, which is cut off."""
    height, width = picture.shape[:2]
    margin = [(0, -height % _MULTIPLE), (0, -width % _MULTIPLE), (0, 0)]
    return np.asarray(generator(np.pad(picture, margin, "symmetric"))[:height, :width], np.uint8)


def _ramp(value: Lab, start: float, end: float) -> Lab:
    """0 up to `start`, 1 from `end` on, smooth between them."""
    share = np.clip((value - start) / (end - start), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def _lightness(lab: Lab) -> Lab:
    return np.asarray(np.clip(lab[..., 0] / 100.0, 0.0, 1.0), np.float32)
