"""Reads weights from files of strangers: tensors by name, and nothing that could run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from livefilter.errors import InvalidInput


def read_tensors(path: Path) -> dict[str, Any]:
    """Read a safetensors file, or a PyTorch file (.pt, .pth) with tensors, numbers and texts only, to the CPU.

    Raises: InvalidInput: the file is missing, damaged, or holds objects that would have to run code to be read.
    """
    if not path.is_file():
        raise InvalidInput(f"The weights file {path} does not exist. Check the name.")
    try:
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except ImportError as error:
        raise InvalidInput(f"{path} cannot be read without safetensors: pip install safetensors") from error
    except Exception as error:  # torch raises many kinds for a damaged file
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        raise InvalidInput(
            f"{path} is not a readable file of weights alone ({reason}): it is damaged, of another kind, or holds "
            "code, which is never run. Get it again, or have its state dict saved."
        ) from error
    if not isinstance(found, dict):
        raise InvalidInput(f"{path} holds a {type(found).__name__} where a table of weights by name was expected.")
    return found


def shapes(tensors: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor by name; entries that are no tensors are left out."""
    return {str(name): tuple(value.shape) for name, value in tensors.items() if isinstance(value, Tensor)}
