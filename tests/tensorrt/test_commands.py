"""`livefilter build` and `livefilter engines`, as a user meets them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

pytest.importorskip("filelock")

from livefilter.cli.engines import engines
from livefilter.errors import BackendUnavailable, EngineMismatch
from livefilter.inference.cuda.bindings import BindingsCuda
from livefilter.inference.hardware import NO_GPU, Gpu
from livefilter.tensorrt import inspector as inspector_module
from livefilter.tensorrt.compatibility import why_stale
from livefilter.tensorrt.flavour import FLAVOURS, Flavour
from livefilter.tensorrt.inspector import LayerFacts, inspect_plan, parse_layers
from livefilter.tensorrt.sidecar import Sidecar
from livefilter.tensorrt.store import EngineStore, engines_folder
from tests.commands import run_command
from tests.inference.fake_cuda import FakeDriver
from tests.tensorrt.engines import KEY, built_plan

ROOT = Path(__file__).resolve().parents[2]
without_rtx = pytest.mark.skipif(importlib.util.find_spec("tensorrt_rtx") is None, reason="TensorRT-RTX not installed")


def livefilter(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    return run_command([str(word) for word in arguments], ROOT, os.environ, 280)


@pytest.mark.skipif(importlib.util.find_spec("tensorrt") is not None, reason="TensorRT is installed here")
def test_without_tensorrt_one_line_says_how_to_install_it(tmp_path: Path) -> None:
    """`build_engine.py` and `livefilter build` end with 1 and the same line, and touch nothing."""
    command = [sys.executable, "build_engine.py", "hayao", "--engines", str(tmp_path / "engines")]
    script = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=280)
    program = livefilter("build", "hayao", "--engines", tmp_path / "engines")
    assert script.returncode == program.returncode == 1
    assert script.stderr == program.stderr
    assert 'tensorrt is not installed. Install it: pip install "tensorrt>=11,<12"' in program.stderr
    assert len(program.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "engines").exists()


def test_all_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, with one command."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable) as missing:
        FLAVOURS["rtx"].require_installed()
    assert "because tensorrt-rtx, onnx, filelock are not installed. Install them: pip install " in str(missing.value)


def test_tensorrt_without_a_gpu_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The full flavour needs the GPU that will run the engine; the RTX flavour builds without."""
    monkeypatch.setattr("livefilter.tensorrt.flavour.find_gpu", lambda index=0: "this machine has no NVIDIA driver")
    with pytest.raises(BackendUnavailable, match=r"but this machine has no NVIDIA driver.*--flavour rtx"):
        FLAVOURS["tensorrt"].find_gpu()
    assert FLAVOURS["rtx"].find_gpu() == NO_GPU


@pytest.mark.parametrize(
    ("flavour", "capability", "advice"),
    [
        *(("rtx", capability, None) for capability in ("7.5", "8.0", "8.6", "8.9", "12.0", "12.1", "13.0")),
        *(("rtx", capability, "--flavour tensorrt") for capability in ("8.7", "9.0", "10.0")),
        *(("rtx", capability, "--backend onnxruntime-cuda") for capability in ("6.1", "7.0")),
        *(("tensorrt", capability, None) for capability in ("7.5", "8.7", "9.0", "12.0")),
        ("tensorrt", "7.0", "--backend onnxruntime-cuda"),
    ],
)
def test_a_gpu_that_cannot_run_an_engine_gets_none(
    monkeypatch: pytest.MonkeyPatch, flavour: str, capability: str, advice: str | None
) -> None:
    """A build says so before it begins, and what serves this GPU instead: TensorRT-RTX leaves out 9.0 and 10.0."""
    gpu = Gpu("Test GPU", capability, "580.1")
    monkeypatch.setattr("livefilter.tensorrt.flavour.find_gpu", lambda index=0: gpu)
    if advice is None:
        assert FLAVOURS[flavour].find_gpu() == gpu
    else:
        with pytest.raises(BackendUnavailable, match=rf"Test GPU has {capability}\. Use {advice}\."):
            FLAVOURS[flavour].find_gpu()


def test_another_tensorrt_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorRT 10, which ONNX Runtime's provider brings along, builds and runs nothing: it has other rules."""
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "10.14.1")
    monkeypatch.setattr(Flavour, "require_installed", lambda self: None)
    with pytest.raises(BackendUnavailable, match=r'TensorRT 10\.14\.1 is installed, not 11.*"tensorrt>=11,<12"'):
        FLAVOURS["tensorrt"].load()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "11.4.0.106")
    assert FLAVOURS["tensorrt"].misfit() is None
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.7.1.116")
    assert FLAVOURS["rtx"].misfit() is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "Unknown style 'nosuch'"),
        (["missing.onnx"], "missing.onnx does not exist"),
        (["model.safetensors"], "model.safetensors does not exist"),
        (["hayao", "--size", "645x360"], "Use 648x360"),
        (["hayao", "--size", "big"], "'big' is no frame size"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments: list[str], message: str) -> None:
    """Exit code 1 and one line with the fix, before TensorRT is asked for."""
    done = livefilter("build", *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@without_rtx
def test_build_list_inspect_and_prune(tmp_path: Path) -> None:
    """An engine is built, listed, shown with its layers, damaged, and then removed."""
    built = livefilter(
        "build", "hayao", "--network", "lite", "--size", "64x64", "--flavour", "rtx", "--engines", tmp_path
    )
    assert built.returncode == 0, built.stderr
    assert built.stdout.startswith("hayao-lite 64x64 rtx fp16: built in ")
    (listed,) = json.loads(livefilter("engines", "list", "--json", "--engines", tmp_path).stdout)
    assert (listed["style"], listed["size"], listed["precision"]) == ("hayao-lite", "64x64", "fp16")
    shown = livefilter("engines", "inspect", "hayao", "--engines", tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "convolution" in shown.stdout
    assert listed["plan_sha256"] in shown.stdout
    Path(listed["file"]).write_bytes(b"something else")
    assert "is not loaded, because" in livefilter("engines", "inspect", "hayao", "--engines", tmp_path).stderr
    assert "Would remove" in livefilter("engines", "prune", "--dry-run", "--engines", tmp_path).stdout
    assert Path(listed["file"]).exists()
    assert "Removed" in livefilter("engines", "prune", "--engines", tmp_path).stdout
    assert EngineStore(tmp_path).engines() == []


def test_an_engine_is_stale_when_its_world_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another network, TensorRT, GPU or driver makes an engine useless, and the reason is told."""
    sidecar = built_plan().sidecar
    monkeypatch.setattr("livefilter.tensorrt.compatibility.find_gpu", lambda index=0: "there is no driver")
    monkeypatch.setattr("livefilter.tensorrt.compatibility.importlib.util.find_spec", lambda name: None)
    assert why_stale(sidecar, {"test": KEY.onnx_sha256}) is None
    assert why_stale(sidecar, {"test": "00"}) == "the network of test has changed"
    gpu = Gpu("RTX 4070", "8.9", "580.1")
    monkeypatch.setattr("livefilter.tensorrt.compatibility.find_gpu", lambda index=0: gpu if index == 0 else "no more")
    assert "this machine has RTX 4070" in str(why_stale(sidecar, {}))


def test_the_folder_is_chosen_by_option_then_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """--engines beats LIVEFILTER_ENGINES, which beats the checkout's own folder."""
    monkeypatch.setenv("LIVEFILTER_ENGINES", "from-environment")
    assert engines_folder(Path("named")) == Path("named")
    assert engines_folder() == Path("from-environment")
    monkeypatch.delenv("LIVEFILTER_ENGINES")
    assert engines_folder() == ROOT / "engines"


def test_a_sidecar_survives_the_disk() -> None:
    """What is written is read again, and a wrong entry is refused by name."""
    sidecar = built_plan().sidecar
    assert Sidecar.from_json(sidecar.to_json()) == sidecar
    with pytest.raises(EngineMismatch, match="level"):
        Sidecar.from_json(sidecar.to_json().replace(b'"level": 3', b'"level": "3"'))
    with pytest.raises(EngineMismatch, match="no licence"):
        Sidecar.from_json(sidecar.to_json().replace(b'"licence"', b'"license"'))


def test_the_inspectors_json_is_read() -> None:
    """Layers with details, and layers that are only names, both become facts."""
    tensor = {"Name": "x", "Dimensions": [1, 3, 8, 8], "Format/Datatype": "Half NHWC8"}
    details = {"Name": "conv", "LayerType": "CaskConvolution", "Inputs": [tensor], "Outputs": [tensor]}
    first, second = parse_layers(json.dumps({"Layers": [details, "only a name"]}))
    assert (first.kind, first.outputs) == ("CaskConvolution", ("Half NHWC8 1x3x8x8",))
    assert second.name == "only a name"


def test_layers_are_read_on_the_gpu_that_is_named() -> None:
    """The plan is loaded while that GPU is the current one, which is given back; what refuses it is named, too."""
    driver, loaded_in = FakeDriver(gpus=2), []
    text = json.dumps({"Layers": ["only a name"]})
    inspector = SimpleNamespace(get_engine_information=lambda form: text)
    engines = {b"plan": SimpleNamespace(create_engine_inspector=lambda: inspector)}

    def load(plan: bytes) -> Any:
        loaded_in.append(driver._stack()[-1])
        return engines.get(plan)

    module = SimpleNamespace(
        __name__="fake_tensorrt",
        ILogger=type("ILogger", (), {"Severity": int}),
        Runtime=lambda logger: SimpleNamespace(deserialize_cuda_engine=load),
        LayerInformationFormat=SimpleNamespace(JSON="JSON"),
    )
    flavour: Any = SimpleNamespace(title="TensorRT", load=lambda: module)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inspector_module, "find_gpu", lambda number: Gpu("Fake RTX", "8.9", "580.1"))
        asked, (layer,) = inspect_plan(flavour, b"plan", 1, lambda gpu: BindingsCuda(gpu, driver))
        assert (asked, layer.name) == ("Fake RTX (GPU 1)", "only a name")
        with pytest.raises(EngineMismatch, match=r"TensorRT on Fake RTX \(GPU 1\) does not load this plan.*--gpu"):
            inspect_plan(flavour, b"another", 1, lambda gpu: BindingsCuda(gpu, driver))
    assert loaded_in == [501, 501]
    assert driver.left == {}


@pytest.mark.parametrize(("arguments", "number"), [([], 2), (["--gpu", "1"], 1)])
def test_inspect_asks_the_configured_gpu_and_says_which(
    arguments: list[str], number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the settings, or of --gpu; scripts read it, too."""
    (tmp_path / "settings.toml").write_text("gpu = 2\n", encoding="utf-8")
    EngineStore(tmp_path / "engines").obtain(KEY, "test", built_plan, lambda _: None)

    def inspected(flavour: Flavour, plan: bytes, gpu: int, cuda: Any) -> tuple[str, list[LayerFacts]]:
        return f"Fake RTX (GPU {gpu})", [LayerFacts("conv", "convolution", (), ("Half 8x8",))]

    monkeypatch.setattr("livefilter.cli.engines.inspect_plan", inspected)
    words = [
        "inspect",
        "test",
        "--engines",
        str(tmp_path / "engines"),
        "--config",
        str(tmp_path / "settings.toml"),
        *arguments,
    ]
    shown = CliRunner().invoke(engines, words, catch_exceptions=False)
    assert f"Layers on Fake RTX (GPU {number}):" in shown.output
    told = json.loads(CliRunner().invoke(engines, [*words, "--json"], catch_exceptions=False).output)
    assert told["layers_on"] == f"Fake RTX (GPU {number})"
