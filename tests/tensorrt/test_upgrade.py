"""A live run is served at once, and swaps to the engine when it is built."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import BackendUnavailable, BuildCancelled, BuildFailed, EngineMismatch
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.inference.styler import Styler
from livefilter.inference.torch_cuda import TorchCudaEngine
from livefilter.live.engine_trial import beside, disagreement
from livefilter.live.engine_upgrade import EngineUpgrade, Wanted
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network import Network
from livefilter.tensorrt.check_pictures import check_pictures
from tests.conftest import frame
from tests.fakes import until

SIZE = (64, 64)


class Flat(Engine):
    """An engine whose every picture is of one grey."""

    def __init__(self, name: str, value: int, width: int, height: int) -> None:
        self.info = EngineInfo(name, "test", "float32", width, height)
        self._picture: Image = np.full((height, width, 3), value, np.uint8)

    def run(self, image: Image, strength: float = 1.0) -> Image:
        return self._picture

    def close(self) -> None:
        pass


class Tried(Flat):
    """A built engine; the verdict of its trial is the last of `verdicts`, as a sidecar would keep it."""

    def __init__(self, value: int, width: int, height: int, verdicts: list[str]) -> None:
        super().__init__("tensorrt", value, width, height)
        self._verdicts = verdicts

    def verdict(self) -> str | None:
        return self._verdicts[-1] if self._verdicts else None

    def keep_verdict(self, verdict: str) -> None:
        self._verdicts.append(verdict)


def network_of(style: str) -> Network:
    """Where a style's network would be."""
    return Network(style, "full", Path(style) / "full.onnx", "0" * 64)


class Run:
    """A live run: the ready backend draws 40, the engine, once it was built, 240."""

    def __init__(
        self,
        only: bool = False,
        trouble: Exception | None = None,
        fails: Exception | None = None,
        verdicts: list[str] | None = None,
        draws: int = 240,
    ) -> None:
        self.built: set[Wanted] = set()
        self.asked: list[Wanted] = []
        self.gate = threading.Event()
        self.cancelled = threading.Event()
        self.notices: list[str] = []
        self.trouble, self.fails = trouble, fails
        self.verdicts, self.draws = verdicts, draws
        self.settings = SharedSettings(LiveSettings("first"))
        self.upgrade = EngineUpgrade(
            network_of,
            network_of,
            self.engine,
            self.open_ready,
            lambda network, width, height, options: Flat("ready", 40, width, height),
            self,
            SIZE,
            "auto",
            EngineOptions(),
            self.notices.append,
            only=only,
        )
        self.stylist = LiveStylist(
            self.upgrade.open,
            self.upgrade.open("first"),
            self.settings,
            Metrics(),
            fade_s=0,
            on_close=self.upgrade.close,
        )
        self.upgrade.start(self.stylist.reload)

    def engine(self, network: Path, width: int, height: int, options: EngineOptions) -> Engine:
        """The backend that needs built engines."""
        if self.trouble is not None:
            raise self.trouble
        if Wanted(network.parent.name, width, height) not in self.built:
            raise EngineMismatch(f"There is no engine of {network.parent.name} for {width}x{height}.")
        if self.verdicts is not None:
            return Tried(self.draws, width, height, self.verdicts)
        return Flat("tensorrt", 240, width, height)

    def open_ready(self, style: str) -> Styler:
        """A styler on the best ready backend."""
        styler = Styler(Path(style), lambda network, width, height, options: Flat("ready", 40, width, height), "auto")
        styler.warm_up(*SIZE)
        return styler

    def build(self, wanted: Wanted, report: Callable[[float], None]) -> None:
        """The builder: reports, waits for the gate, and then the engine is there."""
        self.asked.append(wanted)
        for percent in range(100):
            report(percent / 100)
        until(lambda: self.gate.is_set() or self.cancelled.is_set(), "the gate opened")
        if self.cancelled.is_set():
            raise BuildCancelled("The build was cancelled.")
        if self.fails is not None:
            raise self.fails
        self.built.add(wanted)

    def cancel(self) -> None:
        self.cancelled.set()

    def grey(self, width: int = SIZE[0], height: int = SIZE[1]) -> int:
        """What a frame looks like now."""
        return int(self.stylist(frame(width, height)).image[0, 0, 0])


def test_frames_are_served_while_the_engine_is_built_and_then_by_the_engine() -> None:
    """No frame waits; progress is told in steps; the swap comes at a frame boundary."""
    run = Run()
    assert [run.grey() for _ in range(5)] == [40] * 5
    until(lambda: any("95%" in notice for notice in run.notices), "the progress was told")
    assert 15 <= len(run.notices) <= 25
    assert run.notices[0].startswith("Styling with ready meanwhile: the TensorRT engine of first for 64x64")
    run.gate.set()
    until(lambda: run.grey() == 240, "the engine took over")
    assert run.asked == [Wanted("first", 64, 64)]
    assert run.stylist.style == "first"
    run.stylist.close()


def test_an_engine_that_is_there_is_used_at_once() -> None:
    """Each style is built once; coming back to it needs no build."""
    run = Run()
    run.gate.set()
    until(lambda: run.grey() == 240, "the engine took over")
    run.settings.change(style="second")
    until(lambda: run.grey() == 240 and run.stylist.style == "second", "the second engine took over")
    run.settings.change(style="first")
    until(lambda: run.grey() > 0 and run.stylist.style == "first", "back to the first")
    assert run.grey() == 240
    assert [wanted.style for wanted in run.asked] == ["first", "second"]
    run.stylist.close()


def test_a_build_that_fails_leaves_the_ready_backend() -> None:
    """The reason is told and frames keep coming."""
    run = Run(fails=BuildFailed("The disk is full."))
    run.gate.set()
    until(lambda: any("The disk is full" in notice for notice in run.notices), "the failure was told")
    assert run.notices[-1].startswith("Staying without the TensorRT engine of first for 64x64")
    assert run.grey() == 40
    run.stylist.close()


def test_the_end_of_the_run_cancels_the_build() -> None:
    """Closing does not wait for the build to finish."""
    run = Run()
    until(lambda: bool(run.asked), "the build began")
    run.stylist.close()
    assert run.cancelled.is_set()
    assert not any(thread.name == "engine-upgrade" for thread in threading.enumerate())


def test_frames_of_another_size_are_served_and_get_an_engine_of_their_own() -> None:
    """A camera that changes its size neither ends the run nor stays on the slower backend."""
    run = Run()
    run.gate.set()
    until(lambda: run.grey() == 240, "the engine took over")
    assert run.grey(128, 64) == 40
    until(lambda: run.grey(128, 64) == 240, "the engine of the new size took over")
    assert run.asked[-1] == Wanted("first", 128, 64)
    run.stylist.close()


def test_a_gpu_that_cannot_is_told_and_named_backends_are_not_replaced() -> None:
    """With auto the ready backend serves and the reason is a notice; a backend by name is an error."""
    trouble = BackendUnavailable("The GPU has too little memory.")
    run = Run(trouble=trouble)
    assert run.grey() == 40
    assert run.notices == ["The GPU has too little memory."]
    assert run.asked == []
    run.stylist.close()
    with pytest.raises(BackendUnavailable, match="too little memory"):
        Run(only=True, trouble=trouble)


def test_an_engine_that_is_built_but_refused_is_not_built_for_ever() -> None:
    """TensorRT-RTX on a GPU that it does not support: one build, then the reason, and the ready backend stays."""
    run = Run(trouble=EngineMismatch("This GPU is not supported."))
    run.gate.set()
    until(lambda: any("This GPU is not supported." in notice for notice in run.notices), "the reason was told")
    assert run.grey() == 40
    assert len(run.asked) == 1
    run.stylist.close()


def test_an_engine_that_draws_the_same_goes_live_after_its_trial() -> None:
    """It is run once beside the backend that draws, the verdict is kept, and it is not tried again."""
    verdicts: list[str] = []
    run = Run(verdicts=verdicts, draws=42)
    run.gate.set()
    until(lambda: run.grey() == 42, "the engine took over")
    assert verdicts == [""]
    run.settings.change(style="second")
    until(lambda: run.grey() == 42 and run.stylist.style == "second", "the second engine took over")
    assert verdicts == [""]
    run.stylist.close()


def test_an_engine_that_draws_something_else_never_goes_live() -> None:
    """The backend that draws stays, the reason is told once, and the verdict is kept for the next run."""
    verdicts: list[str] = []
    run = Run(verdicts=verdicts, draws=240)
    run.gate.set()
    until(lambda: run.grey() == 40 and any("draws something else" in notice for notice in run.notices), "the reason")
    assert len(verdicts) == 1
    assert "200 grey levels" in verdicts[0]
    run.stylist.reload("first")
    until(lambda: run.grey() == 40 and not any(thread.name == "style-loader" for thread in threading.enumerate()), "it")
    assert sum("draws something else" in notice for notice in run.notices) == 1
    run.stylist.close()
    later = Run(verdicts=verdicts, draws=240)
    later.gate.set()
    until(
        lambda: later.grey() == 40 and any("draws something else" in notice for notice in later.notices),
        "the reason, in the next run",
    )
    assert len(verdicts) == 1
    later.stylist.close()


def test_coming_back_to_a_style_whose_engine_is_being_built_says_so() -> None:
    """Style A, B, A: nobody is told to build what is being built."""
    run = Run()
    until(lambda: bool(run.asked), "the build began")
    run.settings.change(style="second")
    until(lambda: run.grey() == 40 and run.stylist.style == "second", "the second style")
    run.settings.change(style="first")
    until(lambda: run.grey() == 40 and run.stylist.style == "first", "the first style again")
    told = [notice for notice in run.notices if "64x64" in notice and "Building" not in notice]
    assert told[-1] == "Styling with ready: the TensorRT engine of first for 64x64 is still being built"
    assert not any("There is no engine" in notice for notice in run.notices)
    run.stylist.close()


def test_a_network_with_crisp_edges_is_built_to_draw_smaller(tmp_path: Path) -> None:
    """With "auto", of the frame's whole size; a size that somebody names is drawn as it is."""
    crisp = Catalogue(user=tmp_path).get("hayao").network("lite")
    for asked, wanted in (("auto", Wanted("first", 1920, 1080, 3)), (720, Wanted("first", 1280, 720))):
        opened: list[Wanted] = []

        def engine(network: Path, width: int, height: int, options: EngineOptions, opened: Any = opened) -> Engine:
            opened.append(Wanted("first", width, height, options.smaller))
            return Flat("tensorrt", 240, width, height)

        upgrade = EngineUpgrade(
            lambda style: crisp,
            lambda style: crisp,
            engine,
            pytest.fail,
            engine,
            None,  # type: ignore[arg-type]
            (1920, 1080),
            asked,  # type: ignore[arg-type]
            EngineOptions(),
            pytest.fail,
        )
        upgrade.open("first").close()
        assert opened == [wanted]


@pytest.mark.parametrize("times", [1, 2])
def test_a_backend_beside_an_engine_draws_as_small_as_that(tmp_path: Path, times: int) -> None:
    """Else the trial would find that they draw something else."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    path = Catalogue(user=tmp_path).get("hayao").network("lite").path
    options = EngineOptions(smaller=times)
    with (
        TorchCudaEngine(path, 320, 192, options, device="cpu") as engine,
        beside(OnnxRuntimeCpu, path, 320, 192, options) as other,
        beside(OnnxRuntimeCpu, path, 320, 192, EngineOptions(smaller=3 - times)) as wrong,
    ):
        pictures = check_pictures(320, 192)
        assert not disagreement(engine, other, pictures)
        assert disagreement(engine, wrong, pictures)
