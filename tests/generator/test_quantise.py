"""The INT8 form of a network."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import onnx
import torch

from livefilter.frame import Image
from livefilter.generator.export import export
from livefilter.generator.network import Design, Generator
from livefilter.generator.quantise import quantise
from livefilter.inference.base import EngineOptions
from livefilter.inference.hardware import multiplies_bytes
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from tests.styles.golden import photo

SMALL = Design(half=8, quarter=16, eighth=16, eighth_blocks=2, strength=1)


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Image], str]:
    """A network in float and INT8, the frames that showed its ranges, and the checksum that was told."""
    folder = tmp_path_factory.mktemp("forms")
    torch.manual_seed(0)
    plain, int8 = folder / "plain.onnx", folder / "int8.onnx"
    export(Generator(SMALL), plain)
    frames = [np.ascontiguousarray(photo(128 + 16 * turn)[::-1] if turn % 2 else photo(160)) for turn in range(6)]
    return plain, int8, frames, quantise(plain, frames, int8)


def test_only_what_lies_deep_is_in_int8(forms: tuple[Path, Path, list[Image], str]) -> None:
    """All convolutions but the first and the last three take quantized weights; the checksum is the file's."""
    plain, int8, frames, told = forms
    assert hashlib.sha256(int8.read_bytes()).hexdigest() == told
    graph, source = onnx.load(int8).graph, onnx.load(plain).graph
    assert (list(graph.input), list(graph.output)) == (list(source.input), list(source.output))
    from_int8 = {output for node in graph.node if node.op_type == "DequantizeLinear" for output in node.output}
    inner = [node.input[1] in from_int8 for node in graph.node if node.op_type == "Conv"]
    assert inner == [False, *[True] * (len(inner) - 4), False, False, False]
    assert int8.stat().st_size < 1.5 * plain.stat().st_size
    assert quantise(plain, frames, int8.with_name("again.onnx")) == told


def test_what_finds_people_is_in_int8_but_its_last_layer(
    tmp_path: Path, forms: tuple[Path, Path, list[Image], str]
) -> None:
    """A branch for people is told apart from what draws, of which the same layers are in INT8 as without it."""
    plain, int8 = tmp_path / "plain.onnx", tmp_path / "int8.onnx"
    torch.manual_seed(0)
    export(Generator(replace(SMALL, person=2)), plain)
    quantise(plain, forms[2][:2], int8)
    alone, both = (_in_int8(path) for path in (forms[1], int8))
    assert {name: deep for name, deep in both.items() if not name.startswith("person_")} == alone
    finds = {name: deep for name, deep in both.items() if name.startswith("person_")}
    assert [name for name, deep in finds.items() if not deep] == ["person_last_kernel"]
    assert len(finds) > 10


def _in_int8(path: Path) -> dict[str, bool]:
    """Of each convolution, by the name of its kernel, whether it is in INT8."""
    graph = onnx.load(path).graph
    made = {node.output[0]: node for node in graph.node}
    found = {}
    for node in graph.node:
        if node.op_type == "Conv":
            kernel = node.input[1]
            deep = kernel in made and made[kernel].op_type == "DequantizeLinear"
            name = made[kernel].input[0] if deep else kernel
            found[name.removesuffix("_quantized")] = deep
    return found


@pytest.mark.skipif(not multiplies_bytes(), reason="this processor has no VNNI")
def test_the_int8_form_draws_the_same(forms: tuple[Path, Path, list[Image], str]) -> None:
    """A frame comes out alike at every strength, and the engine says what it computes in."""
    plain, int8, _, told = forms
    frame = photo(96)
    with (
        OnnxRuntimeCpu(plain, 96, 96) as reference,
        OnnxRuntimeCpu(int8, 96, 96, EngineOptions(sha256=told, precision="int8")) as engine,
    ):
        assert (reference.info.precision, engine.info.precision) == ("float32", "int8")
        assert engine.takes_strength
        for strength in (0.3, 1.0, 1.5):
            wanted = reference.run(frame, strength).astype(float)
            assert np.sqrt(((engine.run(frame, strength) - wanted) ** 2).mean()) < 2.0
