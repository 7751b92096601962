"""The generators of the AnimeGAN family, after the papers and the public code of their authors.

All take (N, 3, H, W) float in [-1, 1], RGB, H and W multiples of 4, and give the same. All normalise over the whole
picture. Names in the state dict of `AnimeGanV2` are those of the public PyTorch port, so that its checkpoints load.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import nn

from livefilter.errors import InvalidInput, UnknownName
from livefilter.generator.animegan_layers import (
    Bottleneck,
    Doubled,
    Halved,
    InvertedResidual,
    conv,
    instance_norm,
    separable,
)
from livefilter.generator.weights import shapes

MULTIPLE = 4


class AnimeGanV2(nn.Sequential):
    """AnimeGANv2 (Chen et al. 2020): layer normalisation, 2,143,552 parameters."""

    def __init__(self) -> None:
        super().__init__(
            OrderedDict(
                block_a=nn.Sequential(conv(3, 32, 7), conv(32, 64, stride=2), conv(64, 64)),
                block_b=nn.Sequential(conv(64, 128, stride=2), conv(128, 128)),
                block_c=nn.Sequential(
                    conv(128, 128),
                    InvertedResidual(128, 256),
                    *(InvertedResidual(256, 256) for _ in range(3)),
                    conv(256, 128),
                ),
                up_half=Doubled(),
                block_d=nn.Sequential(conv(128, 128), conv(128, 128)),
                up_full=Doubled(),
                block_e=nn.Sequential(conv(128, 64), conv(64, 64), conv(64, 32, 7)),
                out_layer=_to_rgb(32),
            )
        )


class AnimeGanV2Light(nn.Sequential):
    """The light variant of AnimeGANv2: half the width, plain bottlenecks in place of the inverted residuals."""

    def __init__(self) -> None:
        super().__init__(
            OrderedDict(
                block_a=nn.Sequential(conv(3, 32, 7), conv(32, 32, stride=2), conv(32, 32)),
                block_b=nn.Sequential(conv(32, 64, stride=2), conv(64, 64), conv(64, 64)),
                block_c=nn.Sequential(*(Bottleneck(64, 128) for _ in range(4))),
                up_half=Doubled(),
                block_d=nn.Sequential(conv(64, 64), conv(64, 64), conv(64, 64)),
                up_full=Doubled(),
                block_e=nn.Sequential(conv(64, 32), conv(32, 32), conv(32, 32, 7)),
                out_layer=_to_rgb(32),
            )
        )


class AnimeGanV1(nn.Sequential):
    """AnimeGAN (Chen, Liu, Chen 2019): instance normalisation, which leaves high-frequency artefacts; 15.8 MB."""

    def __init__(self) -> None:
        norm = instance_norm
        super().__init__(
            OrderedDict(
                block_a=nn.Sequential(conv(3, 64, norm=norm), conv(64, 64, norm=norm), Halved(64, 128)),
                block_b=nn.Sequential(conv(128, 128, norm=norm), separable(128, 128), Halved(128, 256)),
                block_c=nn.Sequential(
                    conv(256, 256, norm=norm),
                    *(InvertedResidual(256, 256, norm, bias=False) for _ in range(8)),
                    conv(256, 256, norm=norm),
                ),
                up_half=Doubled(),
                block_d=nn.Sequential(separable(256, 128), separable(128, 128), conv(128, 128, norm=norm)),
                up_full=Doubled(),
                block_e=nn.Sequential(separable(128, 128), conv(128, 64, norm=norm), conv(64, 64, norm=norm)),
                out_layer=_to_rgb(64),
            )
        )


AnimeGan = AnimeGanV2 | AnimeGanV2Light | AnimeGanV1

FAMILY: dict[str, type[AnimeGan]] = {"v2": AnimeGanV2, "v2-light": AnimeGanV2Light, "v1": AnimeGanV1}


def animegan(version: str = "v2") -> AnimeGan:
    """A generator with fresh random weights: "v2", "v2-light" or "v1".

    Raises: UnknownName: another version.
    """
    if version not in FAMILY:
        raise UnknownName("AnimeGAN version", version, FAMILY)
    return FAMILY[version]()


def version_of(generator: AnimeGan) -> str:
    """The generator's key in `FAMILY`."""
    return next(version for version, kind in FAMILY.items() if type(generator) is kind)


def from_weights(weights: dict[str, Any]) -> AnimeGan:
    """The generator of the family whose names and shapes these weights have.

    Raises: InvalidInput: a clause that says what they hold instead, to follow the file's name.
    """
    found = shapes(weights)
    for version, kind in FAMILY.items():
        with torch.device("meta"):
            wanted = shapes(kind().state_dict())
        if found == wanted and len(found) == len(weights):
            generator = animegan(version)
            generator.load_state_dict(weights)
            return generator
    first = next(iter(found.items()), None)
    shown = f"{len(found)} tensors, the first of them {first[0]!r} of shape {first[1]}" if first else "no tensor"
    raise InvalidInput(f"holds no AnimeGAN generator ({', '.join(FAMILY)}) but {shown}.")


def _to_rgb(inputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, 3, 1, bias=False), nn.Tanh())
