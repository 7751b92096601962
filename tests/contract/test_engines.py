"""Every engine keeps the promises of livefilter.inference.base.Engine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from livefilter.errors import BackendUnavailable, EngineFailed, InvalidInput, LivefilterError, StyleCorrupt
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineOptions
from livefilter.inference.selection import why_unavailable
from livefilter.registry import ENGINES
from tests.inference.networks import write_other_network, write_style_network

WIDTH, HEIGHT = 96, 64
# They take engines that were built, or networks of our own kind only; tests/gpu holds them to the same promises.
ELSEWHERE = {"tensorrt", "tensorrt-rtx", "torch"}
PRESENT = [name for name in ENGINES if name not in ELSEWHERE and why_unavailable(name) is None]


@pytest.fixture(params=PRESENT)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each backend that this machine has."""
    return str(request.param)


@pytest.fixture(params=[name for name in PRESENT if name != "identity"])
def runtime(request: pytest.FixtureRequest) -> str:
    """The name of each backend that this machine has and that opens a network."""
    return str(request.param)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A style's network."""
    return write_style_network(tmp_path / "network.onnx")


def open_engine(backend: str, network: Path, width: int = WIDTH, height: int = HEIGHT) -> Engine:
    """Open a backend for frames of width x height."""
    engine: Engine = ENGINES.load(backend)(network, width, height, EngineOptions())
    return engine


def noise(seed: int = 0) -> Image:
    """A random frame of the tests' size."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.mark.parametrize("name", list(ENGINES))
def test_the_suite_runs_this_backend(name: str) -> None:
    """Each backend goes through this suite, or is named here with the reason why it cannot on this machine."""
    if reason := why_unavailable(name):
        pytest.skip(reason)
    assert name in ELSEWHERE or name in PRESENT


def test_a_frame_comes_out_like_it_went_in(backend: str, network: Path) -> None:
    """The result has the frame's shape and dtype and is contiguous; the frame itself is left alone."""
    image = noise()
    before = image.copy()
    with open_engine(backend, network) as engine:
        styled = engine.run(image)
        assert styled.shape == image.shape
        assert styled.dtype == np.uint8
        assert styled.flags.c_contiguous
        assert not np.shares_memory(styled, image)
    np.testing.assert_array_equal(image, before)


def test_info_says_what_runs(backend: str, network: Path) -> None:
    """The info names the backend by its registry name, a device, a precision and the size."""
    with open_engine(backend, network) as engine:
        assert engine.info.backend == backend
        assert engine.info.device
        assert engine.info.precision
        assert (engine.info.width, engine.info.height) == (WIDTH, HEIGHT)


def test_backends_agree(runtime: str, network: Path) -> None:
    """All but one in a thousand values are within 2 grey levels of ONNX Runtime's on the CPU."""
    with open_engine("onnxruntime", network) as reference, open_engine(runtime, network) as engine:
        expected = reference.run(noise()).astype(np.int16)
        difference = np.abs(engine.run(noise()) - expected)
    assert expected.std() > 5, "the network draws nothing, so the comparison proves nothing"
    assert np.percentile(difference, 99.9) <= 2


def test_half_precision_networks_run(runtime: str, tmp_path: Path) -> None:
    """A network whose weights are float16 gives the picture that its float32 twin gives."""
    full = write_style_network(tmp_path / "full.onnx")
    half = write_style_network(tmp_path / "half.onnx", half=True)
    with open_engine("onnxruntime", full) as reference, open_engine(runtime, half) as engine:
        difference = np.abs(engine.run(noise()) - reference.run(noise()).astype(np.int16))
    assert np.percentile(difference, 99.9) <= 3


def test_a_result_depends_on_its_frame_alone(backend: str, network: Path) -> None:
    """Runs leave nothing behind: the same frame gives the same picture after another one."""
    with open_engine(backend, network) as engine:
        first = engine.run(noise(1)).copy()
        other = engine.run(noise(2)).copy()
        again = engine.run(noise(1))
        np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(np.int16) - other).mean() > 1


def test_a_result_stays_valid_until_the_next_run(backend: str, network: Path) -> None:
    """Writing into the frame after `run` does not change the result."""
    image = noise()
    with open_engine(backend, network) as engine:
        styled = engine.run(image)
        kept = styled.copy()
        image[:] = 0
        np.testing.assert_array_equal(styled, kept)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((HEIGHT, WIDTH + 8, 3), np.uint8),
        np.zeros((WIDTH, HEIGHT, 3), np.uint8),
        np.zeros((HEIGHT, WIDTH), np.uint8),
        np.zeros((HEIGHT, WIDTH, 3), np.float32),
    ],
    ids=["too wide", "turned", "grey", "float"],
)
def test_a_wrong_frame_is_refused(backend: str, network: Path, image: Image) -> None:
    """A frame of another size or type is an error that names both, and the engine goes on."""
    with open_engine(backend, network) as engine:
        with pytest.raises(EngineFailed, match=r"takes uint8 BGR frames of shape \(64, 96, 3\), but was given"):
            engine.run(image)
        assert engine.run(noise()).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(("width", "height"), [(0, 64), (96, -8), (97, 64), (96, 60)])
def test_a_size_off_the_grid_is_refused(backend: str, network: Path, width: int, height: int) -> None:
    """Only positive multiples of 8 are taken."""
    with pytest.raises(InvalidInput, match=f"{width}x{height}.*multiples of 8"):
        open_engine(backend, network, width, height)


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "truncated"])
def test_a_damaged_network_is_refused(
    runtime: str, network: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A file that is no network is one line that names it and the fix; the runtime's own chatter is kept away."""
    content = network.read_bytes()
    broken = network.with_name("broken.onnx")
    if damage != "missing":
        broken.write_bytes({"empty": b"", "garbage": b"hello" * 99, "truncated": content[: len(content) // 2]}[damage])
    with pytest.raises(StyleCorrupt, match=r"broken\.onnx") as caught:
        open_engine(runtime, broken)
    assert "\n" not in str(caught.value)
    assert "Reinstall" in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_only_the_network_that_the_card_names_is_run(runtime: str, network: Path) -> None:
    """Its bytes are compared with the card's SHA-256 as they are loaded, whatever was checked before."""
    meant = hashlib.sha256(network.read_bytes()).hexdigest()
    options = EngineOptions(sha256=meant)
    ENGINES.load(runtime)(network, WIDTH, HEIGHT, options).close()
    network.write_bytes(network.read_bytes() + b"\x92\x01\x00")  # a field that changes nothing
    with pytest.raises(StyleCorrupt, match="not the one its card names"):
        ENGINES.load(runtime)(network, WIDTH, HEIGHT, options)


def test_a_network_that_is_no_style_is_refused(runtime: str, tmp_path: Path) -> None:
    """A readable network with other inputs is not run."""
    with pytest.raises(StyleCorrupt, match=r"other\.onnx is no style.*`frame`"):
        open_engine(runtime, write_other_network(tmp_path / "other.onnx"))


def test_a_network_of_another_fixed_size_is_refused(runtime: str, tmp_path: Path) -> None:
    """A network exported for one size says so instead of failing on the first frame."""
    fixed = write_style_network(tmp_path / "fixed.onnx", size=(32, 32))
    with pytest.raises(StyleCorrupt, match=r"fixed\.onnx"):
        open_engine(runtime, fixed)


def test_the_callers_arithmetic_is_left_alone(backend: str, network: Path) -> None:
    """No engine makes the thread that opens and runs it flush tiny numbers to zero: other code may need them."""
    smallest = float(np.nextafter(0.0, 1.0))
    with open_engine(backend, network) as engine:
        engine.run(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        assert smallest * 1.0 != 0.0


def test_close_can_be_called_twice(backend: str, network: Path) -> None:
    """After close, and after a second one, a run is a clear error."""
    engine = open_engine(backend, network)
    engine.run(noise())
    engine.close()
    engine.close()
    with pytest.raises(LivefilterError, match="is closed"):
        engine.run(noise())


@pytest.mark.parametrize("name", [name for name in ENGINES if why_unavailable(name)])
def test_a_missing_backend_says_why_and_how(name: str, network: Path) -> None:
    """A backend that this machine lacks raises the reason that `unavailable` gives, one line with a way out."""
    reason = why_unavailable(name)
    assert reason is not None
    with pytest.raises(BackendUnavailable) as caught:
        open_engine(name, network)
    assert str(caught.value) == reason
    assert reason.startswith(name)
    assert "\n" not in reason
    assert "install" in reason.lower() or "--backend" in reason
