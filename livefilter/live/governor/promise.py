"""What a run promises to those who watch it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from livefilter.errors import ConfigError

AGE_MS = 100.0
# Where nobody named a rate, it may come down to this before drawings get coarse: still a moving picture.
_LEAST_FPS = 15.0
_FORM = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>fps|ms)")
_BOUNDS = {"fps": (1.0, 240.0), "ms": (10.0, 5000.0)}


@dataclass(frozen=True, slots=True)
class Promise:
    """A rate of new styled frames and their greatest age.

    fps: frames per second; 0 stands for the run's own rate. age_ms: from capture to the end of sending, at p95.
    least_fps: what fps may become on a busy machine before fewer lines are drawn than a face needs; 0 for not at all.
    """

    fps: float = 0.0
    age_ms: float = AGE_MS
    least_fps: float = 0.0

    def at(self, rate_fps: float) -> Promise:
        """The same for a run of this rate, which no promise can exceed; a rate that was named does not yield."""
        if self.fps:
            return Promise(min(self.fps, rate_fps), self.age_ms)
        return Promise(rate_fps, self.age_ms, min(_LEAST_FPS, rate_fps))

    def kept(self, fps: float, age_p95_ms: float | None) -> bool:
        """Whether a second with this rate and age kept it; one frame in twenty may be missing."""
        return fps >= 0.95 * self.fps and age_p95_ms is not None and age_p95_ms <= self.age_ms

    def __str__(self) -> str:
        return f"{self.fps:g} fps, {self.age_ms:g} ms" if self.fps else f"{self.age_ms:g} ms"


def parse_promise(texts: Iterable[str]) -> Promise:
    """Read texts such as "30fps" and "60ms"; what is not named keeps its default.

    Raises: ConfigError: names the text and what is allowed.
    """
    found: dict[str, float] = {}
    for text in texts:
        match = _FORM.fullmatch(text.strip().lower())
        if match is None:
            raise ConfigError(
                f"Setting hold = {text!r} must be a rate or an age, such as 30fps or 60ms; both can be given."
            )
        unit, number = match["unit"], float(match["number"])
        low, high = _BOUNDS[unit]
        if not low <= number <= high:
            raise ConfigError(f"Setting hold = {text!r} must be from {low:g}{unit} to {high:g}{unit}.")
        if unit in found:
            raise ConfigError(f"Setting hold names two values in {unit}: give one, such as 30{unit}.")
        found[unit] = number
    return Promise(found.get("fps", 0.0), found.get("ms", AGE_MS))
