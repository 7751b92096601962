"""What TensorRT engines do beyond one size and one picture: ranges of sizes, looks, NV12; on an in-memory CUDA."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("filelock", reason="the engine store needs filelock")

from livefilter.errors import EngineMismatch, GpuFault
from livefilter.inference.look import Look
from livefilter.inference.ports import NetworkPorts
from livefilter.tensorrt.builder import EngineRequest
from livefilter.tensorrt.engine import TensorRTEngine, TensorRTRtxEngine
from livefilter.tensorrt.key import EngineKey, SizeRange
from livefilter.tensorrt.lookup import find_engine
from tests.inference.fake_runtime import to_nv12
from tests.tensorrt.test_engine import GPU, HEIGHT, SIZE, WIDTH, Machine, _installed, frame, machine

__all__ = ["_installed", "machine"]  # fixtures


def build_range(machine: Machine, size: str, **changes: Any) -> Machine:
    """Put an engine for a range of sizes into the store."""
    least, _, most = (tuple(int(part) for part in each.split("x")) for each in size.split(":"))
    machine.runtime.sizes = ((least[0], least[1]), (most[0], most[1]))
    return machine.build(size=size, **changes)


@pytest.mark.parametrize("kind", [TensorRTEngine, TensorRTRtxEngine])
def test_an_engine_for_a_range_runs_at_a_size_within(tmp_path: Path, kind: type[Any]) -> None:
    """Its shapes are set once, before the capture; TensorRT-RTX compiles for them at once and not in the background."""
    machine = build_range(Machine(tmp_path, kind), "64x48:128x96:256x192")
    with machine.open() as engine:
        assert np.array_equal(engine.run(frame(1)), 255 - frame(1))
        machine.driver.calls.clear()
        engine.run(frame(2))
        assert machine.driver.calls.count("cuGraphLaunch") == 1
        assert "execute_async_v3" not in machine.driver.calls
    assert machine.runtime.strategies == (["eager"] if kind is TensorRTRtxEngine else [])
    gc.collect()
    assert machine.driver.left == {}


def test_outside_of_its_range_an_engine_is_not_taken(tmp_path: Path) -> None:
    """The error names the range and the command for this size."""
    machine = build_range(Machine(tmp_path), "128x96:256x192:512x384")
    with pytest.raises(
        EngineMismatch, match=r"engine of style-full for 96x64 .*the one for 128x96:256x192:512x384 does not reach it"
    ):
        machine.open()
    assert machine.driver.calls == []


def test_an_engine_for_the_very_size_goes_before_one_for_a_range(tmp_path: Path) -> None:
    """It is the faster one; of two ranges the higher level is taken."""
    machine = build_range(Machine(tmp_path), "64x48:128x96:256x192", level=5)
    build_range(machine, "64x48:64x64:256x192", level=1)
    request = EngineRequest(machine.network, "style", "", SizeRange.parse("96x64"), machine.kind.flavour)
    assert found(machine, request).size == "64x48:128x96:256x192"
    machine.build(level=0)
    assert found(machine, request).size == "96x64"


def found(machine: Machine, request: EngineRequest) -> EngineKey:
    """The key of the engine that is taken for a request."""
    engine = find_engine(machine.store, request, GPU)[1]
    assert engine.sidecar is not None
    return engine.sidecar.key


def test_a_plan_whose_profile_is_another_is_refused(tmp_path: Path) -> None:
    """Whatever its sidecar says: TensorRT is not asked for a size that it does not take."""
    machine = build_range(Machine(tmp_path), "64x48:128x96:256x192")
    machine.runtime.sizes = ((128, 96), (256, 192))
    with pytest.raises(EngineMismatch, match=r"does not take 96x64: its frame may be from \(1, 96, 128, 3\) to"):
        machine.open()
    gc.collect()
    assert machine.driver.left == {}


def test_an_engine_that_cannot_be_captured_is_refused(machine: Machine) -> None:
    """TensorRT-RTX knows; the error comes at opening."""
    machine.runtime.capturable = False
    with pytest.raises(EngineMismatch, match="cannot run the engine as a CUDA graph"):
        machine.open()
    gc.collect()
    assert machine.driver.left == {}


def test_a_look_reaches_the_gpu_once(machine: Machine) -> None:
    """It is copied when it changes and stays; frames with it are still one graph launch."""
    half, turned = Look(strength=0.5), Look(compare=True, mirror=True)
    with machine.open() as engine:
        assert np.abs(engine.compose(frame(), half).astype(int) - 127.5).max() <= 0.5
        machine.driver.calls.clear()
        engine.compose(frame(), half)
        assert "cuMemcpyHtoDAsync" not in machine.driver.calls
        split = engine.compose(frame(1), turned)[:, ::-1]
        assert machine.driver.calls.count("cuMemcpyHtoDAsync") == 1
        assert np.array_equal(split[:, : WIDTH // 2 - 1], frame(1)[:, : WIDTH // 2 - 1])
        assert np.array_equal(split[:, WIDTH // 2 + 1 :], 255 - frame(1)[:, WIDTH // 2 + 1 :])
        assert (split[:, WIDTH // 2 - 1 : WIDTH // 2 + 1] == 255).all()
        assert np.array_equal(engine.run(frame(2)), 255 - frame(2))


def test_a_strength_reaches_the_network_once(tmp_path: Path) -> None:
    """As a map that stays on the GPU until it changes; nothing is blended but at 0, which is the original."""
    machine = Machine(tmp_path, own=NetworkPorts(strength=True)).build()
    with machine.open() as engine:
        assert engine.takes_strength
        assert np.array_equal(engine.compose(frame(), Look(strength=0.5)), 255 - frame() - np.uint8(10))
        machine.driver.calls.clear()
        engine.compose(frame(), Look(strength=0.5))
        assert "cuMemcpyHtoDAsync" not in machine.driver.calls
        assert np.array_equal(engine.compose(frame(), Look(strength=1.5)), 255 - frame() - np.uint8(30))
        assert np.array_equal(engine.compose(frame(), Look(strength=0.0)), frame())
        assert np.array_equal(engine.run(frame(), 0.5), 255 - frame() - np.uint8(10))


@pytest.mark.parametrize("sizes", [None, ((64, 48), (256, 192))])
def test_people_are_told_of_the_same_frame(tmp_path: Path, sizes: Any) -> None:
    """The mask comes out beside the picture, which is made with it: here the person is right of the middle."""
    machine = Machine(tmp_path, own=NetworkPorts(strength=True, person=True), sizes=sizes)
    machine = build_range(machine, "64x48:96x64:256x192") if sizes else machine.build()
    with machine.open() as engine:
        seen = engine.compose(frame(), Look(room=False))
        assert engine.person is not None
        assert engine.person.shape == (HEIGHT // 2, WIDTH // 2)
        assert (engine.person[:, : WIDTH // 4] == 0).all()
        assert (engine.person[:, WIDTH // 4 :] == 255).all()
        assert np.array_equal(seen[:, : WIDTH // 2], frame()[:, : WIDTH // 2])
        assert np.array_equal(seen[:, WIDTH // 2 :], 255 - frame()[:, WIDTH // 2 :] - np.uint8(20))


def test_the_engine_after_a_lost_one_gets_the_look_anew(machine: Machine) -> None:
    """The same look as before is sent to the new context, so that nobody is seen unstyled or turned."""
    look = Look(mirror=True)
    with machine.open() as engine:
        engine.compose(frame(), look)
        machine.driver.lose()
        with pytest.raises(GpuFault):
            engine.compose(frame(1), look)
    with machine.open() as again:
        assert np.array_equal(again.compose(frame(1), look), (255 - frame(1))[:, ::-1])


def test_nv12_comes_from_an_engine_of_its_own(tmp_path: Path) -> None:
    """One that gives BGR is not taken for it; half the bytes are copied back."""
    machine = Machine(tmp_path, form="nv12").build()
    with pytest.raises(EngineMismatch, match=r"There is no TensorRT engine .* --size 96x64 --flavour tensorrt --nv12$"):
        machine.open(nv12=True)
    machine.build(form="nv12")
    with machine.open(nv12=True) as engine:
        assert engine.nv12
        assert np.array_equal(engine.run(frame(1)), to_nv12(255 - frame(1)))
        assert SIZE // 2 in {m.size for m, _ in machine.driver.pinned.values()}
