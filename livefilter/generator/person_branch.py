"""The branch of a generator that says where people are."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from livefilter.generator.conv import Conv

# Channels at 1/4, 1/8, 1/16 and 1/32 of the frame, and how far kernels spread at 1/32, in pairs.
CHANNELS = 8, 16, 24, 48
SPREADS = (1, 3), (2, 4)


class PersonBranch(nn.Module):
    """Finds people in what a generator computes anyway, down to 1/32 of the frame and back up to 1/4.

    It costs a few percent of the drawing, and the drawing does not depend on it.
    """

    def __init__(self, quarter: int, eighth: int) -> None:
        super().__init__()
        fine, near, wide, whole = CHANNELS
        self.first, self.deep = Conv(eighth, near, 1), Conv(eighth, near, 1)
        self.down_16, self.at_16 = Conv(near, wide, 3, stride=2), Conv(wide, wide)
        self.down_32 = Conv(wide, whole, 3, stride=2)
        self.pairs = nn.ModuleList(
            [nn.ModuleList([Conv(whole, whole, dilation=a), Conv(whole, whole, dilation=b)]) for a, b in SPREADS]
        )
        self.up_16, self.out_16 = Conv(whole, wide, 1), Conv(wide, wide)
        self.up_8, self.out_8 = Conv(wide, near, 1), Conv(near, near)
        self.up_4, self.fine, self.out_4 = Conv(near, fine, 1), Conv(quarter, fine, 1), Conv(fine, fine)
        self.last = Conv(fine, 1, 1)

    def forward(self, fine: Tensor, first: Tensor, deep: Tensor) -> Tensor:
        """The logits of a person being there, (N, 1, H/4, W/4).

        fine: features at 1/4. first, deep: at 1/8, before and after the generator's blocks.
        """
        eighth = F.relu(self.first(first) + self.deep(deep))
        wide = F.relu(self.at_16(F.relu(self.down_16(eighth))))
        whole = F.relu(self.down_32(wide))
        for pair in self.pairs:
            one, other = cast(nn.ModuleList, pair)
            whole = F.relu(whole + other(F.relu(one(whole))))
        wide = F.relu(self.out_16(F.relu(wide + _fitting(self.up_16(whole), wide))))
        eighth = F.relu(self.out_8(F.relu(eighth + _fitting(self.up_8(wide), eighth))))
        quarter = F.relu(self.out_4(F.relu(self.fine(fine) + twice(self.up_4(eighth)))))
        found: Tensor = self.last(quarter)
        return found


def twice(features: Tensor) -> Tensor:
    """Repeat each value twice in height and width; unlike a pixel-shuffle it stays in the runtime's blocked layout."""
    return F.interpolate(features, scale_factor=2.0, mode="nearest")


def _fitting(features: Tensor, like: Tensor) -> Tensor:
    """Twice as large, without what an odd side has no room for."""
    return twice(features)[..., : like.shape[2], : like.shape[3]]
