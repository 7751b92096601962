"""A whole live run on an in-memory GPU: served by the CPU, then by the engine that was built meanwhile."""

from __future__ import annotations

import gc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("filelock", reason="the engine store needs filelock")

from livefilter.config import Config
from livefilter.errors import EngineMismatch, InvalidInput
from livefilter.inference.cuda.bindings import BindingsCuda
from livefilter.live.compose import compose_live
from livefilter.live.nv12_check import require_nv12
from livefilter.live.open_styler import open_styler
from livefilter.live.upgrade_wiring import StoreBuilder
from livefilter.registry import ENGINES
from livefilter.styles.catalogue import Catalogue
from livefilter.tensorrt import engine as backend
from livefilter.tensorrt.builder import EngineRequest
from livefilter.tensorrt.engine import TensorRTEngine
from livefilter.tensorrt.flavour import FLAVOURS, Flavour
from livefilter.tensorrt.key import FrameSize, SizeRange
from livefilter.tensorrt.store import EngineStore
from tests.fakes import NoKeys, until
from tests.inference.fake_cuda import FakeDriver
from tests.inference.fake_runtime import FakeRuntime
from tests.output.camera.test_virtual_camera import FakeLibrary, install
from tests.tensorrt.engines import built_plan
from tests.tensorrt.test_engine import GPU

DRIVER = FakeDriver()
CONFIG = Config(input="demo", output=("null",), network="lite", process_size=64, fps=30)


class EngineInMemory(TensorRTEngine):
    """The backend `tensorrt` of a machine with an in-memory GPU."""

    def __init__(self, network: Path, width: int, height: int, options: Any = None) -> None:
        form = "nv12" if options is not None and options.nv12 else "bgr"
        runtime = FakeRuntime(DRIVER, width, height, form=form)
        super().__init__(
            network, width, height, options, cuda=lambda gpu, package: BindingsCuda(gpu, DRIVER), module=runtime
        )

    @classmethod
    def unavailable(cls) -> str | None:
        return None


@pytest.fixture(autouse=True)
def _agreeing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The in-memory GPU draws negatives, which no other backend does; trials are tested in test_upgrade."""
    monkeypatch.setattr("livefilter.live.engine_trial.disagreement", lambda engine, other, pictures: "")


@pytest.fixture(autouse=True)
def _gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with TensorRT and a GPU, and an empty engine folder."""
    monkeypatch.setitem(ENGINES._entries, "tensorrt", f"{__name__}:EngineInMemory")
    monkeypatch.setattr(backend, "find_gpu", lambda index=0: GPU)
    monkeypatch.setattr(Flavour, "version", lambda self: "11.0")
    monkeypatch.setenv("LIVEFILTER_ENGINES", str(tmp_path / "engines"))


def put_engine(width: int, height: int, folder: Path, form: str = "bgr") -> None:
    """Build, as far as the in-memory GPU asks for it."""
    size = FrameSize(width, height)
    request = EngineRequest(
        Catalogue().get("hayao").network().path,
        "hayao-lite",
        "",
        SizeRange(size, size, size),
        FLAVOURS["tensorrt"],
        form=form,
    )
    key = request.key(GPU)
    EngineStore(folder).obtain(key, "hayao-lite", lambda: built_plan(key), lambda text: None)


@pytest.mark.parametrize("name", ["auto", "tensorrt"])
def test_a_live_run_swaps_to_the_engine_that_it_builds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """It says what serves and what is being built; after the swap the status names the engine; nothing is left."""
    asked = []

    def build(self: StoreBuilder, wanted: Any, report: Any) -> None:
        asked.append((wanted.style, wanted.width, wanted.height))
        put_engine(wanted.width, wanted.height, tmp_path / "engines")

    monkeypatch.setattr(StoreBuilder, "build", build)
    live = compose_live(CONFIG.model_copy(update={"backend": name}), NoKeys())
    assert live.facts.backend in {"openvino", "onnxruntime"}
    live.pipeline.start()
    try:
        until(lambda: live.session.tick(0.01) and live.facts.backend == "tensorrt", "the engine took over")
        assert live.facts.device.startswith("Fake RTX 0 (GPU 0, 0 MiB), float16, ")
        DRIVER.calls.clear()
        until(lambda: live.session.tick(0.01) and DRIVER.calls.count("cuGraphLaunch") > 3, "frames ran on the engine")
    finally:
        live.session.close()
        live.pipeline.stop()
        live.pipeline.join()
    assert len(asked) == 1
    gc.collect()
    assert DRIVER.left == {}


def test_with_a_tried_engine_there_the_run_starts_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else is opened."""
    put_engine(120, 64, tmp_path / "engines")
    monkeypatch.setattr("livefilter.tensorrt.engine.TensorRTEngine.verdict", lambda self: "")
    live = compose_live(CONFIG, NoKeys())
    live.pipeline.start()
    live.pipeline.stop()
    live.pipeline.join()
    assert live.facts.backend == "tensorrt"


def test_rendering_uses_an_engine_that_is_there_and_says_when_there_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With auto the next backend serves, with a warning that names the command; by name it is an error."""
    with closing(open_styler(CONFIG, Catalogue(), "hayao", 1280, 720)) as styler:
        assert styler.engine_info.backend in {"openvino", "onnxruntime"}
    assert "Build it: livefilter build hayao --network lite --size 120x64 --flavour tensorrt" in caplog.text
    with pytest.raises(EngineMismatch, match="Build it"):
        open_styler(CONFIG.model_copy(update={"backend": "tensorrt"}), Catalogue(), "hayao", 1280, 720)
    put_engine(120, 64, tmp_path / "engines")
    with closing(open_styler(CONFIG, Catalogue(), "hayao", 1280, 720)) as styler:
        assert styler.engine_info.backend == "tensorrt"


def test_nv12_goes_from_the_gpu_to_the_virtual_camera(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While the engine is built the camera gets NV12 that the CPU made; then the GPU's own, byte for byte."""
    library = FakeLibrary()
    install(monkeypatch, library)
    asked = []

    def build(self: StoreBuilder, wanted: Any, report: Any) -> None:
        asked.append(self._form)
        put_engine(wanted.width, wanted.height, tmp_path / "engines", "nv12")

    monkeypatch.setattr(StoreBuilder, "build", build)
    config = CONFIG.model_copy(update={"backend": "tensorrt", "nv12": True, "output": ("camera",), "process_size": 720})
    live = compose_live(config, NoKeys())
    live.pipeline.start()
    try:
        until(lambda: live.session.tick(0.01) and live.facts.backend == "tensorrt", "the engine took over")
        until(
            lambda: live.session.tick(0.01) and (latest := live.pipeline.shown) is not None and latest.image.ndim == 2,
            "a frame came as NV12",
        )
        library.sent.clear()
        until(lambda: live.session.tick(0.01) and len(library.sent) > 1, "it was sent")
        sent, latest = library.sent[0], live.pipeline.shown
        assert latest is not None
        assert (sent.shape, latest.width, latest.height) == ((1080, 1280), 1280, 720)
    finally:
        live.session.close()
        live.pipeline.stop()
        live.pipeline.join()
    assert asked == ["nv12"]
    assert library.opened[0]["fmt"] == "NV12"
    gc.collect()
    assert DRIVER.left == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"output": ("camera", "page")}, "NV12 goes to virtual cameras alone, and not to page. Use --output camera"),
        ({"output": ("auto",)}, "not to auto"),
        ({"output": ("camera",), "backend": "onnxruntime"}, "made by the backends .* this run uses onnxruntime"),
    ],
)
def test_nv12_is_refused_where_it_is_of_no_use(changes: dict[str, Any], said: str) -> None:
    """Before anything is styled: other outputs, or a backend that does not make it."""
    with pytest.raises(InvalidInput, match=said):
        compose_live(CONFIG.model_copy(update={"nv12": True} | changes), NoKeys())


def test_odd_frames_are_refused_for_nv12() -> None:
    """The camera decides the size."""
    config = CONFIG.model_copy(update={"output": ("camera",)})
    with pytest.raises(InvalidInput, match="Frames of 641x480 cannot be NV12"):
        require_nv12(config, "tensorrt", 641, 480)
    require_nv12(config, "tensorrt", 640, 480)
