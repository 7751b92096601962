"""Checkpoints of training runs, and what is to stay of the design that they were begun with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from livefilter.errors import InvalidInput
from livefilter.generator.network import Design


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running code from it.

    Raises: InvalidInput: the file is missing or is no checkpoint.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if "averaged" not in state:
            raise KeyError("averaged")
    except Exception as error:  # torch raises many kinds for a damaged file
        raise InvalidInput(f"{path} is not a readable training checkpoint ({error}).") from error
    return state


def design_kept(state: dict[str, Any], design: Design) -> Design:
    """The design with which a run goes on that a checkpoint was cut off from: what its weights do not tell stays.

    state: of `load_checkpoint`. design: of today's network of that size.
    Raises: KeyError, TypeError, ValueError: the run is of another design.
    """
    begun = Design(**state["averaged"]["design"])
    if replace(begun, crisp=design.crisp) != design:
        raise ValueError(f"it is of {begun}")
    return begun
