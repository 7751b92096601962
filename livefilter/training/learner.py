"""Moves a small network's weights, and averages them."""

from __future__ import annotations

import copy
import logging
import time
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from livefilter.training.muon import KernelMuon

log = logging.getLogger(__name__)

Trained = TypeVar("Trained", bound=nn.Module)
_RATE = 1e-3
_WARM_UP = 200
_TOLD_EVERY = 200


class Learner(Generic[Trained]):
    """Muon for kernels and Adam for the rest, at a rate that rises and then falls along a cosine.

    averaged: the network with the average of its newest weights. steps: that there will be.
    """

    def __init__(self, network: Trained, steps: int) -> None:
        values = list(network.parameters())
        kernels = [value for value in values if value.ndim == 4 and min(value.shape[:2]) > 3]
        known = {id(value) for value in kernels}
        self.averaged = copy.deepcopy(network).requires_grad_(False)
        self._network, self._steps, self._step = network, steps, 0
        self._kernels = KernelMuon(kernels)
        self._others = torch.optim.Adam([value for value in values if id(value) not in known], _RATE)
        self._warm_up = max(1, min(_WARM_UP, steps // 10))
        self._since, self._losses = time.perf_counter(), 0.0

    def step(self, loss: Tensor) -> None:
        """Learn from a loss of the network."""
        self._network.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        falling = 0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * self._step / self._steps))
        rate = _RATE * min(1.0, (self._step + 1) / self._warm_up) * falling
        for group in self._others.param_groups:
            group["lr"] = rate
        self._others.step()
        self._kernels.step(rate)
        keep = min(0.998, (1 + self._step) / (10 + self._step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self._network.parameters()), 1.0 - keep)
        self._step += 1
        self._losses += float(loss.detach())
        if self._step % _TOLD_EVERY == 0:
            pace = _TOLD_EVERY / (time.perf_counter() - self._since)
            log.info("step %d  %.1f steps/s  loss %.4f", self._step, pace, self._losses / _TOLD_EVERY)
            self._since, self._losses = time.perf_counter(), 0.0
