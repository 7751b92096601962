"""Drawn smaller by a GPU: what ONNX Runtime makes of the graph, and PyTorch, beside what a processor shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("torch", reason="torch is not installed")

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.generator.onnx_network import fix_size, load_network
from livefilter.generator.smaller import drawn_smaller, save_smaller
from livefilter.inference.base import EngineOptions
from livefilter.inference.look import Look
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.inference.styler import Styler
from livefilter.inference.torch_cuda import TorchCudaEngine
from livefilter.styles.catalogue import Catalogue
from livefilter.tensorrt.check_pictures import check_pictures
from livefilter.tensorrt.half import to_half
from livefilter.tensorrt.look_graph import add_frame_extras
from livefilter.tensorrt.precision_check import compare_precisions, require_same_picture
from tests.conftest import picture
from tests.inference.own_networks import write_own_network
from tests.styles.bundled import NETWORKS

LITE = NETWORKS["hayao-lite"]
PHOTO = check_pictures(640, 384)["photo"]


def drawn(model: Any, image: Image, strength: float = 1.0) -> Image:
    """What ONNX Runtime makes of a frame."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    half = 1, image.shape[0] // 2, image.shape[1] // 2, 1
    given = {"frame": image[None], "strength": np.full(half, strength, np.float32)}
    if len(session.get_inputs()) == 3:
        given["look"] = Look(strength=strength).columns(image.shape[1], drawn_strength=True)
    styled: Image = session.run(["styled"], given)[0][0]
    return styled


@pytest.mark.parametrize(("times", "strength"), [(2, 1.0), (3, 1.0), (2, 0.3)])
def test_the_graph_shows_what_a_processor_shows(times: int, strength: float) -> None:
    """Of the same size: a grey level or two apart on average, for the processor rounds to bytes on the way.

    A drawing of the frame's own size is far from both."""
    image = check_pictures(720, 384)["photo"]
    found = drawn(drawn_smaller(load_network(LITE), times), image, strength).astype(int)
    options = EngineOptions(precision="float")
    styler = Styler(Catalogue().get("hayao").network("lite"), "onnxruntime", 384 // times, options)
    shown = styler(image, Look(strength=strength, finish=False))
    whole = drawn(load_network(LITE), image, strength)
    assert np.abs(found - shown).mean() < 2.5
    assert np.abs(found - shown).mean() < np.abs(found - whole).mean() / 2


@pytest.mark.parametrize(("times", "strength", "person"), [(2, 1.0, 2), (3, 0.4, 1), (2, 1.3, 0)])
def test_pytorch_draws_the_same_smaller(tmp_path: Path, times: int, strength: float, person: int) -> None:
    """And says the same of people."""
    path, image = write_own_network(tmp_path / "own.onnx", person=person, crisp=4), picture(96, 96)
    small = save_smaller(path, times, tmp_path / "small.onnx")
    with (
        TorchCudaEngine(path, 96, 96, EngineOptions(smaller=times), device="cpu") as one,
        OnnxRuntimeCpu(small, 96, 96) as other,
    ):
        found, wanted = one.run(image, strength).astype(int), other.run(image, strength)
        assert np.abs(found - wanted).max() <= 2
        assert wanted.std() > 5
        assert (one.person is None) == (other.person is None) == (not person)
        if one.person is not None and other.person is not None:
            assert np.abs(one.person.astype(int) - other.person).max() <= 2


def test_half_precision_is_exact_enough_for_it() -> None:
    """By the check that every engine of FP16 has to pass."""
    single = drawn_smaller(load_network(LITE), 2)
    require_same_picture("hayao", compare_precisions(single, to_half(single), check_pictures(640, 384)))


def test_it_is_finished_in_the_same_pass() -> None:
    """Once its size is fixed, as engines are built."""
    model = drawn_smaller(load_network(LITE), 2)
    finished = add_frame_extras(fix_size(model, 640, 384))
    assert np.abs(drawn(finished, PHOTO).astype(int) - drawn(model, PHOTO)).max() <= 1


def test_only_what_ends_in_crisp_edges_is_drawn_smaller(tmp_path: Path) -> None:
    """Others are refused with what to do, and stay as they are at their own size."""
    soft = load_network(write_own_network(tmp_path / "soft.onnx"))
    assert drawn_smaller(soft, 1) is soft
    with pytest.raises(InvalidInput, match="--smaller 1"):
        drawn_smaller(soft, 2)
