"""TensorRT engines for several frames at once, on an in-memory CUDA; and real builds of them, which need no GPU."""

from __future__ import annotations

import gc
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("filelock", reason="the engine store needs filelock")

from livefilter.errors import BuildFailed, EngineFailed, EngineMismatch, GpuFault, InvalidInput
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineOptions
from livefilter.inference.batcher import Batcher
from livefilter.inference.engine_pool import EnginePool
from livefilter.inference.look import PLAIN, ComposingEngine, Look
from livefilter.inference.ports import NetworkPorts
from livefilter.tensorrt.batch_plan import build_apart
from livefilter.tensorrt.builder import EngineRequest
from livefilter.tensorrt.engine import TensorRTEngine, TensorRTRtxEngine
from livefilter.tensorrt.flavour import FLAVOURS
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.store import EngineStore
from tests.inference.fake_runtime import to_nv12
from tests.styles.bundled import NETWORKS
from tests.tensorrt.engines import KEY
from tests.tensorrt.test_engine import HEIGHT, SIZE, WIDTH, Machine, _installed, frame, machine

__all__ = ["_installed", "machine"]  # fixtures


def frames(count: int, first: int = 0) -> list[Image]:
    """So many different ones."""
    return [frame(first + number) for number in range(count)]


def is_drawn(drawn: Sequence[tuple[Image, Image | None]], given: Sequence[Image]) -> bool:
    """Whether each is the negative of its own frame."""
    return all(np.array_equal(styled, 255 - image) for (styled, _), image in zip(drawn, given, strict=True))


@pytest.mark.parametrize("kind", [TensorRTEngine, TensorRTRtxEngine])
@pytest.mark.parametrize("batch", [2, 4, 8])
def test_each_frame_comes_out_in_its_place(tmp_path: Path, kind: type[Any], batch: int) -> None:
    """Through one graph launch for all of them; nothing is left on the GPU afterwards."""
    machine = Machine(tmp_path, kind).build().build(batch=batch)
    with machine.open(batch=batch) as engine:
        assert is_drawn(engine.run_batch(frames(batch), [1.0] * batch), frames(batch))
        machine.driver.calls.clear()
        assert is_drawn(engine.compose_batch(frames(batch, 9), PLAIN), frames(batch, 9))
        assert machine.driver.calls == [
            "cuCtxPushCurrent",
            "cuGraphLaunch",
            "cuEventRecord",
            "cuEventSynchronize",
            "cuCtxPopCurrent",
        ]
        assert [memory.size for memory, _ in machine.driver.pinned.values()][:2] == [batch * SIZE] * 2
        with pytest.raises(ValueError, match="argument"):
            engine.compose_batch(frames(batch - 1), PLAIN)
        with pytest.raises(EngineFailed, match="takes uint8 BGR frames"):
            engine.compose_batch([*frames(batch - 1), np.zeros((8, 8, 3), np.uint8)], PLAIN)
    assert machine.asked == []
    gc.collect()
    assert machine.driver.left == {}
    assert machine.runtime.alive == 0


def test_all_frames_of_a_batch_get_the_look_and_each_its_own_person(tmp_path: Path) -> None:
    """Turned, at a strength that the network draws; what the network says of people comes out for each."""
    machine = Machine(tmp_path, own=NetworkPorts(strength=True, person=True)).build(batch=2)
    look = Look(strength=0.5, mirror=True)
    with machine.open(batch=2) as engine:
        found = engine.compose_batch(frames(2), look)
        for (styled, person), image in zip(found, frames(2), strict=True):
            assert np.array_equal(styled, (255 - image - np.uint8(10))[:, ::-1])
            assert person.shape == (HEIGHT // 2, WIDTH // 2)
            assert (person[:, WIDTH // 4 :] == 255).all()
            assert (person[:, : WIDTH // 4] == 0).all()
        with pytest.raises(EngineFailed, match="at one strength only"):
            engine.run_batch(frames(2), [1.0, 0.5])


def test_nv12_of_a_batch(tmp_path: Path) -> None:
    """Each frame's own."""
    machine = Machine(tmp_path, form="nv12").build(form="nv12", batch=2)
    with machine.open(nv12=True, batch=2) as engine:
        for (styled, _), image in zip(engine.compose_batch(frames(2), PLAIN), frames(2), strict=True):
            assert np.array_equal(styled, to_nv12(255 - image))


def test_what_is_missing_is_built_once_like_the_engine_for_one_frame(machine: Machine, tmp_path: Path) -> None:
    """At its level, into the same folder; the next start finds it."""
    machine.build(level=5)
    for _ in range(2):
        with machine.open(batch=2) as engine:
            assert is_drawn(engine.compose_batch(frames(2), PLAIN), frames(2))
    assert machine.asked == [
        [
            *("build", "style", "--network", "full", "--size", "96x64", "--flavour", "tensorrt", "--batch", "2"),
            *("--level", "5", "--engines", str(machine.store.folder)),
        ]
    ]


def test_a_single_frame_never_asks_for_a_batch_nor_takes_its_engine(tmp_path: Path) -> None:
    """Who runs one stream builds nothing, and an engine for several is none for one."""
    machine = Machine(tmp_path).build(batch=2)
    with pytest.raises(EngineMismatch, match=r"There is no TensorRT engine of style-full for 96x64 on"):
        machine.open()
    machine.build()
    machine.open().close()
    assert machine.asked == []


def test_without_an_engine_for_one_frame_no_batch_is_built(tmp_path: Path) -> None:
    """It would be the first one that anybody has seen."""
    machine = Machine(tmp_path)
    with pytest.raises(EngineMismatch, match=r"for 96x64 on"):
        machine.open(batch=2)
    assert machine.asked == []


def pooled(machine: Machine, count: int) -> tuple[Batcher, list[Engine]]:
    """So many streams that share the machine's engine, and what draws for them."""

    class Factory:
        """As the class of an engine is called."""

        takes_batches = machine.kind.takes_batches

        def __call__(self, network: Path, width: int, height: int, options: EngineOptions) -> Engine:
            engine: Engine = machine.open(batch=options.batch)
            return engine

    factory, pool = Factory(), EnginePool(lambda work: work())
    users = [pool.open(factory, machine.network, WIDTH, HEIGHT, EngineOptions()) for _ in range(count)]
    batcher: Batcher = users[0]._batcher  # type: ignore[attr-defined]
    assert all(isinstance(user, ComposingEngine) for user in users)
    return batcher, users


def want(batcher: Batcher, size: int) -> None:
    """What the batcher does when so many frames have often waited together."""
    assert batcher._wanted is not None
    batcher._wanted(batcher, size)


def test_streams_that_share_an_engine_get_one_for_several_frames(machine: Machine) -> None:
    """It is built when it is wanted, drawn with, and closed with the last of them."""
    batcher, users = pooled(machine, 2)
    assert np.array_equal(users[0].run(frame()), 255 - frame())
    assert machine.asked == []
    want(batcher, 2)
    assert len(machine.asked) == 1
    assert sorted(batcher._engines) == [1, 2]
    for user in users:
        user.close()
    gc.collect()
    assert machine.driver.left == {}


@pytest.mark.parametrize(
    ("fault", "said"), [("build", "no tactic fits"), ("mixes", "draws something else then"), ("memory", "too little")]
)
def test_a_batch_that_does_not_come_leaves_the_streams_as_they_are(
    machine: Machine, fault: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be built, mixes frames up or finds no memory: said once, and each frame is drawn alone."""
    caplog.set_level(logging.WARNING)
    machine.build_fails, machine.runtime.mixes = fault == "build", fault == "mixes"
    batcher, users = pooled(machine, 2)
    if fault == "memory":
        machine.runtime.needs = 2 << 30
    for _ in range(3):
        want(batcher, 2)
    assert [said in record.getMessage() for record in caplog.records] == [True]
    assert list(batcher._engines) == [1]
    assert np.array_equal(users[1].run(frame(3)), 255 - frame(3))
    for user in users:
        user.close()
    gc.collect()
    assert machine.driver.left == {}


def test_a_gpu_that_is_lost_in_a_batch_comes_back_for_all(machine: Machine) -> None:
    """No other engine touches the broken context; all are closed, it is reset, and streams open theirs anew."""
    batcher, users = pooled(machine, 2)
    want(batcher, 2)
    batch = batcher._engines[2]
    assert isinstance(batch, ComposingEngine)
    machine.driver.lose()
    with pytest.raises(GpuFault):
        batch.compose_batch(frames(2), PLAIN)
    for user in users:
        user.close()
    assert machine.driver.resets >= 1
    with machine.open() as again:
        assert np.array_equal(again.run(frame(1)), 255 - frame(1))


def test_engines_from_before_there_were_batches_are_still_found() -> None:
    """Their names and what is kept of them are the same as then."""
    assert KEY.digest == "6da4948035253176"
    assert "batch" not in KEY.as_data()


def test_a_batch_takes_one_size() -> None:
    """A range and a batch together are refused, with what to write."""
    request = (Path("network.onnx"), "style", "", SizeRange.parse("64x48:128x96:256x192"), FLAVOURS["rtx"])
    with pytest.raises(InvalidInput, match=r"2 frames at once takes one size. Use --size 128x96"):
        EngineRequest(*request, batch=2)


def test_a_build_in_a_process_of_its_own_makes_a_real_engine(tmp_path: Path) -> None:
    """With the command that a user would type; it checks nothing that was checked for one frame at a time."""
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: pip install '.[rtx]'")
    told = ["build", str(NETWORKS["hayao-lite"]), "--size", "64x48", "--flavour", "rtx", "--engines", str(tmp_path)]
    build_apart(told)
    build_apart([*told, "--batch", "2"])
    keys = {engine.sidecar.key.batch: engine.sidecar for engine in EngineStore(tmp_path).engines() if engine.sidecar}
    assert sorted(keys) == [1, 2]
    assert keys[2].check == keys[1].check != ()
    assert keys[2].layers[-1]["shape"] == [2, 48, 64, 3]
    with pytest.raises(BuildFailed, match=r"missing.onnx does not exist"):
        build_apart(["build", str(tmp_path / "missing.onnx")])
