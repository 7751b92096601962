"""What only an NVIDIA GPU can show: the GPU backends keep the others' promises, with the bundled styles."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("filelock", reason="the engine store needs filelock")

from livefilter.bench.gpu_measure import difference
from livefilter.errors import EngineFailed
from livefilter.inference.base import Engine, EngineOptions
from livefilter.inference.batcher import Batcher
from livefilter.inference.cuda import open_cuda
from livefilter.inference.engine_pool import EnginePool
from livefilter.inference.look import PLAIN, ComposingEngine, Look
from livefilter.inference.selection import BUILT_AHEAD, why_unavailable
from livefilter.nv12 import nv12_to_bgr
from livefilter.registry import ENGINES
from livefilter.tensorrt.builder import EngineBuilder, EngineRequest
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.store import EngineStore
from tests.conftest import picture
from tests.styles.bundled import NETWORKS

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(600)]

WIDTH, HEIGHT = 256, 128
_PATIENCE_S = 400.0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EngineStore:
    """An engine store for this module."""
    return EngineStore(tmp_path_factory.mktemp("engines"))


@pytest.fixture(params=[*BUILT_AHEAD, "torch"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each GPU backend that this machine has."""
    name = str(request.param)
    if reason := why_unavailable(name):
        pytest.skip(reason)
    return name


def open_engine(
    backend: str, style: str, store: EngineStore, size: str = f"{WIDTH}x{HEIGHT}", **options: Any
) -> Engine:
    """Build, where that is needed, and open. size: what is built, which may be a range of sizes."""
    kind, network = ENGINES.load(backend), NETWORKS[style]
    more = {}
    if backend in BUILT_AHEAD:
        request = EngineRequest(network, style, "", SizeRange.parse(size), kind.flavour)
        request = replace(request, form="nv12" if options.get("nv12") else "bgr")
        EngineBuilder(store, lambda text: None).obtain(request)
        more = {"store": store}
    engine: Engine = kind(network, WIDTH, HEIGHT, EngineOptions(**options), **more)
    return engine


@pytest.mark.parametrize("style", NETWORKS)
def test_the_picture_is_that_of_the_cpu(backend: str, style: str, store: EngineStore) -> None:
    """All but one in a thousand values are within 3 grey levels of ONNX Runtime's on the CPU."""
    with ENGINES.load("onnxruntime")(NETWORKS[style], WIDTH, HEIGHT) as reference:
        expected = reference.run(picture(WIDTH, HEIGHT)).copy()
    with open_engine(backend, style, store) as engine:
        assert engine.info.precision == "float16"
        assert difference(expected, engine.run(picture(WIDTH, HEIGHT))).levels_999 <= 3


@pytest.mark.parametrize("cuda", ["bindings", "pycuda"])
def test_both_ways_to_cuda_run_tensorrt(cuda: str, store: EngineStore) -> None:
    """The same engine gives the same picture through either package."""
    backend = next((name for name in BUILT_AHEAD if why_unavailable(name) is None), None)
    if backend is None:
        pytest.skip(str(why_unavailable(BUILT_AHEAD[0])))
    if cuda == "pycuda":
        pytest.importorskip("pycuda.driver")
    with (
        open_engine(backend, "hayao-lite", store) as first,
        open_engine(backend, "hayao-lite", store, cuda=cuda) as second,
    ):
        assert np.array_equal(first.run(picture(WIDTH, HEIGHT)), second.run(picture(WIDTH, HEIGHT)))


def test_a_result_depends_on_its_frame_alone_and_stays_valid(backend: str, store: EngineStore) -> None:
    """The same frame gives the same picture after another one; writing into the frame changes nothing."""
    with open_engine(backend, "hayao-lite", store) as engine:
        image = picture(WIDTH, HEIGHT, 1)
        first = engine.run(image).copy()
        other = engine.run(picture(WIDTH, HEIGHT, 2)).copy()
        again = engine.run(image)
        image[:] = 0
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
    with pytest.raises(EngineFailed, match="is closed"):
        engine.run(image)


def test_opening_and_closing_gives_the_memory_back(backend: str, store: EngineStore) -> None:
    """After the first time, twenty more leave as much GPU memory free as before."""
    open_engine(backend, "hayao-lite", store).close()
    cuda = open_cuda()
    try:
        with cuda.current():
            before = cuda.memory().free
        for _ in range(20):
            with open_engine(backend, "hayao-lite", store) as engine:
                engine.run(picture(WIDTH, HEIGHT))
        with cuda.current():
            assert cuda.memory().free >= before - (16 << 20)
    finally:
        cuda.close()


def test_the_gpu_finishes_frames_as_the_cpu_does(backend: str, store: EngineStore) -> None:
    """Half blended, split and mirrored: within 2 grey levels of the same done to the engine's own picture."""
    image, half = picture(WIDTH, HEIGHT), WIDTH // 2
    with open_engine(backend, next(iter(NETWORKS)), store) as engine:
        assert isinstance(engine, ComposingEngine)
        expected = (image.astype(int) + engine.run(image)) // 2
        expected[:, :half] = image[:, :half]
        expected[:, half - 1 : half + 1] = 255
        found = engine.compose(image, Look(strength=0.5, compare=True, mirror=True))
        assert np.abs(found[:, ::-1] - expected).max() <= 2


def test_nv12_shows_the_same_picture(backend: str, store: EngineStore) -> None:
    """But for what half the colour resolution costs."""
    image, style = picture(WIDTH, HEIGHT), next(iter(NETWORKS))
    with open_engine(backend, style, store) as engine:
        expected = engine.run(image).astype(int)
    with open_engine(backend, style, store, nv12=True) as engine:
        assert np.abs(nv12_to_bgr(engine.run(image)) - expected).mean() < 4


@pytest.mark.parametrize("backend", BUILT_AHEAD)
def test_an_engine_for_a_range_of_sizes_gives_the_same_picture(
    backend: str, store: EngineStore, tmp_path: Path
) -> None:
    """Within 3 grey levels for all but one in a thousand values."""
    if reason := why_unavailable(backend):
        pytest.skip(reason)
    image, style = picture(WIDTH, HEIGHT), next(iter(NETWORKS))
    with open_engine(backend, style, store) as engine:
        expected = engine.run(image).copy()
    with open_engine(backend, style, EngineStore(tmp_path), "128x64:320x192:640x384") as engine:
        assert difference(expected, engine.run(image)).levels_999 <= 3


@pytest.mark.parametrize("nv12", [False, True])
@pytest.mark.parametrize("batch", [2, 4, 8])
def test_frames_of_a_batch_come_out_as_alone(backend: str, batch: int, nv12: bool, store: EngineStore) -> None:
    """Within 3 grey levels for all but one in a thousand values, each in its place, plain and turned."""
    style = next(iter(NETWORKS))
    images = [picture(WIDTH, HEIGHT, number) for number in range(batch)]
    for look in (PLAIN, Look(strength=0.5, mirror=True)):
        with open_engine(backend, style, store, nv12=nv12) as engine:
            assert isinstance(engine, ComposingEngine)
            expected = [engine.compose(image, look).copy() for image in images]
        with open_engine(backend, style, store, nv12=nv12, batch=batch) as engine:
            assert isinstance(engine, ComposingEngine)
            for alone, (styled, _) in zip(expected, engine.compose_batch(images, look), strict=True):
                assert difference(alone, styled).levels_999 <= 3
        assert difference(expected[0], expected[1]).levels_999 > 10


def test_streams_that_share_an_engine_are_drawn_together(
    backend: str, store: EngineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Engines for two and four frames are opened beside four streams, which go on with their own pictures meanwhile."""
    style = next(iter(NETWORKS))
    monkeypatch.setenv("LIVEFILTER_ENGINES", str(store.folder))
    images = [picture(WIDTH, HEIGHT, number) for number in range(4)]
    with open_engine(backend, style, store) as engine:
        expected = [engine.run(image).copy() for image in images]
    pool, found = EnginePool(), threading.Event()
    wrong: list[int] = []
    users = [pool.open(ENGINES.load(backend), NETWORKS[style], WIDTH, HEIGHT, EngineOptions()) for _ in images]
    batcher: Batcher = users[0]._batcher  # type: ignore[attr-defined]

    def stream(number: int) -> None:
        ends = time.monotonic() + _PATIENCE_S
        while time.monotonic() < ends and not found.is_set() and not wrong:
            if difference(expected[number], users[number].run(images[number])).levels_999 > 3:
                wrong.append(number)
            if {1, 2, 4} <= batcher._choice._spent_s.keys():
                found.set()

    threads = [threading.Thread(target=stream, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE_S + 60.0)
    for user in users:
        user.close()
    assert wrong == []
    assert found.is_set()
