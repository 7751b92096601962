"""The convolution that generators are built of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Conv(nn.Module):
    """A convolution whose kernel is the sum of branches; the sum is taken in weight space, so folding is exact.

    A square 3x3 kernel with stride 1 trains as 3x3 + 1x1 + identity (RepVGG, Ding et al. 2021, without batch
    normalisation); `kernel()` gives the single kernel that inference uses.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int = 3,
        stride: int = 1,
        groups: int = 1,
        gain: float = 1.0,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.stride, self.groups, self.dilation = stride, groups, dilation
        self.padding = (size - stride) // 2 if size % 2 == 0 else dilation * (size // 2)
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, size, size))
        nn.init.kaiming_normal_(self.weight, a=0.1)
        self.weight.data.mul_(gain)
        self.bias = nn.Parameter(torch.zeros(outputs))
        branched = size == 3 and stride == 1
        self.point = nn.Parameter(torch.zeros(outputs, inputs // groups, 1, 1)) if branched else None
        self.identity = nn.Parameter(torch.zeros(outputs)) if branched and inputs == outputs else None

    def kernel(self) -> Tensor:
        """Fold the branches: the (outputs, inputs / groups, size, size) kernel that this layer applies."""
        kernel: Tensor = self.weight
        if self.point is not None:
            kernel = kernel + F.pad(self.point, (1, 1, 1, 1))
        if self.identity is not None:
            width = kernel.shape[1]
            eye = torch.eye(width, device=kernel.device).repeat(self.groups, 1)
            kernel = kernel + F.pad((eye * self.identity[:, None])[:, :, None, None], (1, 1, 1, 1))
        return kernel

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (N, C, H, W) with zero padding."""
        return F.conv2d(features, self.kernel(), self.bias, self.stride, self.padding, self.dilation, self.groups)
