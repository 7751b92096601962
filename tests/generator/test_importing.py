"""Generators that come from outside as ONNX files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.generator.importing import import_generator
from livefilter.generator.onnx_cost import parameters
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network_edit import without_output
from tests.conftest import picture
from tests.generator.float_networks import write_generator

TEACHERS = sorted(Path(os.environ["LIVEFILTER_TEACHERS"]).glob("*.onnx")) if "LIVEFILTER_TEACHERS" in os.environ else []


def drawn(data: bytes, image: Image, folder: Path) -> Image:
    """What a wrapped network makes of a picture."""
    path = folder / "wrapped.onnx"
    path.write_bytes(data)
    with OnnxRuntimeCpu(path, image.shape[1], image.shape[0]) as engine:
        return engine.run(image).copy()


@pytest.mark.parametrize("channels_last", [True, False], ids=["NHWC", "NCHW"])
@pytest.mark.parametrize(
    "options",
    [{}, {"half": True}, {"size": (64, 96)}, {"batch": "n"}, {"opset": 9}],
    ids=["float32", "float16", "one size", "any batch", "old opset"],
)
def test_a_generator_becomes_bytes_in_and_bytes_out(
    tmp_path: Path, channels_last: bool, options: dict[str, Any]
) -> None:
    """Colours land where the generator puts them: red and green exchanged, blue turned round."""
    incoming = import_generator(
        write_generator(tmp_path / "x.onnx", channels_last=channels_last, **options), OnnxRuntimeCpu
    )
    width, height = options.get("size", (72, 40))
    image = picture(width, height)
    expected = np.stack([255 - image[..., 0], image[..., 2], image[..., 1]], axis=2)
    assert np.abs(drawn(incoming.data, image, tmp_path).astype(int) - expected).max() <= 1
    assert incoming.difference_levels <= 1
    assert incoming.accepts.size == options.get("size")
    assert (incoming.parameters, incoming.macs_per_pixel) == (12 + 24, 9 + 18)
    assert ("float16" if options.get("half") else "float32") in incoming.found


@pytest.mark.parametrize(("pool", "multiple"), [(2, 8), (16, 16), (32, 32)])
def test_the_multiple_that_a_generator_needs_is_found(tmp_path: Path, pool: int, multiple: int) -> None:
    """What halves the picture often takes coarser sizes only, and that goes onto the card."""
    incoming = import_generator(write_generator(tmp_path / "x.onnx", pool=pool), OnnxRuntimeCpu)
    assert incoming.accepts.multiple == multiple


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": 1}, r"takes float \[1, \?, \?, 1\] and gives float \[1, \?, \?, 1\]"),
        ({"outputs": 2}, r"gives float \[1, \?, \?, 3\] and float \[1, \?, \?, 3\]\. A generator takes"),
        ({"batch": 4}, r"takes float \[4, \?, \?, 3\]"),
        ({"size": (100, 100)}, "100x100 only, and engines run at multiples of 8"),
        ({"gain": 100.0}, "gives values from -100.00 to 100.00"),
        ({"gain": 0.5, "bias": 0.5}, "gives values from 0.00 to 1.00"),
        ({"pool": 80}, "not a picture of the same size|cannot draw"),
        ({"gain": float("nan")}, "not finite"),
    ],
)
def test_what_is_no_generator_is_described(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    """The error says what was found, in one line with the file's name."""
    path = write_generator(tmp_path / "x.onnx", **options)
    with pytest.raises(InvalidInput, match=message) as caught:
        import_generator(path, OnnxRuntimeCpu)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_networks_are_told(tmp_path: Path) -> None:
    """Another suffix, a missing file, bytes that are no ONNX, and weights in other files."""
    with pytest.raises(InvalidInput, match=r"Name an ONNX file \(\.onnx\) or a checkpoint"):
        import_generator(tmp_path / "x.bin", OnnxRuntimeCpu)
    with pytest.raises(InvalidInput, match="does not exist"):
        import_generator(tmp_path / "x.onnx", OnnxRuntimeCpu)
    (tmp_path / "x.onnx").write_bytes(b"no network at all")
    with pytest.raises(InvalidInput, match="is no ONNX file"):
        import_generator(tmp_path / "x.onnx", OnnxRuntimeCpu)
    model = onnx.load(str(write_generator(tmp_path / "x.onnx")))
    onnx.save(model, str(tmp_path / "x.onnx"), save_as_external_data=True, size_threshold=0, location="weights")
    (tmp_path / "weights").unlink()
    with pytest.raises(InvalidInput, match="weights in 'weights', which is not a file in the same folder"):
        import_generator(tmp_path / "x.onnx", OnnxRuntimeCpu)


def test_a_network_that_draws_something_else_is_refused(tmp_path: Path) -> None:
    """Wrapped it must draw what it drew, to one grey level; here an engine is made to err by two."""

    class Erring(OnnxRuntimeCpu):
        def run(self, image: Image, strength: float = 1.0) -> Image:
            return np.asarray(super().run(image) ^ 2, np.uint8)

    with pytest.raises(InvalidInput, match="2 grey levels away on a test picture, and 1 are allowed"):
        import_generator(write_generator(tmp_path / "x.onnx"), Erring)


def test_a_styles_own_network_stays_as_it_is() -> None:
    """A network with uint8 ports is taken byte for byte; the card counts what draws, without what finds people."""
    network = Catalogue(user=Path("no such folder")).get("hayao").network("lite")
    incoming = import_generator(network.path, OnnxRuntimeCpu)
    assert incoming.data == network.path.read_bytes()
    draws = onnx.load_model_from_string(without_output(incoming.data, "person"))
    assert parameters(draws) == network.parameters <= incoming.parameters
    assert incoming.macs_per_pixel == pytest.approx(network.macs_per_pixel, rel=0.07)


@pytest.mark.skipif(not TEACHERS, reason="LIVEFILTER_TEACHERS names no folder of published ONNX generators")
@pytest.mark.parametrize("path", TEACHERS, ids=lambda path: path.stem)
def test_published_generators_come_in(path: Path) -> None:
    """Each published file that is at hand draws the same once it is wrapped."""
    incoming = import_generator(path, OnnxRuntimeCpu)
    assert incoming.difference_levels <= 1
    assert incoming.macs_per_pixel > 10_000
