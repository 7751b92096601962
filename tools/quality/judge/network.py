"""The network that tells drawings from photos."""

from __future__ import annotations

from torch import Tensor, nn

_WIDTHS = (16, 32, 64, 96, 128)


class DrawingOrPhoto(nn.Module):
    """Five convolutions of stride 2, one between them, and a mean over the picture: 0.23 M parameters.

    A field of view of 97 px sees eyes and the shape of shading, not only the grain of a line.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for level, outputs in enumerate(_WIDTHS):
            layers.append(_layer(inputs, outputs, 5 if level == 0 else 3, stride=2))
            if level == 2:
                layers.append(_layer(outputs, outputs, 3, stride=1))
            inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.2)
        self.last = nn.Linear(inputs, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give the log odds of "drawing", (N,), of pictures (N, 3, H, W) float in [-1, 1], of any size from 64 px."""
        odds: Tensor = self.last(self.drop(self.layers(pictures).mean((2, 3))))[:, 0]
        return odds


def _layer(inputs: int, outputs: int, size: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
