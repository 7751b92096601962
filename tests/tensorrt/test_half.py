"""The FP16 form of a network, and the check that it draws the same."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402

from livefilter.errors import BuildFailed, StyleCorrupt  # noqa: E402
from livefilter.generator.onnx_network import element_types, fix_size, load_network  # noqa: E402
from livefilter.styles.catalogue import Catalogue  # noqa: E402
from livefilter.tensorrt.check_pictures import check_pictures, check_size  # noqa: E402
from livefilter.tensorrt.half import to_half  # noqa: E402
from livefilter.tensorrt.precision_check import compare_precisions, measure, require_same_picture  # noqa: E402
from tests.generator.networks import NORMS, gains, make_network, normalised_by, normalising  # noqa: E402

BUNDLED = {
    network.label: network.path
    for style in Catalogue(user=Path("no-such-folder")).styles
    for network in style.networks.values()
}


def precisions(model: Any) -> dict[str, int]:
    """Tensor -> element type of the converted network, by the names of the original."""
    return element_types(model)


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_style_survives_half_precision(name: str) -> None:
    """A bundled style stays within 2 grey levels and above 45 dB on every check picture."""
    network = load_network(BUNDLED[name])
    half = to_half(network)
    types = precisions(half)
    convolutions = [types[node.output[0]] for node in half.graph.node if node.op_type == "Conv"]
    assert convolutions
    assert set(convolutions) == {TensorProto.FLOAT16}
    figures = compare_precisions(network, half, check_pictures(320, 192))
    require_same_picture(name, figures)
    assert any(figure.levels_max > 0 for figure in figures), "the check compares the network with itself"


def test_statistics_and_the_last_affine_stay_float32(tmp_path: Path) -> None:
    """Norms, written out or native, and the step to grey levels are float32; convolutions and resizing are float16."""
    types = precisions(to_half(load_network(normalising(tmp_path / "n.onnx"))))
    wide = {"mean", "centred", "squared", "variance", "safe", "deviation", "normal", "instance", "spread", "drawn"}
    narrow = {"planes", "signed", "padded", "features", "active", "small", "large", "colours", "bounded"}
    assert {name for name in wide if types[name] != TensorProto.FLOAT} == set()
    assert {name for name in narrow if types[name] != TensorProto.FLOAT16} == set()
    assert types["frame"] == types["styled"] == TensorProto.UINT8


def test_a_network_with_norms_draws_the_same_in_half_precision(tmp_path: Path) -> None:
    """The converted graph runs, and its picture is within the limits."""
    network = load_network(normalising(tmp_path / "n.onnx"))
    require_same_picture("norms", compare_precisions(network, to_half(network), check_pictures(96, 64)))


@pytest.mark.parametrize("kind", NORMS)
def test_native_norms_keep_their_statistics_in_float32(tmp_path: Path, kind: str) -> None:
    """Each normalising operator is fed and computed in float32, the convolutions around it are not; pictures agree."""
    network = load_network(normalised_by(tmp_path / "n.onnx", kind))
    half = to_half(network)
    types = precisions(half)
    norms = [node for node in half.graph.node if node.op_type.endswith("Normalization")]
    assert norms
    assert {types[name] for node in norms for name in (*node.input, *node.output)} == {TensorProto.FLOAT}
    assert types["features"] == types["colours"] == TensorProto.FLOAT16
    require_same_picture(kind, compare_precisions(network, half, check_pictures(96, 64)))


def test_the_check_can_be_ended_between_pictures(tmp_path: Path) -> None:
    """Each picture is named before it is drawn, and an exception then ends the comparison."""
    network = load_network(gains(tmp_path / "n.onnx", 2.0))
    named: list[str] = []

    def stop_at_the_second(name: str) -> None:
        named.append(name)
        if len(named) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_precisions(network, to_half(network), check_pictures(64, 48), stop_at_the_second)
    assert named == ["photo", "dark photo"]


def test_an_overflow_is_found_though_onnx_runtime_hides_it(tmp_path: Path) -> None:
    """Values above 65504 fail the check with figures; ONNX Runtime on its own would show a perfect picture."""
    network = load_network(gains(tmp_path / "n.onnx", 1000.0))
    half = to_half(network)
    picture = np.full((16, 16, 3), 200, np.uint8)
    session = onnxruntime.InferenceSession(half.SerializeToString(), providers=["CPUExecutionProvider"])
    if platform.machine() in {"x86_64", "AMD64"}:  # other processors may compute in float16
        assert np.abs(session.run(None, {"frame": picture[None]})[0].astype(int) - 200).max() <= 1
    figures = compare_precisions(network, half, {"grey card": picture})
    assert not figures[0].passed
    with pytest.raises(
        BuildFailed, match=r"bright does not survive FP16: .* on the grey card at 16x16.*--precision fp32"
    ):
        require_same_picture("bright", figures)


def test_harmless_gains_pass(tmp_path: Path) -> None:
    """The same network within float16's range is accepted: it is the overflow that fails the one above."""
    network = load_network(gains(tmp_path / "n.onnx", 4.0))
    require_same_picture("dim", compare_precisions(network, to_half(network), check_pictures(64, 64)))


@pytest.mark.parametrize("constant", [1e-7, 1e6])
def test_constants_that_float16_cannot_hold_stay_float32(tmp_path: Path, constant: float) -> None:
    """A guard such as 1e-7 is not rounded to zero, nor a large number to infinity."""
    middle = [
        helper.make_node("Max", ["planes", "guard"], ["guarded"]),
        helper.make_node("Relu", ["guarded"], ["drawn"]),
    ]
    network = load_network(make_network(tmp_path / "n.onnx", middle, {"guard": np.float32(constant)}))
    assert precisions(to_half(network))["guarded"] == TensorProto.FLOAT


def test_sizes_that_are_computed_stay_float32(tmp_path: Path) -> None:
    """A size of 2049 pixels is not rounded to 2048 on its way through a float."""
    node = helper.make_node
    middle = [
        node("Relu", ["planes"], ["active"]),
        node("Shape", ["active"], ["size"]),
        node("Cast", ["size"], ["size_float"], to=TensorProto.FLOAT),
        node("Mul", ["size_float", "same"], ["scaled"]),
        node("Cast", ["scaled"], ["target"], to=TensorProto.INT64),
        node("Resize", ["active", "", "", "target"], ["resized"], mode="nearest"),
        node("Conv", ["resized", "kernel"], ["drawn"]),
    ]
    kernel = np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)
    network = load_network(make_network(tmp_path / "n.onnx", middle, {"same": np.float32(1), "kernel": kernel}))
    half = to_half(network)
    types = precisions(half)
    assert types["size_float"] == types["scaled"] == TensorProto.FLOAT
    assert types["resized"] == TensorProto.FLOAT16
    session = onnxruntime.InferenceSession(half.SerializeToString(), providers=["CPUExecutionProvider"])
    assert session.run(None, {"frame": np.zeros((1, 8, 2056, 3), np.uint8)})[0].shape == (1, 8, 2056, 3)


def test_a_fixed_size_is_fixed_everywhere(tmp_path: Path) -> None:
    """After fixing, the frame has one shape and the original network is untouched."""
    network = load_network(gains(tmp_path / "n.onnx", 2.0))
    fixed = fix_size(network, 64, 48)
    for port in (fixed.graph.input[0], fixed.graph.output[0]):
        assert [axis.dim_value for axis in port.type.tensor_type.shape.dim] == [1, 48, 64, 3]
    assert network.graph.input[0].type.tensor_type.shape.dim[1].dim_param == "height"


def test_a_file_that_is_no_style_is_refused(tmp_path: Path) -> None:
    """A damaged file and a network with other ports are each refused in one line that names the file."""
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"not an ONNX file")
    with pytest.raises(StyleCorrupt, match=r"damaged\.onnx cannot be read: it is no ONNX file") as caught:
        load_network(damaged)
    assert "\n" not in str(caught.value)
    network = onnx.load(str(gains(tmp_path / "other.onnx", 2.0)))
    network.graph.input[0].name = network.graph.node[0].input[0] = "picture"
    onnx.save(network, str(tmp_path / "other.onnx"))
    with pytest.raises(StyleCorrupt, match=r"other\.onnx is no style: it must take `frame`.*it has picture uint8"):
        load_network(tmp_path / "other.onnx")


def test_the_figures_are_what_they_say() -> None:
    """PSNR and percentile of known differences."""
    grey = np.full((100, 100, 3), 100, np.uint8)
    assert measure("same", grey, grey).psnr_db == 100
    one = measure("one", grey, grey + 1)
    assert one.psnr_db == pytest.approx(48.13, abs=0.01)
    assert (one.levels_p99_9, one.levels_max) == (1, 1)
    spot = grey.copy()
    spot[:2, :50] = 110  # 1 % of the picture
    assert measure("spot", grey, spot).levels_p99_9 == 10
    assert not measure("spot", grey, spot).passed


@pytest.mark.parametrize(
    ("size", "wanted"), [((1280, 720), (640, 352)), ((64, 48), (64, 48)), ((720, 1280), (352, 640))]
)
def test_the_check_runs_at_a_size_every_generator_takes(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    """Large frames are checked smaller, in multiples of 32, and small ones as they are."""
    assert check_size(*size) == wanted
    assert all(picture.shape == (wanted[1], wanted[0], 3) for picture in check_pictures(*wanted).values())
