"""Strength on every backend: drawn by the network that takes it, blended where it does not. One table for all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

import onnx

from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.frame import Frame, Image
from livefilter.generator.export import to_onnx
from livefilter.generator.onnx_cost import macs_per_pixel
from livefilter.generator.rebuild import generator_from_onnx
from livefilter.inference.base import Engine, EngineOptions
from livefilter.inference.identity import IdentityEngine
from livefilter.inference.look import Look
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.inference.openvino import OpenVINOEngine
from livefilter.inference.styler import Styler
from livefilter.inference.torch_cuda import TorchCudaEngine
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from tests.conftest import picture
from tests.inference.looks import finished_on_the_cpu
from tests.inference.own_networks import GraphEngine, drawn_by, write_own_network

WIDTH, HEIGHT = 96, 64
BACKENDS: dict[str, Callable[..., Engine]] = {
    "onnxruntime": OnnxRuntimeCpu,
    "openvino": OpenVINOEngine,
    "tensorrt's graph": GraphEngine,
    "torch": partial(TorchCudaEngine, device="cpu"),
}
ASKED = ("onnxruntime", "openvino", "torch")  # engines that are opened so that they tell; a plan tells as it was built
CASES = [
    Look(),
    Look(strength=0.0),
    Look(strength=0.15),
    Look(strength=0.7),
    Look(strength=1.5),
    Look(strength=1.2, compare=True),
    Look(strength=0.5, mirror=True),
    Look(strength=1.4, compare=True, mirror=True, split=0.25),
]


@pytest.fixture(scope="module", params=[True, False], ids=["drawn", "blended"])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that takes a strength, and one that does not."""
    path = tmp_path_factory.mktemp("networks") / "own.onnx"
    return write_own_network(path, strength=request.param, person=0)


def seen(backend: Callable[..., Engine], network: Path, image: Image, look: Look) -> tuple[Image, LiveSettings]:
    """What viewers see of a frame in a live run, and the settings afterwards."""
    settings = SharedSettings(
        LiveSettings("own", look.strength, compare=look.compare, split=look.split, mirror_output=look.mirror)
    )
    with_it: Any = Styler(network, backend, HEIGHT)
    with_it.warm_up(image.shape[1], image.shape[0])
    stylist = LiveStylist(lambda name: with_it, with_it, settings, Metrics())
    found = np.array(stylist(Frame(image, 0, 0.0)).image)
    stylist.close()
    return found, settings.current


@pytest.mark.parametrize("look", CASES, ids=str)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_shows_the_same_strength(network: Path, backend: str, look: Look) -> None:
    """Within a level or two of PyTorch's drawing at that strength; blended, split and mirrored where that is asked."""
    if backend == "openvino" and (reason := OpenVINOEngine.unavailable()):
        pytest.skip(reason)
    image = picture(WIDTH, HEIGHT)
    takes = bool(generator_from_onnx(network).design.strength)
    styled, _ = drawn_by(network, image, look.strength)
    expected = finished_on_the_cpu(image, styled, look, drawn_strength=takes)
    found, settings = seen(BACKENDS[backend], network, image, look)
    assert np.abs(found.astype(int) - expected).max() <= (4 if backend == "openvino" else 1)
    assert settings.strongest == (1.5 if takes else 1.0)


def test_strength_changes_the_drawing_itself(network: Path) -> None:
    """Between 0 and 1.5 a network that takes it draws otherwise each time, and no photo shines through."""
    image = picture(WIDTH, HEIGHT)
    drawings = [drawn_by(network, image, strength)[0].astype(int) for strength in (0.1, 0.5, 1.0, 1.5)]
    apart = [np.abs(a - b).mean() for a, b in pairwise(drawings)]
    assert (min(apart) > 1) == bool(generator_from_onnx(network).design.strength)


@pytest.mark.parametrize("person", [1, 2])
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_tells_where_people_are(tmp_path: Path, backend: str, person: int) -> None:
    """In half the resolution, within two levels of PyTorch; a network that does not tell gives None, and so does one
    that is not asked, which draws the same.
    """
    if backend == "openvino" and (reason := OpenVINOEngine.unavailable()):
        pytest.skip(reason)
    image = picture(WIDTH, HEIGHT)
    path = write_own_network(tmp_path / "own.onnx", person=person)
    expected = drawn_by(path, image, 0.5)[1]
    assert expected is not None
    assert expected.std() > 2
    with BACKENDS[backend](path, WIDTH, HEIGHT) as engine:
        styled = engine.run(image, 0.5).copy()
        assert engine.gives_person
        assert engine.person is not None
        assert np.abs(engine.person.astype(int) - expected).max() <= 3
    if backend in ASKED:
        with BACKENDS[backend](path, WIDTH, HEIGHT, EngineOptions(people=False)) as engine:
            assert np.abs(engine.run(image, 0.5).astype(int) - styled).max() <= 1
            assert not engine.gives_person
            assert engine.person is None
    with BACKENDS[backend](write_own_network(tmp_path / "other.onnx", person=0), WIDTH, HEIGHT) as engine:
        engine.run(image)
        assert not engine.gives_person
        assert engine.person is None


def test_identity_takes_no_strength(network: Path) -> None:
    """It changes nothing, however strong it is asked to be."""
    image = picture(WIDTH, HEIGHT)
    for strength in (0.0, 0.4, 1.5):
        assert np.array_equal(seen(IdentityEngine, network, image, Look(strength))[0], image)


@pytest.mark.parametrize(("person", "crisp"), [(0, 0), (1, 0), (2, 5)])
def test_a_rebuilt_generator_writes_the_same_file(tmp_path: Path, person: int, crisp: int) -> None:
    """Strength, people and crisp edges survive the way into the file and back."""
    path = write_own_network(tmp_path / "own.onnx", person=person, crisp=crisp)
    generator = generator_from_onnx(path)
    assert (generator.design.strength, generator.design.person, generator.design.crisp) == (1, person, crisp)
    assert to_onnx(generator).SerializeToString(deterministic=True) == onnx.load(str(path)).SerializeToString(
        deterministic=True
    )
    assert macs_per_pixel(onnx.load(str(path)), picture(WIDTH, HEIGHT)) > 0


def test_a_strength_for_the_whole_picture_may_be_a_single_number(tmp_path: Path) -> None:
    """The input is a map, or one value, which broadcasts to the same picture."""
    import onnxruntime

    path = write_own_network(tmp_path / "own.onnx", person=0)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    frame = picture(WIDTH, HEIGHT)[None]
    shapes = [(1, 1, 1, 1), (1, HEIGHT // 2, WIDTH // 2, 1)]
    one, many = (
        session.run(None, {"frame": frame, "strength": np.full(shape, 0.6, np.float32)})[0] for shape in shapes
    )
    assert np.array_equal(one, many)


def test_a_strength_may_differ_from_place_to_place(tmp_path: Path) -> None:
    """Half of the picture at one strength, half at another; far from the border each half is as it is alone."""
    import onnxruntime

    path = write_own_network(tmp_path / "own.onnx", person=0)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    frame = picture(320, 64)[None]
    halves = np.repeat([[0.2, 1.4]], 32, 0).repeat(80, 1)[None, :, :, None].astype(np.float32)
    found = session.run(None, {"frame": frame, "strength": halves})[0][0].astype(int)
    for strength, place in ((0.2, slice(0, 80)), (1.4, slice(240, 320))):
        alone = session.run(None, {"frame": frame, "strength": np.full((1, 1, 1, 1), strength, np.float32)})[0][0]
        assert np.abs(found[:, place] - alone[:, place]).max() <= 1


def test_the_benchmarks_take_networks_with_strength_and_people(tmp_path: Path) -> None:
    """As float RGB for the loop that people write, and as PyTorch's module: both draw at strength 1."""
    import onnxruntime
    import torch

    from livefilter.bench.float_network import float_network
    from livefilter.bench.gpu_measure import as_module

    path, image = write_own_network(tmp_path / "own.onnx"), picture(WIDTH, HEIGHT)
    expected = drawn_by(path, image, 1.0)[0].astype(int)
    rgb = image[None, :, :, ::-1].astype(np.float32) / 127.5 - 1
    session = onnxruntime.InferenceSession(float_network(path, WIDTH, HEIGHT), providers=["CPUExecutionProvider"])
    cut = np.clip(session.run(None, {"rgb": rgb})[0][0] * 127.5 + 128, 0, 255)[:, :, ::-1]
    assert np.abs(cut - expected).max() <= 1
    with torch.no_grad():
        planes = torch.from_numpy(np.ascontiguousarray(rgb[..., ::-1]).transpose(0, 3, 1, 2))
        module = (as_module(path)(planes)[0] * 127.5 + 128).clamp(0, 255).permute(1, 2, 0).numpy()
    inner = (slice(16, -16), slice(16, -16))  # the border's strength is summed otherwise
    assert np.abs(module[inner] - expected[inner]).max() <= 1
