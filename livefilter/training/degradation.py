"""What a webcam does to a picture, for a student that has to see through it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from livefilter.frame import Image

NOISE = 1.0, 9.0  # grey levels

# Fresh normal noise for every crop would cost more than the crop; a random stretch of a fixed bank is as good.
_NOISE = np.random.default_rng(0).standard_normal(2_000_000, dtype=np.float32)


@dataclass(frozen=True)
class Degradation:
    """What a webcam does to a picture: sometimes it is soft, noisy, or has JPEG blocks; 0 leaves that out.

    softness: sigma of a Gaussian, in pixels. noise: standard deviation in grey levels. quality: of the JPEG, to 95.
    """

    softness: float
    noise: float
    quality: int

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Degradation:
        """Draw one at random."""
        softness = random.uniform(0.4, 1.0) if random.random() < 0.3 else 0.0
        noise = random.uniform(*NOISE) if random.random() < 0.6 else 0.0
        return cls(softness, noise, int(random.integers(40, 95)) if random.random() < 0.5 else 0)

    def noisier(self, random: np.random.Generator) -> Degradation:
        """The same, with noise if it had none."""
        return self if self.noise else replace(self, noise=random.uniform(*NOISE))

    def of(self, photo: Image, random: np.random.Generator) -> Image:
        """Degrade (H, W, 3) uint8 BGR; the noise is fresh each time."""
        seen = np.ascontiguousarray(photo)
        if self.softness:
            seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), self.softness), np.uint8)
        if self.noise:
            noise = _NOISE[random.integers(len(_NOISE) - seen.size) :][: seen.size].reshape(seen.shape)
            seen = np.asarray(np.clip(seen + noise * self.noise, 0, 255), np.uint8)
        if self.quality:
            _, data = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
            seen = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        return seen


def exposure_table(random: np.random.Generator) -> Image:
    """Make a mild random change of exposure and white balance: a look-up table (1, 256, 3) uint8."""
    levels = np.arange(256)[:, None] / 255.0
    gamma, gain = np.exp(random.normal(0, 0.15)), np.exp(random.normal(0, 0.08))
    balance = np.exp(random.normal(0, 0.03, 3))
    table = np.clip(levels**gamma * gain * balance, 0.0, 1.0) * 255.0
    return np.asarray(np.rint(table)[None], dtype=np.uint8)
