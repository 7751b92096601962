"""Muon, which `torch.optim` has for matrices, for the kernels of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


class KernelMuon:
    """Muon for the kernels of convolutions: an (outputs, inputs, height, width) kernel is a matrix, a row an output.

    Its steps are orthogonalised, so that all directions of a kernel learn, not only the steepest (Jordan et al. 2024).
    """

    def __init__(self, kernels: Sequence[nn.Parameter]) -> None:
        self._kernels = kernels
        self._matrices = [nn.Parameter(kernel.detach().flatten(1).clone()) for kernel in kernels]
        self._muon = torch.optim.Muon(self._matrices, weight_decay=0.0)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move the kernels along their gradients."""
        for group in self._muon.param_groups:
            group["lr"] = learning_rate
        for matrix, kernel in zip(self._matrices, self._kernels, strict=True):
            matrix.copy_(kernel.flatten(1))
            matrix.grad = None if kernel.grad is None else kernel.grad.flatten(1)
        self._muon.step()  # type: ignore[no-untyped-call]
        for matrix, kernel in zip(self._matrices, self._kernels, strict=True):
            kernel.copy_(matrix.view(kernel.shape))

    def state_dict(self) -> dict[str, Any]:
        """The momenta."""
        return self._muon.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the momenta of another run of this design."""
        self._muon.load_state_dict(state)
