"""Blending, split screen, mirror and NV12 in the graph that TensorRT gets, run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

pytest.importorskip("onnx", reason="onnx is not installed")

from livefilter.errors import InvalidInput, StyleCorrupt
from livefilter.frame import Image
from livefilter.generator.onnx_network import fix_size, load_network
from livefilter.inference.hardware import NO_GPU
from livefilter.inference.look import PLAIN, Look
from livefilter.output.base import SinkOptions
from livefilter.output.camera.virtual_camera import VirtualCameraSink
from livefilter.tensorrt.builder import EngineBuilder, EngineRequest
from livefilter.tensorrt.flavour import FLAVOURS
from livefilter.tensorrt.half import to_half
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.look_graph import add_frame_extras
from livefilter.tensorrt.store import EngineStore
from tests.conftest import frame, picture
from tests.generator.networks import gains, normalising
from tests.inference.looks import LOOKS, finished_on_the_cpu
from tests.inference.networks import write_style_network
from tests.inference.own_networks import write_own_network
from tests.output.camera.test_virtual_camera import FakeLibrary, install
from tests.styles.bundled import NETWORKS

WIDTH, HEIGHT = 96, 64


@pytest.fixture(params=["fp32", "fp16"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A style, as it is converted for an engine."""
    loaded = load_network(write_style_network(tmp_path / "network.onnx"))
    return to_half(loaded) if request.param == "fp16" else loaded


def drawn(model: Any, image: Image, look: Look | None = None) -> Image:
    """What ONNX Runtime makes of a frame."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    given: dict[str, Any] = {"frame": image[None]}
    if look is not None:
        given["look"] = look.columns(image.shape[1])
    styled: Image = session.run(None, given)[0][0]
    return styled


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_graph_finishes_a_frame_as_the_cpu_does(network: Any, look: Look) -> None:
    """Within one grey level, for a blend rounds elsewhere; what is not blended is the same to the bit."""
    image = picture(WIDTH, HEIGHT)
    found = drawn(add_frame_extras(network), image, look)
    expected = finished_on_the_cpu(image, drawn(network, image), look)
    apart = np.abs(found[:, : expected.shape[1]].astype(int) - expected)
    assert apart.max() <= (0 if look.strength in (0, 1) else 1)


def test_what_fills_the_frame_is_not_mirrored_into_the_picture(network: Any) -> None:
    """The picture's own last column becomes its first one."""
    image = picture(WIDTH, HEIGHT)
    found = drawn(add_frame_extras(network), image, Look(mirror=True, width=85))
    assert np.array_equal(found[:, 0], drawn(network, image)[:, 84])


def test_nv12_is_what_the_virtual_camera_would_make(network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within one level of the sink's own conversion of the same picture by OpenCV."""
    fake = FakeLibrary(drivers=("obs",))
    install(monkeypatch, fake, "win32")
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    for image in (picture(WIDTH, HEIGHT), noise):
        styled = frame(WIDTH, HEIGHT)
        styled.image[:] = drawn(network, image)
        with VirtualCameraSink("", SinkOptions(WIDTH, HEIGHT, 30.0)) as sink:
            sink.send(styled)
        found = drawn(add_frame_extras(network, nv12=True), image, PLAIN)
        assert found.shape == (HEIGHT * 3 // 2, WIDTH)
        assert np.abs(found.astype(int) - fake.sent[-1]).max() <= 1


def test_white_black_and_grey_have_no_colour(tmp_path: Path) -> None:
    """BT.601 in limited range: 235 and 16, and 128 for both colour planes."""
    extended = add_frame_extras(load_network(gains(tmp_path / "n.onnx", 1.0)), nv12=True)
    for level, luma in ((0, 16), (128, 126), (255, 235)):
        found = drawn(extended, np.full((8, 16, 3), level, np.uint8), PLAIN)
        assert set(found[:8].flat) == {luma}
        assert set(found[8:].flat) == {128}


@pytest.mark.parametrize("nv12", [False, True])
@pytest.mark.parametrize("kind", ["fp16", "with a person"])
def test_frames_of_a_batch_are_finished_as_alone(tmp_path: Path, kind: str, nv12: bool) -> None:
    """Each in its place with its own mask, in every look that all of them get; that is the graph TensorRT is given."""
    if kind == "fp16":
        network = to_half(load_network(NETWORKS["hayao-lite"]))
    else:
        pytest.importorskip("torch", reason="PyTorch is not installed")
        network = load_network(write_own_network(tmp_path / "own.onnx"))
    images = [picture(WIDTH, HEIGHT, number) for number in range(4)]
    alone, together = (
        onnxruntime.InferenceSession(
            add_frame_extras(fix_size(network, WIDTH, HEIGHT, batch), nv12).SerializeToString(),
            providers=["CPUExecutionProvider"],
        )
        for batch in (1, 4)
    )

    def run(session: onnxruntime.InferenceSession, look: Look, *given: Image) -> list[Any]:
        strength = np.full((len(given), HEIGHT // 2, WIDTH // 2, 1), look.strength, np.float32)
        ports: dict[str, Any] = {"frame": np.stack(given), "strength": strength, "look": look.columns(WIDTH, True)}
        found: list[Any] = session.run(None, ports)
        return found

    for look in (*LOOKS, Look(strength=0.5, room=False)):
        expected = [run(alone, look, image) for image in images]
        found = run(together, look, *images)
        for place, outputs in enumerate(expected):
            for one, several in zip(outputs, found, strict=True):
                apart = np.abs(several[place].astype(int) - one[0])
                assert np.percentile(apart, 99.9) <= 1
        assert np.abs(expected[0][0].astype(int) - expected[1][0]).max() > 10


@pytest.mark.parametrize("nv12", [False, True])
def test_sizes_stay_free_or_become_fixed(network: Any, nv12: bool) -> None:
    """A free network keeps free sizes with one width for both inputs; a fixed one has numbers everywhere."""
    shapes = {port.name: port.type.tensor_type.shape for port in add_frame_extras(network, nv12).graph.input}
    assert shapes["look"].dim[1].dim_param == shapes["frame"].dim[2].dim_param != ""
    graph = add_frame_extras(fix_size(network, WIDTH, HEIGHT), nv12).graph
    sizes = [[axis.dim_value for axis in port.type.tensor_type.shape.dim] for port in (*graph.input, *graph.output)]
    styled = [1, HEIGHT * 3 // 2, WIDTH] if nv12 else [1, HEIGHT, WIDTH, 3]
    assert sizes == [[1, HEIGHT, WIDTH, 3], [4, WIDTH, 1], styled]


def test_a_network_that_ends_otherwise_is_refused(network: Any) -> None:
    """Nothing is guessed about where its grey levels are."""
    network.graph.node[-1].op_type = "Identity"
    with pytest.raises(StyleCorrupt, match="does not end in a Cast to styled"):
        add_frame_extras(network)


def test_an_unknown_form_is_refused() -> None:
    """In the words of the other options."""
    with pytest.raises(InvalidInput, match=r"Unknown form 'yuv'\. Use one of: bgr, nv12"):
        EngineRequest(Path("n.onnx"), "", "", SizeRange.parse("64x48"), FLAVOURS["rtx"], form="yuv")


@pytest.mark.parametrize("size", ["128x96", "64x64:128x96:256x192"])
@pytest.mark.parametrize("form", ["bgr", "nv12"])
def test_tensorrt_builds_every_form(tmp_path: Path, form: str, size: str) -> None:
    """Of one size and for a range of sizes, from a network with norms and reflect padding; the key tells them apart."""
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: pip install '.[rtx]'")
    path = normalising(tmp_path / "norms.onnx")
    request = EngineRequest(path, "norms", "CC0-1.0", SizeRange.parse(size), FLAVOURS["rtx"], level=0, form=form)
    engine, built = EngineBuilder(EngineStore(tmp_path / "engines"), lambda _: None).obtain(request)
    assert built
    assert engine.sidecar is not None
    assert engine.sidecar.key.form == form
    assert engine.sidecar.layers[-1]["precision"] == "uint8"
    assert len(engine.sidecar.layers[-1]["shape"]) == (3 if form == "nv12" else 4)


@pytest.mark.parametrize("size", ["128x96", "64x64:128x96:256x192"])
@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_tensorrt_builds_a_network_with_strength_and_people(tmp_path: Path, size: str, precision: str) -> None:
    """Its second input and its second output are in the plan, of one size and of a range."""
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: pip install '.[rtx]'")
    pytest.importorskip("torch", reason="PyTorch is not installed")
    path = write_own_network(tmp_path / "own.onnx")
    request = EngineRequest(
        path, "own", "CC0-1.0", SizeRange.parse(size), FLAVOURS["rtx"], level=0, precision=precision
    )
    engine, built = EngineBuilder(EngineStore(tmp_path / "engines"), lambda _: None).obtain(request)
    assert built
    assert engine.sidecar is not None
    shapes = [layer["shape"] for layer in engine.sidecar.layers if layer["precision"] == "uint8"]
    assert len(shapes) == 2
    assert sorted(shape[3] for shape in shapes) == [1, 3]


@pytest.mark.parametrize("size", ["128x96", "64x64:128x96:256x192"])
@pytest.mark.parametrize("form", ["bgr", "nv12"])
def test_tensorrt_builds_a_network_that_draws_smaller(tmp_path: Path, size: str, form: str) -> None:
    """It takes and gives frames of the full size, with strength and people, and its key says what it is."""
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: pip install '.[rtx]'")
    pytest.importorskip("torch", reason="PyTorch is not installed")
    path = write_own_network(tmp_path / "own.onnx", crisp=4)
    kind = "own", "CC0-1.0", SizeRange.parse(size), FLAVOURS["rtx"]
    request = EngineRequest(path, *kind, level=0, form=form, smaller=2)
    engine, built = EngineBuilder(EngineStore(tmp_path / "engines"), lambda _: None).obtain(request)
    assert built
    assert engine.sidecar is not None
    assert engine.sidecar.key.as_data()["smaller"] == 2
    assert engine.sidecar.key.frames.endswith("drawn 2 times smaller")
    whole = EngineRequest(path, *kind, level=0, form=form).key(NO_GPU)
    assert "smaller" not in whole.as_data()  # as engines of before
    assert not engine.sidecar.key.serves_as(whole)
    kinds = {layer["type"] for layer in engine.sidecar.layers}
    assert {"pooling", "resize"} <= kinds
