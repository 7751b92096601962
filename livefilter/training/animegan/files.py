"""Trained generators as files."""

from __future__ import annotations

from pathlib import Path

from livefilter.errors import InvalidInput
from livefilter.generator.animegan import AnimeGan, version_of
from livefilter.generator.checkpoint import read_checkpoint
from livefilter.whole_file import write_whole


def read_generator(path: Path) -> AnimeGan:
    """Read a generator of the family from any file of weights that `livefilter import` takes.

    Raises: InvalidInput: the file is missing, damaged, or holds something else.
    """
    found = read_checkpoint(path)
    if not isinstance(found.module, AnimeGan):
        raise InvalidInput(f"{path} holds {found.description}, and only the AnimeGAN family can be used here.")
    return found.module


def write_generator(generator: AnimeGan, path: Path, about: dict[str, str]) -> None:
    """Write a generator's weights as safetensors, or the network itself as ONNX, after the suffix of `path`.

    Args:
        generator: RGB; its names in the file are those of its state dict, the public port's for AnimeGANv2.
        about: texts that a safetensors file keeps beside the weights.

    Raises: InvalidInput: another suffix, or the folder is missing.
    """
    kind = path.suffix.lower()
    if not path.absolute().parent.is_dir():
        raise InvalidInput(f"The folder of {path} does not exist. Make it first.")
    if kind == ".onnx":
        from livefilter.generator.animegan_export import export

        export(generator.cpu(), path)
    elif kind == ".safetensors":
        from safetensors.torch import save

        weights = {name: values.detach().cpu().contiguous() for name, values in generator.state_dict().items()}
        write_whole(path, save(weights, {"version": version_of(generator)} | about))
    else:
        raise InvalidInput(f"{path} has no suffix that is known: name a .safetensors or an .onnx file.")
