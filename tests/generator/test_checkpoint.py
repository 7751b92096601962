"""Generators that come from outside as weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import save_file  # noqa: E402

from livefilter.errors import InvalidInput  # noqa: E402
from livefilter.generator.animegan import animegan  # noqa: E402
from livefilter.generator.checkpoint import read_checkpoint  # noqa: E402
from livefilter.generator.importing import import_generator  # noqa: E402
from livefilter.generator.network import DESIGNS, Design, Generator  # noqa: E402
from livefilter.inference.onnxruntime import OnnxRuntimeCpu  # noqa: E402


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(0)


def test_a_checkpoint_of_the_public_port_draws_in_onnx_what_it_draws_in_pytorch(tmp_path: Path) -> None:
    """Random weights with the port's names come out within one grey level, with the published count of weights."""
    torch.save(animegan().state_dict(), tmp_path / "random.pt")
    incoming = import_generator(tmp_path / "random.pt", OnnxRuntimeCpu)
    assert incoming.difference_levels <= 1
    assert incoming.parameters == pytest.approx(2_143_552, abs=100)
    assert incoming.macs_per_pixel == pytest.approx(401_000, rel=0.01)
    assert incoming.found == "an AnimeGAN generator (v2)"


def test_own_networks_come_in_from_safetensors_and_training_checkpoints(tmp_path: Path) -> None:
    """Any design is found from the shapes; of a training checkpoint the averaged weights are taken."""
    design = Design(half=8, quarter=8, eighth=16, half_convs=1, eighth_blocks=2, expansion=2)
    first, second = Generator(design), Generator(design)
    save_file(first.state_dict(), tmp_path / "own.safetensors")
    incoming = import_generator(tmp_path / "own.safetensors", OnnxRuntimeCpu)
    assert incoming.difference_levels <= 3
    assert "own generator (8-8-16 channels, 2 blocks)" in incoming.found
    torch.save({"step": 5, "generator": first.state(), "averaged": second.state()}, tmp_path / "latest.pt")
    read = read_checkpoint(tmp_path / "latest.pt").module
    assert isinstance(read, Generator)
    assert read.design == design
    assert torch.equal(read.tail.weight, second.tail.weight)


@pytest.mark.parametrize("person", [0, 1, 2])
def test_a_network_as_it_is_trained_comes_in_as_it_draws(tmp_path: Path, person: int) -> None:
    """With its strength, the spread of its kernels and its crisp edges: of a checkpoint, which tells, and of weights
    alone, which are known by their shapes.
    """
    torch.manual_seed(0)
    trained = Generator(replace(DESIGNS["lite"], person=person))
    soft = Generator(replace(trained.design, crisp=0, dilation=1))
    save_file(trained.state_dict(), tmp_path / "alone.safetensors")
    for network, file in ((trained, "crisp.pt"), (soft, "soft.pt")):
        torch.save({"generator": soft.state(), "averaged": network.state()}, tmp_path / file)
    for file, wanted in (("alone.safetensors", trained), ("crisp.pt", trained), ("soft.pt", soft)):
        read = read_checkpoint(tmp_path / file).module
        assert isinstance(read, Generator)
        assert read.design == wanted.design
    incoming = import_generator(tmp_path / "crisp.pt", OnnxRuntimeCpu)
    assert incoming.difference_levels <= 3


def test_what_a_training_program_puts_around_the_weights_is_taken_off(tmp_path: Path) -> None:
    """Weights inside "state_dict", of half precision, with "module." before each name, are the same generator."""
    weights = {f"module.{name}": value.half() for name, value in animegan("v2-light").state_dict().items()}
    torch.save({"state_dict": weights, "epoch": 3}, tmp_path / "x.pth")
    assert read_checkpoint(tmp_path / "x.pth").description == "an AnimeGAN generator (v2-light)"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"conv.weight": torch.zeros(5, 4)}, r"but 1 tensors, the first of them 'conv\.weight' of shape \(5, 4\)"),
        ({"epoch": 3}, "holds no weights"),
    ],
)
def test_another_networks_weights_are_described(tmp_path: Path, content: dict[str, object], message: str) -> None:
    """The error tells what the file holds."""
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(InvalidInput, match=message):
        import_generator(tmp_path / "x.pt", OnnxRuntimeCpu)


class _Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    """Nothing of the file runs."""
    torch.save({"weights": _Trap(tmp_path / "trace")}, tmp_path / "trap.pt")
    with pytest.raises(InvalidInput, match="not a readable file of weights"):
        import_generator(tmp_path / "trap.pt", OnnxRuntimeCpu)
    assert not (tmp_path / "trace").exists()
