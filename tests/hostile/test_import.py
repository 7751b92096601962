"""A network of a stranger is imported or refused within bounds of time and memory, and reads no other file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from livefilter.errors import InvalidInput, LivefilterError, StyleCorrupt
from livefilter.generator import import_apart as import_apart_module
from livefilter.generator.import_apart import Limits, import_apart
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.styles.network_file import external_files, read_network
from tests.generator.float_networks import write_generator
from tests.inference.networks import write_style_network

PORT = ("float", [1, "h", "w", 3])
SHORT = Limits(time_s=12.0, memory=1 << 30)


def write_graph(path: Path, nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto] | None = None) -> Path:
    """Write a graph with a generator's ports; it is not checked, as a stranger's was not."""
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "h", "w", 3]) for name in ("in", "out")]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], constants or [])
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    )
    return path


def endless(path: Path) -> Path:
    """A loop of 2**62 turns."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["again"]), helper.make_node("Identity", ["x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    turns = numpy_helper.from_array(np.array(1 << 62, np.int64), "turns")
    return write_graph(path, [helper.make_node("Loop", ["turns", "", "in"], ["out"], body=body)], [turns])


def enormous(path: Path) -> Path:
    """A constant of 24 GB that takes 16 bytes in the file."""
    shape = numpy_helper.from_array(np.array([1, 2000, 1000, 3000], np.int64), "shape")
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=1),
        helper.make_node("Add", ["in", "sum"], ["out"]),
    ]
    return write_graph(path, nodes, [shape])


def refused(path: Path, limits: Limits = SHORT) -> str:
    """Import, which must be refused in a line of our own; it."""
    with pytest.raises(LivefilterError) as error:
        import_apart(path, limits)
    assert str(path) in str(error.value)
    assert str(error.value).isprintable()
    return str(error.value)


def external(name: str, path: Path, where: str = "initializer") -> Path:
    """A generator whose weights lie in another file, or that says so in an odd place."""
    write_generator(path)
    model = onnx.load(str(path))
    (kernel,) = (tensor for tensor in model.graph.initializer if tensor.name == "kernel")
    (path.parent / "weights.bin").write_bytes(kernel.raw_data)
    tensor = kernel if where == "initializer" else onnx.TensorProto(name="k", data_type=1, dims=kernel.dims)
    tensor.ClearField("raw_data")
    tensor.external_data.add(key="location", value=name)
    tensor.external_data.add(key="length", value="36")
    if where != "not marked":
        tensor.data_location = TensorProto.EXTERNAL
    if where == "attribute":
        model.graph.node.append(helper.make_node("Constant", [], ["unused"], value=tensor))
    elif where == "subgraph":
        inner = helper.make_graph([], "inner", [], [], [tensor])
        model.graph.node.append(helper.make_node("If", ["c"], ["unused"], then_branch=inner, else_branch=inner))
    elif where == "function":
        node = helper.make_node("Constant", [], ["f"], value=tensor)
        model.functions.append(helper.make_function("d", "f", [], ["f"], [node], [helper.make_opsetid("", 13)]))
    elif where == "sparse":
        model.graph.sparse_initializer.add(values=tensor)
    elif where == "not marked":
        model.graph.initializer.append(tensor)
    path.write_bytes(model.SerializeToString())
    return path


def test_an_endless_network_is_given_up(tmp_path: Path) -> None:
    """A few hundred bytes kept a core busy for ever, and Ctrl-C was not heard."""
    file = endless(tmp_path / "endless.onnx")
    assert file.stat().st_size < 400
    assert "within 12 s" in refused(file)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_ends_an_import(tmp_path: Path) -> None:
    """At once, with 130, whatever the file is doing; no process and no style is left."""
    file = endless(tmp_path / "endless.onnx")
    command = [sys.executable, "-m", "livefilter", "import", str(file), "--name", "endless"]
    home = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=home, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("livefilter-import-*/said.txt")) and time.monotonic() < deadline:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("livefilter-import-*"))
    assert not (tmp_path / "data").exists()


def test_an_enormous_network_is_given_up(tmp_path: Path) -> None:
    """Some 200 bytes took all of the memory."""
    file = enormous(tmp_path / "enormous.onnx")
    assert file.stat().st_size < 400
    text = refused(file)
    assert "memory" in text or "allocat" in text, text


def test_a_checkpoint_that_claims_more_than_it_has_is_refused(tmp_path: Path) -> None:
    """A file of some kilobytes claimed tensors of 39 GB."""
    torch = pytest.importorskip("torch")
    plain = tmp_path / "plain.pt"
    torch.save({"weight": torch.zeros(1).expand(100_000, 100_000)}, plain)
    assert plain.stat().st_size < 10_000
    refused(plain, Limits(time_s=60.0, memory=2 << 30))


def test_a_packed_checkpoint_does_not_unpack_without_bounds(tmp_path: Path) -> None:
    """A zip bomb in place of a checkpoint."""
    pytest.importorskip("torch")
    bomb = tmp_path / "bomb.pt"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
        packed.writestr("archive/data/0", b"\0" * (1 << 28))
        packed.writestr("archive/version", b"3\n")
    refused(bomb, Limits(time_s=60.0, memory=2 << 30))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A named pipe, a folder, a device and a link that goes round."""
    os.mkfifo(tmp_path / "pipe.onnx")
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "zero.onnx").symlink_to("/dev/zero")
    (tmp_path / "round.onnx").symlink_to(tmp_path / "round.onnx")
    for name in ("pipe", "folder", "zero", "round", "missing"):
        refused(tmp_path / f"{name}.onnx")


def test_weights_in_a_plain_file_beside_it_are_taken_in(tmp_path: Path) -> None:
    """PyTorch's exporter writes such; the style then is one file that reads no other."""
    imported = import_apart(external("weights.bin", tmp_path / "two.onnx"))
    assert external_files(imported.incoming.data) == []
    assert imported.incoming.difference_levels <= 1
    assert imported.picture.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    "name", ["../secret.bin", "/etc/hostname", "a/../weights.bin", "..", "", "missing.bin", "C:weights.bin"]
)
def test_weights_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    """Whatever leads out of the folder, or is no file."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.bin").write_bytes(b"\0" * 36)
    assert "same folder" in refused(external(name, tmp_path / "in" / "two.onnx"))


def test_weights_behind_a_link_are_refused(tmp_path: Path) -> None:
    """A link beside the file may lead to anything."""
    (tmp_path / "secret.bin").write_bytes(b"\0" * 36)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.bin").symlink_to(tmp_path / "secret.bin")
    assert "same folder" in refused(external("link.bin", tmp_path / "in" / "two.onnx"))


@pytest.mark.parametrize("where", ["initializer", "attribute", "subgraph", "function", "sparse", "not marked"])
def test_no_style_that_is_loaded_reads_another_file(tmp_path: Path, where: str) -> None:
    """Found by our own reading, wherever in the graph it stands, before a runtime sees it."""
    file = external("weights.bin", tmp_path / "style.onnx", where)
    assert external_files(file.read_bytes()) == ["weights.bin"]
    with pytest.raises(StyleCorrupt, match=r"weights\.bin.*no style may read other files"):
        OnnxRuntimeCpu(file, 64, 64)


def test_what_is_checked_is_what_is_loaded(tmp_path: Path) -> None:
    """A file that is exchanged after its card was read is not run."""
    file = write_style_network(tmp_path / "style.onnx")
    with pytest.raises(StyleCorrupt, match="not the one its card names"):
        read_network(file, "0" * 64)
    from livefilter.inference.base import EngineOptions

    with pytest.raises(StyleCorrupt, match="not the one its card names"):
        OnnxRuntimeCpu(file, 64, 64, EngineOptions(sha256="0" * 64))


@settings(max_examples=300)
@given(data=st.binary(max_size=200), cut=st.integers(0, 400), turned=st.integers(0, 400))
def test_no_bytes_break_the_reading(data: bytes, cut: int, turned: int) -> None:
    """Random bytes, and an ONNX file that is cut or has one byte turned: an answer or a ValueError."""
    node = helper.make_node("Identity", ["in"], ["out"])
    whole = bytearray(helper.make_model(helper.make_graph([node], "g", [], [])).SerializeToString())
    if whole:
        whole[turned % len(whole)] ^= 0xFF
    for text in (data, bytes(whole), bytes(whole[:cut])):
        with contextlib.suppress(ValueError):
            external_files(text)


def test_no_escape_sequence_of_a_network_reaches_the_terminal(tmp_path: Path) -> None:
    """Exporters' and ports' names are shown; they may not move the cursor."""
    file = write_generator(tmp_path / "loud.onnx")
    model = onnx.load(str(file))
    model.producer_name = "py\x1b[2Jtorch\x07"
    file.write_bytes(model.SerializeToString())
    assert import_apart(file).incoming.found.isprintable()
    model.graph.node[0].op_type = "No\x1b]0;owned\x07Such"
    file.write_bytes(model.SerializeToString())
    with pytest.raises(InvalidInput) as error:
        import_apart(file)
    assert str(error.value).isprintable()


def test_memory_is_watched_where_the_system_does_not_bound_it() -> None:
    """The watch that Windows and macOS rely on ends a process that takes too much, and says how much it may take."""
    process = subprocess.Popen(
        [sys.executable, "-c", "kept = bytearray(b'x') * (300 << 20); input()"], stdin=subprocess.PIPE
    )
    try:
        trouble = import_apart_module._watch(process, Limits(time_s=100, memory=200 << 20))
    finally:
        process.kill()
        process.communicate()
    assert trouble == "needs more than 0.2 GiB of memory."
