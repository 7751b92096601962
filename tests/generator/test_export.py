"""The ONNX file of a generator."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

from livefilter.generator.export import export, macs_per_pixel, parameters, to_onnx  # noqa: E402
from livefilter.generator.network import Design, Generator  # noqa: E402


@pytest.fixture(scope="module", params=[(0, 0), (2, 0), (0, 4)], ids=["plain", "bottleneck", "crisp"])
def network(request: pytest.FixtureRequest) -> Generator:
    """A generator with random weights in every branch."""
    torch.manual_seed(1)
    expansion, crisp = request.param
    generator = Generator(Design(eighth=32, half_convs=2, eighth_blocks=2, expansion=expansion, crisp=crisp))
    with torch.no_grad():
        for values in generator.parameters():
            values.add_(torch.randn_like(values) * 0.01)
            values.copy_(values.half().float())
    return generator


@pytest.fixture(scope="module")
def session(network: Generator) -> onnxruntime.InferenceSession:
    """The exported network in ONNX Runtime."""
    return onnxruntime.InferenceSession(to_onnx(network).SerializeToString(), providers=["CPUExecutionProvider"])


def picture(height: int, width: int) -> npt.NDArray[np.uint8]:
    """A frame of random blocks, uint8 [1, height, width, 3]."""
    blocks = np.random.default_rng(0).integers(0, 256, (1, height // 8, width // 8, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (40, 56)])
def test_onnx_draws_what_pytorch_draws(
    network: Generator, session: onnxruntime.InferenceSession, height: int, width: int
) -> None:
    """The exported graph, bytes in and bytes out, is within one grey level of the network."""
    frame = picture(height, width)
    (styled,) = session.run(None, {"frame": frame})
    planes = torch.from_numpy(frame.transpose(0, 3, 1, 2).astype(np.float32)) / 127.5 - 1.0
    with torch.no_grad():
        drawn = (network(planes) * 127.5 + 128.0).clamp(0.0, 255.0).permute(0, 2, 3, 1)
    wanted = drawn.numpy().astype(np.uint8)
    assert styled.dtype == np.uint8
    assert styled.shape == frame.shape
    assert wanted.std() > 5
    assert np.abs(styled.astype(int) - wanted.astype(int)).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(8, 8), (16, 136), (72, 24)])
def test_any_multiple_of_eight_runs(session: onnxruntime.InferenceSession, height: int, width: int) -> None:
    """Height and width of the graph are free, in steps of 8."""
    frame = picture(height, width)
    assert session.run(None, {"frame": frame})[0].shape == frame.shape


def test_only_casts_touch_bytes(network: Generator) -> None:
    """TensorRT parses nothing but Cast on uint8, so nothing else reads the frame or makes the result."""
    graph = to_onnx(network).graph
    assert [node.op_type for node in graph.node if "frame" in node.input] == ["Cast"]
    assert [node.op_type for node in graph.node if "styled" in node.output] == ["Cast"]


def test_the_runtime_folds_the_half_precision_weights(network: Generator, tmp_path: Path) -> None:
    """Weights are float16 in the file and float32 constants once ONNX Runtime has loaded it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(to_onnx(network).SerializeToString(), options, providers=["CPUExecutionProvider"])
    casts = [node for node in onnx.load(tmp_path / "optimized.onnx").graph.node if node.op_type == "Cast"]
    assert len(casts) == 2


def test_export_names_what_it_wrote(network: Generator, tmp_path: Path) -> None:
    """Export returns the SHA-256 of the file and leaves nothing else behind."""
    checksum = export(network, tmp_path / "made" / "network.onnx")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["network.onnx"]
    assert hashlib.sha256((tmp_path / "made" / "network.onnx").read_bytes()).hexdigest() == checksum


def test_macs_are_counted_at_each_resolution() -> None:
    """The count is that of the convolutions, each at the resolution it runs at."""
    network = Generator(Design(half=16, quarter=16, eighth=16, eighth_blocks=1))
    half = (16 * 3 * 36 + 2 * 16 * 16 * 9 + 12 * 16 * 9) / 4
    quarter = (16 * 16 * 16 + 2 * 16 * 16 * 9 + 16 * 16) / 16
    eighth = (16 * 16 * 16 + 2 * 16 * 16 * 9 + 16 * 16) / 64
    assert macs_per_pixel(network) == round(half + quarter + eighth)
    assert parameters(network) < sum(values.numel() for values in network.parameters())


def test_a_network_that_only_finds_people_draws_black() -> None:
    """Its `person` is what the network says, and `styled`, which nobody looks at, holds nothing of the camera."""
    torch.manual_seed(2)
    generator = Generator(Design(8, 16, 16, half_convs=1, eighth_blocks=1, person=1))
    with torch.no_grad():
        for values in generator.parameters():
            values.copy_(values.half().float())
    model = to_onnx(generator, draws=False)
    frame = picture(64, 96)
    ran = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    styled, person = ran.run(["styled", "person"], {"frame": frame})
    planes = torch.from_numpy(frame.transpose(0, 3, 1, 2).astype(np.float32)) / 127.5 - 1.0
    with torch.no_grad():
        wanted = (generator.find(planes).sigmoid() * 255 + 0.5).permute(0, 2, 3, 1).numpy().astype(np.uint8)
    assert (styled.shape, int(styled.max())) == (frame.shape, 0)
    assert wanted.std() > 5
    assert np.abs(person.astype(int) - wanted.astype(int)).max() <= 1
    with pytest.raises(ValueError, match="no output for people"):
        Generator(Design(eighth=16, eighth_blocks=1)).find(planes)
