"""The forms that the GPU command compares, as far as a machine without a GPU can prove them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("filelock", reason="the engine store needs filelock")

import onnx
import torch

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.generator.animegan import animegan
from livefilter.generator.animegan_export import to_onnx
from livefilter.generator.export import to_onnx as own_to_onnx
from livefilter.generator.network import Generator
from livefilter.generator.onnx_network import load_network
from livefilter.tensorrt.builder import EngineBuilder, EngineRequest
from livefilter.tensorrt.flavour import FLAVOURS
from livefilter.tensorrt.half import to_half
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.store import EngineStore
from tests.conftest import picture
from tools.levers.onnx import OTHER, SAME
from tools.levers.torch import WAYS, TorchWay, prepare


@pytest.fixture(scope="module")
def network() -> Any:
    """The light AnimeGANv2, which has reflect padding and layer norms, with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return to_onnx(animegan("v2-light").eval())


def drawn(model: Any) -> Image:
    """What ONNX Runtime makes of a picture."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    styled: Image = session.run(None, {"frame": picture(64, 48)[None]})[0][0]
    return styled


def operators(model: Any) -> set[str]:
    """The kinds of nodes in a network."""
    return {node.op_type for node in model.graph.node}


@pytest.mark.parametrize("lever", SAME)
def test_another_form_draws_the_same_picture(network: Any, lever: str, tmp_path: Path) -> None:
    """Within one grey level; what was to go is gone; it loads as a style and survives the conversion to FP16."""
    changed = SAME[lever](network)
    assert changed is not None
    expected = drawn(network).astype(int)
    assert expected.std() > 5
    assert np.abs(drawn(changed) - expected).max() <= 1
    gone = "Pad" if "padding" in lever else "InstanceNormalization"
    assert gone in operators(network)
    assert gone not in operators(changed)
    onnx.save(changed, str(tmp_path / "n.onnx"))
    assert np.abs(drawn(to_half(load_network(tmp_path / "n.onnx"))) - expected).max() <= 3


@pytest.mark.parametrize("lever", [*SAME, *OTHER])
def test_tensorrt_builds_every_form(network: Any, lever: str, tmp_path: Path) -> None:
    """In FP16, checked against float32, as the GPU command does."""
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: pip install '.[rtx]'")
    changed = (SAME | OTHER)[lever](network)
    assert changed is not None
    onnx.save(changed, str(tmp_path / "n.onnx"))
    request = EngineRequest(tmp_path / "n.onnx", lever, "", SizeRange.parse("64x48"), FLAVOURS["rtx"], level=0)
    assert EngineBuilder(EngineStore(tmp_path / "engines"), lambda _: None).obtain(request)[1]


def test_leaving_out_the_padding_changes_the_edges_alone(network: Any) -> None:
    """The statistics of the norms see the edges, so the middle moves a little, too."""
    changed = OTHER["zero padding"](network)
    assert changed is not None
    assert "Pad" not in operators(changed)
    assert drawn(changed).shape == (48, 64, 3)


def test_leaving_out_the_norms_leaves_scale_and_shift(network: Any) -> None:
    """No statistic is computed any more."""
    changed = OTHER["no norms"](network)
    assert changed is not None
    assert operators(changed).isdisjoint({"InstanceNormalization", "ReduceMean", "Reshape", "Shape"})
    assert drawn(changed).shape == (48, 64, 3)


@pytest.mark.parametrize("lever", [*SAME, *OTHER])
def test_a_network_without_the_form_is_left_alone(lever: str) -> None:
    """Ours have neither norms nor reflect padding."""
    assert (SAME | OTHER)[lever](own_to_onnx(Generator())) is None


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if not way.graph])
def test_every_way_without_a_graph_computes_the_same(name: str) -> None:
    """Types and layouts change the speed and, by their roundings, the last digits."""
    module = animegan("v2-light").eval()
    given = torch.rand((1, 3, 32, 32)) * 2 - 1
    with torch.no_grad():
        expected = module(given).clone()
    run, source, result = prepare(module, WAYS[name], "cpu", 32, 32)
    source.copy_(given)
    run()
    assert result.dtype == (torch.float16 if WAYS[name].half else torch.float32)
    assert result.is_contiguous(memory_format=torch.channels_last) or not WAYS[name].last
    assert (result.float() - expected).abs().max() < 0.05


def test_a_compiler_is_asked_for_its_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network that runs is the compiled one."""
    modes = []

    def compiled(module: Any, mode: str) -> Any:
        modes.append(mode)
        return lambda given: given + 1

    monkeypatch.setattr(torch, "compile", compiled)
    run, _, result = prepare(torch.nn.Identity(), TorchWay(compiled="default"), "cpu", 8, 8)
    run()
    assert modes == ["default"]
    assert result.unique().tolist() == [1.0]


def test_a_graph_needs_a_gpu() -> None:
    """One line, and nothing is measured instead."""
    with pytest.raises(InvalidInput, match="A CUDA graph needs a GPU, and cpu is none"):
        prepare(torch.nn.Identity(), TorchWay(graph=True), "cpu", 8, 8)
