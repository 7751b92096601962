"""The GPU command as far as a machine without a GPU can prove it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("filelock", reason="the engine store needs filelock")

from livefilter.bench import gpu, gpu_fault
from livefilter.bench.gpu import GpuBench
from livefilter.bench.gpu_command import keep
from livefilter.bench.gpu_measure import difference, frame_times, network_work, summary
from livefilter.errors import BackendUnavailable, UnknownName
from livefilter.frame import Image
from livefilter.inference.cuda import Memory
from livefilter.inference.hardware import Gpu
from livefilter.styles.catalogue import Catalogue

HAYAO, PAPRIKA = (Catalogue(user=Path("no-such-folder")).get(name).network().path for name in ("hayao", "paprika"))


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a GPU on which only ONNX Runtime's CPU backend is looked at."""
    monkeypatch.setattr(gpu, "find_gpu", lambda index: Gpu("Test Card", "8.9", "580.1"))
    monkeypatch.setattr(gpu, "BACKENDS", ("onnxruntime", "openvino"))
    monkeypatch.setattr(gpu, "why_unavailable", lambda name: None if name == "onnxruntime" else f"{name} is away")
    monkeypatch.setattr(gpu, "SIZES", ((64, 64),))
    monkeypatch.setattr(gpu, "CHECKED", (64, 64))
    monkeypatch.setattr(gpu, "LEAK_FRAMES", 3)
    monkeypatch.setattr(gpu, "measured_rates", lambda number: (100.0, 1000.0))
    monkeypatch.setattr(GpuBench, "_memory", lambda self: Memory(1 << 30, 1 << 30))


@pytest.mark.usefixtures("pretended")
def test_everything_is_checked_measured_and_written_down(tmp_path: Path) -> None:
    """Correctness, leaks, rates, times with floors; what is not there is listed with its reason."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    said: list[str] = []
    report = GpuBench({"hayao": HAYAO}, 0, 3600, said.append).run(tmp_path)
    checks = {check["what"]: check for check in report["checks"]}
    assert checks["onnxruntime against the CPU"]["levels_max"] == 0
    assert checks["openvino against the CPU"] == {"what": "openvino against the CPU", "unavailable": "openvino is away"}
    assert not checks["onnxruntime: 3 frames"]["gpu_bytes"]
    (times,) = report["times"]
    assert times["what"] == "hayao 64x64 onnxruntime"
    assert times["frame_ms"]["p50_ms"] <= times["frame_ms"]["p99_ms"]
    assert times["over_floor"] > 1
    assert report["gpu"]["name"] == "Test Card"
    assert report["not_done"] == []
    assert len(said) == 1 + len(checks) + 1


@pytest.mark.usefixtures("pretended")
def test_what_the_time_does_not_reach_is_listed(tmp_path: Path) -> None:
    """Nothing is begun after the limit, and nothing is left out in silence."""
    report = GpuBench({"hayao": HAYAO}, 0, 0, lambda text: None).run(tmp_path)
    assert report["checks"] == report["times"] == []
    assert "onnxruntime against the CPU" in report["not_done"]


@pytest.mark.usefixtures("pretended")
def test_a_step_that_fails_does_not_end_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason is in the report."""

    def fail(number: int) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(gpu, "measured_rates", fail)
    report = GpuBench({"hayao": HAYAO}, 0, 3600, lambda text: None).run(tmp_path)
    assert {"what": "rates of this GPU", "failed": "RuntimeError: out of memory"} in report["checks"]
    assert len(report["times"]) == 1


def test_without_a_gpu_the_command_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line, and no report that could be taken for one."""
    monkeypatch.setattr(gpu, "find_gpu", lambda index: "this machine has no NVIDIA driver")
    done = CliRunner().invoke(gpu.main, ["--json", str(tmp_path / "report.json")])
    assert done.exit_code == 1
    assert "Nothing can be measured, because this machine has no NVIDIA driver." in done.output
    assert not (tmp_path / "report.json").exists()
    with pytest.raises(BackendUnavailable):
        GpuBench({"hayao": HAYAO}, 0, 3600, print).run(tmp_path)


def test_networks_are_chosen_by_name() -> None:
    """Those that are named stay, in their order; a name that is none is an error, not an empty report."""
    networks = {"hayao-lite": HAYAO, "hayao-full": HAYAO, "animeganv2": HAYAO}
    keep(networks, ())
    assert len(networks) == 3
    keep(networks, ("animeganv2", "hayao-lite"))
    assert list(networks) == ["hayao-lite", "animeganv2"]
    with pytest.raises(UnknownName, match="hayao-full"):
        keep(networks, ("hayao-full",))


def test_differences_are_told_in_grey_levels() -> None:
    """The same picture has none; three levels everywhere are three at the percentile."""
    flat = np.full((8, 8, 3), 100, np.uint8)
    assert difference(flat, flat).levels_max == 0
    apart = difference(flat, flat + 3)
    assert (apart.levels_999, apart.levels_max) == (3.0, 3)
    assert apart.psnr_db == pytest.approx(38.59, abs=0.01)


def test_times_end_with_their_limit() -> None:
    """A slow backend gets a few runs and not the whole number."""
    runs = []

    def run(image: Image) -> Image:
        runs.append(image)
        return image

    found = frame_times(run, np.zeros((8, 8, 3), np.uint8), limit_s=0.0)
    assert found["samples"] == 10
    assert len(runs) == 20
    assert summary([1.0, 2.0, 3.0])["fps"] == 500.0


@pytest.mark.parametrize("network", [HAYAO, PAPRIKA], ids=["hayao", "with strength"])
def test_the_work_of_a_network_grows_with_its_pixels(network: Path) -> None:
    """Twice the pixels are twice the operations, and nearly twice the bytes, for the weights stay."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    small, large = network_work(network, 256, 256), network_work(network, 512, 256)
    assert large[0] == pytest.approx(2 * small[0])
    assert 1.8 * small[1] < large[1] < 2 * small[1]


def test_every_cuda_name_that_breaks_a_context_is_real() -> None:
    """The calls exist in cuda.bindings.driver with this many arguments."""
    real = pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings is not installed")
    tree = ast.parse(Path(gpu_fault.__file__).read_text(encoding="utf-8"))
    checked = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "call":
            name = node.args[1]
            assert isinstance(name, ast.Constant)
            signature = (getattr(real, str(name.value)).__doc__ or "").splitlines()[0]
            assert signature.count(",") + 1 == len(node.args) - 2, signature
            checked += 1
    assert checked == 5
