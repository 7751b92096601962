"""What `livefilter build` takes: styles, ONNX files and checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="engine builds need onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from livefilter.cli.build_network import BuildNetwork, network_to_build  # noqa: E402
from livefilter.errors import InvalidInput  # noqa: E402
from livefilter.inference.onnxruntime import OnnxRuntimeCpu  # noqa: E402
from livefilter.styles.accepts import Accepts  # noqa: E402
from livefilter.styles.catalogue import Catalogue  # noqa: E402
from livefilter.tensorrt.flavour import FLAVOURS, Flavour  # noqa: E402
from livefilter.tensorrt.key import SizeRange  # noqa: E402
from tests.conftest import picture  # noqa: E402
from tests.generator.networks import gains  # noqa: E402


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorRT counts as installed: nothing is built here."""
    monkeypatch.setattr(Flavour, "require_installed", lambda self: None)


def found(named: object, folder: Path) -> tuple[BuildNetwork, list[str]]:
    """What is to be built, and what was said."""
    said: list[str] = []
    return network_to_build(str(named), "auto", FLAVOURS["rtx"], folder, said.append), said


def checkpoint(folder: Path, kind: str) -> Path:
    """A file of weights, by its name."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from livefilter.generator.animegan import animegan
    from livefilter.generator.network import Generator

    torch.manual_seed(0)
    path = folder / kind
    if kind == "own.safetensors":
        pytest.importorskip("safetensors", reason="safetensors is not installed")
        from safetensors.torch import save_file

        save_file(Generator().state_dict(), path)
    else:
        torch.save(Generator().state() if kind == "own.pt" else animegan("v2-light").state_dict(), path)
    return path


def test_a_style_is_built_from_its_own_file(tmp_path: Path) -> None:
    """Of a style of the catalogue its largest network is taken, with its licence."""
    network, said = found("hayao", tmp_path)
    style = Catalogue().get("hayao")
    assert network.path == style.network("auto", gpu=True).path
    assert network.licence == style.licence
    assert said == []


def test_a_styles_onnx_file_is_built_as_it_is(tmp_path: Path) -> None:
    """The engine then serves that very file, byte by byte."""
    path = gains(tmp_path / "mine.onnx", 2.0)
    assert found(path, tmp_path / "none") == (BuildNetwork(path, "mine", "unknown"), [])


def test_a_published_onnx_file_is_wrapped(tmp_path: Path) -> None:
    """RGB float in [-1, 1] becomes uint8 BGR in and out."""
    shape: list[int | str] = [1, "h", "w", 3]
    negative = numpy_helper.from_array(np.array(-1, np.float32), "negative")
    graph = helper.make_graph(
        [helper.make_node("Mul", ["rgb", "negative"], ["drawn"])],
        "inverts",
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("drawn", TensorProto.FLOAT, shape)],
        [negative],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(tmp_path / "inverts.onnx"))
    (tmp_path / "made").mkdir()
    network, said = found(tmp_path / "inverts.onnx", tmp_path / "made")
    assert network.path.parent == tmp_path / "made"
    assert said[0].startswith("inverts.onnx is an ONNX generator")
    with OnnxRuntimeCpu(network.path, 64, 48) as engine:
        image = picture(64, 48)
        assert np.abs(engine.run(image).astype(int) - (255 - image)).max() <= 1


@pytest.mark.parametrize("kind", ["own.safetensors", "animegan.pt"])
def test_checkpoints_are_converted(tmp_path: Path, kind: str) -> None:
    """Weights of livefilter's own generators and of the AnimeGAN family become a network that runs."""
    path = checkpoint(tmp_path, kind)
    network, said = found(path, tmp_path)
    assert network.style == path.stem
    assert ("AnimeGAN" if kind == "animegan.pt" else "livefilter's own") in said[0]
    with OnnxRuntimeCpu(network.path, 64, 48) as engine:
        assert engine.run(picture(64, 48)).std() > 5


def test_a_checkpoint_always_becomes_the_same_file(tmp_path: Path) -> None:
    """An engine that was built from it is found again, by the file's checksum."""
    path = checkpoint(tmp_path, "own.pt")
    files = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        files.append(found(path, tmp_path / name)[0].path.read_bytes())
    assert files[0] == files[1]


def test_what_holds_no_generator_is_refused(tmp_path: Path) -> None:
    """A file of another kind, a damaged one and a missing one are each one line that names the file."""
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "broken.onnx").write_bytes(b"hello")
    for name, message in [
        ("notes.txt", "is no kind of file that holds a generator"),
        ("broken.onnx", "is no ONNX file"),
        ("gone.pt", "does not exist"),
    ]:
        with pytest.raises(InvalidInput, match=f"{name}.*{message}") as caught:
            found(tmp_path / name, tmp_path)
        assert "\n" not in str(caught.value)


def test_only_sizes_that_the_network_takes_are_built() -> None:
    """A network of one size, or of coarser multiples, is refused at others before anything is compiled."""
    fixed = BuildNetwork(Path("a.onnx"), "a", "CC0-1.0", Accepts(size=(512, 512)))
    fixed.require(SizeRange.parse("512x512"))
    for size in ("1280x720", "256x256:512x512:1024x1024"):
        with pytest.raises(InvalidInput, match=r"a takes frames of 512x512 only\. Use --size 512x512"):
            fixed.require(SizeRange.parse(size))
    coarse = BuildNetwork(Path("b.onnx"), "b", "CC0-1.0", Accepts(multiple=32))
    coarse.require(SizeRange.parse("1280x704"))
    with pytest.raises(InvalidInput, match=r"multiples of 32, not 1280x720\. Use 1280x704"):
        coarse.require(SizeRange.parse("1280x720"))
