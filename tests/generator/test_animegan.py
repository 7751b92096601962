"""The AnimeGAN family: sizes, names, and the ONNX files of its generators."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from livefilter.errors import InvalidInput, UnknownName  # noqa: E402
from livefilter.generator.animegan import FAMILY, AnimeGanV2, animegan, from_weights, version_of  # noqa: E402
from livefilter.generator.animegan_export import as_bgr, export, to_onnx  # noqa: E402
from livefilter.generator.animegan_layers import Doubled  # noqa: E402
from livefilter.generator.weights import read_tensors  # noqa: E402
from livefilter.inference.onnxruntime import OnnxRuntimeCpu  # noqa: E402
from tests.conftest import picture  # noqa: E402

VERSIONS = sorted(FAMILY)
NORMS = (torch.nn.InstanceNorm2d, torch.nn.GroupNorm)


@pytest.mark.parametrize(
    ("version", "parameters"), [("v2", 2_143_552), ("v2-light", 962_368), ("v1", 3_956_096)], ids=VERSIONS[::-1]
)
def test_each_generator_has_its_published_size(version: str, parameters: int) -> None:
    """8.6 MB, 3.8 MB and 15.8 MB as float32."""
    assert sum(values.numel() for values in animegan(version).parameters()) == parameters


def test_the_state_dict_has_the_names_and_shapes_of_the_public_port() -> None:
    """All 77 entries are where the port's checkpoints have them, so that those load."""
    shapes = {name: tuple(values.shape) for name, values in AnimeGanV2().state_dict().items()}
    assert {name.split(".")[0] for name in shapes} == {
        "block_a",
        "block_b",
        "block_c",
        "block_d",
        "block_e",
        "out_layer",
    }
    assert shapes["block_a.0.1.weight"] == (32, 3, 7, 7)
    assert shapes["block_a.0.2.bias"] == (32,)
    assert shapes["block_b.0.1.weight"] == (128, 64, 3, 3)
    assert shapes["block_c.1.layers.0.1.weight"] == (256, 128, 1, 1)
    assert shapes["block_c.1.layers.1.1.weight"] == (256, 1, 3, 3)
    assert shapes["block_c.1.layers.1.1.bias"] == (256,)
    assert shapes["block_c.4.layers.2.weight"] == (256, 512, 1, 1)
    assert shapes["block_c.4.layers.3.weight"] == (256,)
    assert shapes["block_c.5.1.weight"] == (128, 256, 3, 3)
    assert shapes["block_d.1.1.weight"] == (128, 128, 3, 3)
    assert shapes["block_e.2.1.weight"] == (32, 64, 7, 7)
    assert shapes["out_layer.0.weight"] == (3, 32, 1, 1)
    assert len(shapes) == 77


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("width", "height"), [(96, 64), (40, 56)])
def test_the_file_draws_what_the_network_draws(version: str, width: int, height: int, tmp_path: Path) -> None:
    """ONNX Runtime's picture, bytes in and bytes out in BGR, is within one grey level of PyTorch's RGB network."""
    torch.manual_seed(0)
    network = animegan(version).eval()
    image = picture(width, height)
    export(network, tmp_path / "network.onnx")
    with OnnxRuntimeCpu(tmp_path / "network.onnx", width, height) as engine:
        found = engine.run(image).astype(np.int16)
    with torch.no_grad():
        planes = torch.from_numpy(image[:, :, ::-1].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        levels = (network(planes) * 127.5 + 128).clamp(0, 255)[0].permute(1, 2, 0)
    wanted = levels.to(torch.uint8).numpy()[:, :, ::-1].astype(np.int16)
    assert wanted.std() > 10
    assert np.abs(wanted - wanted[:, :, ::-1]).mean() > 5
    assert np.abs(found - wanted).max() <= 1


@pytest.mark.parametrize("version", VERSIONS)
def test_only_casts_touch_bytes(version: str) -> None:
    """TensorRT parses nothing but Cast on uint8, so nothing else reads the frame or makes the result."""
    graph = to_onnx(animegan(version)).graph
    assert [node.op_type for node in graph.node if "frame" in node.input] == ["Cast"]
    assert [node.op_type for node in graph.node if "styled" in node.output] == ["Cast"]


def test_turning_the_kernels_is_turning_the_picture() -> None:
    """The BGR copy draws the RGB network's picture, and the RGB network is left as it was."""
    network = animegan("v2-light").eval()
    before = {name: values.clone() for name, values in network.state_dict().items()}
    planes = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(as_bgr(network)(planes.flip(1)).flip(1), network(planes), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(values, before[name]) for name, values in network.state_dict().items())


def test_only_instance_normalisation_keeps_channels_apart() -> None:
    """A channel that grows changes no other channel of v1's first normalisation, and all of v2's."""
    features = torch.rand(1, 64, 12, 12)
    louder = features.clone()
    louder[:, 0] = louder[:, 0] * 3 + 1
    changed = {}
    for version in ("v1", "v2"):
        norms = [layer for layer in animegan(version).modules() if isinstance(layer, NORMS)]
        norm, channels = norms[0], norms[0].weight.shape[0]
        change = norm(features[:, :channels]) - norm(louder[:, :channels])
        changed[version] = float(change[:, 1:].abs().mean().detach())
    assert changed["v1"] == 0.0 < changed["v2"]


def test_an_unknown_version_is_named() -> None:
    """The error lists the versions that there are."""
    with pytest.raises(UnknownName, match="v2-light"):
        animegan("v4")


def test_export_names_what_it_wrote(tmp_path: Path) -> None:
    """Export returns the SHA-256 of the one file that it leaves."""
    checksum = export(animegan("v2-light"), tmp_path / "network.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]
    assert hashlib.sha256((tmp_path / "network.onnx").read_bytes()).hexdigest() == checksum


@pytest.mark.parametrize("version", VERSIONS)
def test_weights_say_which_generator_they_are_of(version: str, tmp_path: Path) -> None:
    """A file of weights, read without running anything from it, becomes the generator that wrote it."""
    network = animegan(version)
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    again = from_weights(read_tensors(tmp_path / "weights.pt"))
    assert version_of(again) == version
    for name, values in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], values)


def test_weights_of_something_else_are_described() -> None:
    """The error tells what the file holds."""
    with pytest.raises(InvalidInput, match=r"2 tensors, the first of them 'weight' of shape \(5, 4\)"):
        from_weights(torch.nn.Linear(4, 5).state_dict())
    with pytest.raises(InvalidInput, match="no tensor"):
        from_weights({})


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("ran",)


@pytest.mark.parametrize("content", [b"half a file", None], ids=["torn", "code"])
def test_a_file_that_would_have_to_run_is_refused(content: bytes | None, tmp_path: Path) -> None:
    """Neither a torn file nor a pickle that calls something is read."""
    path = tmp_path / "weights.pt"
    if content is None:
        torch.save({"weight": _Trap()}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match="not a readable file of weights"):
        read_tensors(path)
    with pytest.raises(InvalidInput, match="does not exist"):
        read_tensors(tmp_path / "none.pt")


def test_enlarging_keeps_every_pixel() -> None:
    """As TensorFlow 1 does it: the old pixels stay at even places, the means of two come between, the last repeats."""
    doubled = Doubled()(torch.tensor([[[[0.0, 2.0], [4.0, 10.0]]]]))[0, 0]
    assert doubled.tolist() == [[0, 1, 2, 2], [2, 4, 6, 6], [4, 7, 10, 10], [4, 7, 10, 10]]
