"""Ask the judge."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from tools.quality.judge.network import DrawingOrPhoto
from tools.quality.judge.views import as_jpeg, shrunk

LONGEST = 360
_QUALITY = 90


class Judge:
    """Tells how probable it is that a picture is drawn.

    network: trained, in evaluation mode.
    """

    def __init__(self, network: DrawingOrPhoto, facts: dict[str, Any] | None = None) -> None:
        self._network, self.facts = network, facts or {}

    @classmethod
    def load(cls, path: Path) -> Judge:
        """Read what `python -m tools.quality.judge train` wrote.

        Raises: InvalidInput: it is missing or something else.
        """
        network = DrawingOrPhoto()
        try:
            kept = torch.load(path, map_location="cpu", weights_only=True)
            network.load_state_dict(kept["network"])
        except FileNotFoundError as error:
            raise InvalidInput(
                f"There is no judge {path}. Train it: python -m tools.quality.judge train --help"
            ) from error
        except Exception as error:  # torch gives many kinds for a damaged or foreign file
            raise InvalidInput(f"{path} is not a judge: {error}. Train it again.") from error
        return cls(network.eval(), kept["facts"])

    def save(self, path: Path, facts: dict[str, Any]) -> None:
        """Write weights and facts about them."""
        torch.save({"network": self._network.state_dict(), "facts": facts}, path)

    def __call__(self, picture: Image) -> float:
        """The probability that one (H, W, 3) uint8 BGR picture is drawn; a large one is looked at with 360 px.

        All pass through JPEG of one quality first, so that the judge cannot tell a file from a drawing by its blocks.
        """
        return 1.0 / (1.0 + math.exp(-self.odds(picture)))

    def odds(self, picture: Image) -> float:
        """The logarithm of the odds that it is drawn."""
        seen = as_jpeg(shrunk(picture, LONGEST), _QUALITY)
        values = torch.from_numpy(np.ascontiguousarray(seen.transpose(2, 0, 1)[None])).float() / 127.5 - 1.0
        with torch.inference_mode():
            return float(self._network(values)[0])
