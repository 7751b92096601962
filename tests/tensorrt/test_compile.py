"""Compiling a graph: progress, cancelling and errors, on a TensorRT of our own."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace

import pytest

from livefilter.errors import BuildCancelled, BuildFailed
from livefilter.inference.cuda.bindings import BindingsCuda
from livefilter.tensorrt import compile as compile_module
from livefilter.tensorrt.compile import PlanRequest, build_plan
from livefilter.tensorrt.key import SizeRange
from livefilter.tensorrt.progress import BuildProgress
from tests.inference.fake_cuda import FakeDriver
from tests.tensorrt.fake_tensorrt import STEPS, FakeTensorRT

REQUEST = PlanRequest(b"onnx", SizeRange.parse("64x48"), level=2)


def build(module: FakeTensorRT, request: PlanRequest = REQUEST, cancel: threading.Event | None = None) -> list[float]:
    """Build and return the fractions that were reported."""
    fractions: list[float] = []
    result = build_plan(module, request, lambda fraction, _: fractions.append(fraction), cancel or threading.Event())
    assert result.plan == b"plan"
    return fractions


def test_a_build_reports_its_progress_to_the_end() -> None:
    """The fraction rises from 0 to 1 and never falls."""
    module = FakeTensorRT()
    fractions = build(module)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > STEPS / 2
    assert (module.config.builder_optimization_level, module.config.max_aux_streams) == (2, 0)


def test_a_build_stops_when_cancelled() -> None:
    """After `cancel` no further step is done, and the build ends with BuildCancelled."""
    cancel = threading.Event()
    module = FakeTensorRT(before_step=lambda step: cancel.set() if step == 3 else None)
    with pytest.raises(BuildCancelled, match="nothing of it was kept"):
        build(module, cancel=cancel)
    assert module.steps == 3


def test_ctrl_c_stops_the_build_before_it_goes_on() -> None:
    """KeyboardInterrupt reaches the caller only when TensorRT has stopped."""
    pressed = threading.Event()

    def press(step: int) -> None:
        if step == 3:
            signal.raise_signal(signal.SIGINT)
            pressed.set()
        if step > 3:
            cancel.wait(30)

    cancel = threading.Event()
    module = FakeTensorRT(before_step=press)
    with pytest.raises(KeyboardInterrupt):
        build(module, cancel=cancel)
    assert pressed.is_set()
    assert cancel.is_set()
    assert module.steps < STEPS
    assert not [thread for thread in threading.enumerate() if thread.is_alive() and thread.name == "engine-build"]


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("gpu", [0, 1])
def test_an_engine_is_built_on_the_gpu_that_it_is_for(gpu: int, fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorRT takes the one of the thread; where that is the first one CUDA is left alone, and nothing stays open."""
    driver = FakeDriver(gpus=2)
    monkeypatch.setattr(compile_module, "open_cuda", lambda number: BindingsCuda(number, driver))
    current: list[list[int]] = []
    module = FakeTensorRT(before_step=lambda step: current.append(list(driver._stack())), fails=fails)
    request = replace(REQUEST, gpu=gpu)
    if fails:
        with pytest.raises(BuildFailed, match="no tactic fits"):
            build(module, request)
    else:
        build(module, request)
    assert current == [[501] if gpu else []] * STEPS
    assert (driver.left, bool(driver.calls)) == ({}, gpu == 1)


def test_a_range_of_sizes_gets_a_profile() -> None:
    """Smallest, best and largest frames are given to TensorRT as (1, H, W, 3), and a look of their width."""
    module = FakeTensorRT()
    build(module, PlanRequest(b"onnx", SizeRange.parse("64x48:128x96:256x192"), level=3))
    (profile,) = module.config.profiles
    assert profile.shapes == [
        ("frame", (1, 48, 64, 3), (1, 96, 128, 3), (1, 192, 256, 3)),
        ("look", (4, 64, 1), (4, 128, 1), (4, 256, 1)),
    ]


def test_a_fixed_size_needs_no_profile() -> None:
    """One size is in the graph itself."""
    module = FakeTensorRT()
    build(module)
    assert module.config.profiles == []


def test_a_timing_cache_comes_back() -> None:
    """It is returned only where one was given."""
    request = PlanRequest(b"onnx", SizeRange.parse("64x48"), 3, timing=b"")
    report = threading.Event()
    assert build_plan(FakeTensorRT(), request, lambda *_: report.set(), threading.Event()).timing == b"timings"
    assert build_plan(FakeTensorRT(), REQUEST, lambda *_: report.set(), threading.Event()).timing is None


def test_the_reason_is_tensorrts_own() -> None:
    """A graph that it cannot read, and one that it cannot build, each give one line with its words."""
    with pytest.raises(BuildFailed, match="cannot read the network: no importer for operator Magic"):
        build(FakeTensorRT(), PlanRequest(b"other", SizeRange.parse("64x48"), 3))
    with pytest.raises(BuildFailed, match=r"cannot build 64x48: no tactic fits\. Try a smaller"):
        build(FakeTensorRT(fails=True))


def test_nested_phases_make_one_fraction() -> None:
    """A phase counts for one step of its parent, names may come again, and some phases never finish."""
    seen: list[float] = []
    progress = BuildProgress(lambda fraction, _: seen.append(round(fraction, 3)))
    progress.start("all", None, 4)
    progress.start("part", "all", 2)
    progress.step("part", 0)
    assert seen[-1] == 0.125
    progress.finish("part")
    progress.step("all", 0)
    assert seen[-1] == 0.25
    progress.start("part", "all", 2)
    progress.start("unfinished", "part", 2)
    progress.step("unfinished", 0)
    assert seen[-1] == 0.312
    for step in range(1, 4):
        progress.step("all", step)
    assert seen[-1] == 0.99
    progress.finish("all")
    assert seen[-1] == 1
    assert seen == sorted(seen)
