"""The arithmetic of the PyTorch backend, on the CPU; graph and half precision need a GPU and are in tests/gpu."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

import onnx
import onnxruntime

from livefilter.errors import BackendUnavailable, EngineFailed, StyleCorrupt
from livefilter.generator.export import export
from livefilter.generator.network import Design, Generator
from livefilter.generator.onnx_network import load_network
from livefilter.generator.rebuild import generator_from_onnx
from livefilter.inference.base import EngineOptions
from livefilter.inference.look import PLAIN, Look
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.inference.torch_cuda import TorchCudaEngine
from livefilter.tensorrt.look_graph import add_frame_extras
from tests.conftest import picture
from tests.inference.looks import LOOKS
from tests.inference.networks import write_style_network
from tests.styles.bundled import NETWORKS

WIDTH, HEIGHT = 96, 64


@pytest.mark.parametrize("style", NETWORKS)
def test_every_bundled_style_gives_the_picture_of_onnxruntime(style: str) -> None:
    """PyTorch's frame is within one grey level of ONNX Runtime's."""
    image = picture(WIDTH, HEIGHT)
    with (
        OnnxRuntimeCpu(NETWORKS[style], WIDTH, HEIGHT) as reference,
        TorchCudaEngine(NETWORKS[style], WIDTH, HEIGHT, device="cpu") as engine,
    ):
        expected = reference.run(image).astype(np.int16)
        assert expected.std() > 5
        assert np.abs(engine.run(image) - expected).max() <= 1


@pytest.mark.parametrize("design", [Design(), Design(half=8, eighth_blocks=2, expansion=2), Design(quarter_convs=2)])
def test_a_design_survives_the_export(tmp_path: Path, design: Design) -> None:
    """Channels, counts and expansion are read off the file."""
    export(Generator(design), tmp_path / "network.onnx")
    assert generator_from_onnx(tmp_path / "network.onnx").design == design


def test_other_networks_are_refused(tmp_path: Path) -> None:
    """A network of another kind, one whose graph was changed, and one that is damaged."""
    with pytest.raises(StyleCorrupt, match="no network of livefilter's own kind"):
        generator_from_onnx(write_style_network(tmp_path / "other.onnx"))
    export(Generator(), tmp_path / "network.onnx")
    model = onnx.load(str(tmp_path / "network.onnx"))
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Sigmoid"
    onnx.save(model, str(tmp_path / "changed.onnx"))
    with pytest.raises(StyleCorrupt, match="no network of livefilter's own kind"):
        generator_from_onnx(tmp_path / "changed.onnx")
    (tmp_path / "damaged.onnx").write_bytes(b"\xff\xff")
    with pytest.raises(StyleCorrupt, match="cannot be read"):
        generator_from_onnx(tmp_path / "damaged.onnx")


def test_only_the_network_that_the_card_names_is_run(tmp_path: Path) -> None:
    """Its bytes are compared with the card's SHA-256, and weights in another file are not read."""
    network = tmp_path / "network.onnx"
    export(Generator(), network)
    meant = hashlib.sha256(network.read_bytes()).hexdigest()
    TorchCudaEngine(network, WIDTH, HEIGHT, EngineOptions(sha256=meant), device="cpu").close()
    model = onnx.load(str(network))
    export(Generator(), network)  # other weights
    with pytest.raises(StyleCorrupt, match="not the one its card names"):
        TorchCudaEngine(network, WIDTH, HEIGHT, EngineOptions(sha256=meant), device="cpu")
    onnx.save(model, str(network), save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(StyleCorrupt, match=r"weights\.bin.*no style may read other files"):
        TorchCudaEngine(network, WIDTH, HEIGHT, device="cpu")


def test_closed_and_wrong_frames_are_refused() -> None:
    """In the words of every engine."""
    engine = TorchCudaEngine(NETWORKS["hayao-lite"], WIDTH, HEIGHT, device="cpu")
    with pytest.raises(EngineFailed, match="takes uint8 BGR frames"):
        engine.run(np.zeros((8, 8, 3), np.uint8))
    engine.close()
    engine.close()
    with pytest.raises(EngineFailed, match="is closed"):
        engine.run(picture(WIDTH, HEIGHT))


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never computes on the CPU unasked."""
    monkeypatch.setattr("livefilter.inference.torch_cuda.find_gpu", lambda: "this machine has no NVIDIA driver")
    with pytest.raises(BackendUnavailable, match="torch needs an NVIDIA GPU, but this machine has no NVIDIA driver"):
        TorchCudaEngine(NETWORKS["hayao-lite"], WIDTH, HEIGHT)


@pytest.mark.parametrize("nv12", [False, True])
@pytest.mark.parametrize("person", [0, 1])
def test_frames_of_a_batch_come_out_as_alone(tmp_path: Path, nv12: bool, person: int) -> None:
    """Each in its place, finished as each look says, with its own mask; of two batches the second one's."""
    path = tmp_path / "network.onnx"
    export(Generator(Design(strength=1, person=person)), path)
    images = [picture(WIDTH, HEIGHT, number) for number in range(8)]
    with (
        TorchCudaEngine(path, WIDTH, HEIGHT, EngineOptions(nv12=nv12), device="cpu") as alone,
        TorchCudaEngine(path, WIDTH, HEIGHT, EngineOptions(nv12=nv12, batch=4), device="cpu") as together,
    ):
        for look in (*LOOKS, Look(strength=0.5, room=False)):
            expected = [(alone.compose(image, look).copy(), np.array(alone.person)) for image in images[4:]]
            together.compose_batch(images[:4], PLAIN)
            for (styled, mask), (styled_alone, mask_alone) in zip(
                together.compose_batch(images[4:], look), expected, strict=True
            ):
                assert np.abs(styled.astype(int) - styled_alone).max() <= 1
                assert (mask is not None) == bool(person)
                if mask is not None:
                    assert np.abs(mask.astype(int) - mask_alone).max() <= 1
            for other, _ in expected[1:]:
                assert np.abs(expected[0][0].astype(int) - other).max() > 10


def test_a_batch_has_one_strength() -> None:
    """Which is that of all; another is refused instead of drawing with the first one's."""
    images = [picture(WIDTH, HEIGHT, number) for number in range(2)]
    with TorchCudaEngine(NETWORKS["hayao-lite"], WIDTH, HEIGHT, EngineOptions(batch=2), device="cpu") as engine:
        mild = [styled.copy() for styled, _ in engine.run_batch(images, [0.5, 0.5])]
        bold = engine.run_batch(images, [1.5, 1.5])
        assert all(np.abs(a.astype(int) - b).mean() > 1 for a, (b, _) in zip(mild, bold, strict=True))
        with pytest.raises(EngineFailed, match="at one strength only"):
            engine.run_batch(images, [0.5, 1.0])


@pytest.mark.parametrize("nv12", [False, True])
@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_frame_is_finished_as_in_the_graph_of_tensorrt(look: Look, nv12: bool) -> None:
    """Blended, split, mirrored, and NV12 or not: within one grey level of what ONNX Runtime makes of that graph."""
    image, path = picture(WIDTH, HEIGHT), NETWORKS["hayao-lite"]
    graph = add_frame_extras(load_network(path), nv12)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    given = {
        "frame": image[None],
        "look": look.columns(WIDTH, drawn_strength=True),
        "strength": np.full((1, HEIGHT // 2, WIDTH // 2, 1), look.strength, np.float32),
    }
    expected = session.run(None, given)[0][0].astype(np.int16)
    with TorchCudaEngine(path, WIDTH, HEIGHT, EngineOptions(nv12=nv12), device="cpu") as engine:
        engine.run(image)  # another look before it leaves nothing behind
        assert np.abs(engine.compose(image, look) - expected).max() <= 1
