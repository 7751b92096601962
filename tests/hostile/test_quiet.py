"""Nothing is sent anywhere: no name is looked up and no identifier is left, whatever the command."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.conftest import picture
from tests.hostile import lonely

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("-i", "demo", "-o", "null", "--process-size", "64", "--width", "64", "--height", "48", "--frames", "3")
BENCH = ("bench", "--size", "64x48", "--seconds", "0.2", "--rounds", "1", "--warmup", "0", "--out", "bench")

# As livefilter would be without its module `quiet`.
LOUD = """
import sys, types
sys.modules["livefilter.quiet"] = types.ModuleType("livefilter.quiet")
import onnxruntime
onnxruntime.disable_telemetry_events = lambda: None
from livefilter.cli.main import main
main()
"""
# A process that a run or a training starts knows nothing but its environment and what it imports itself.
WORKER = """
import multiprocessing, sys

def work(name):
    import livefilter.frame, importlib
    importlib.import_module(name)
    return name

if __name__ == "__main__":
    import livefilter.config
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.map(work, ["onnxruntime", "openvino"])
"""


@functools.cache
def _refused() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.lonely", sys.executable, "-c", ""],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stderr.strip() if done.returncode == lonely.NOT_ALLOWED else ""


def seen(tmp_path: Path, *command: str) -> dict[str, Any]:
    """Run Python in a network of its own; what it asked for and left behind."""
    if not sys.platform.startswith("linux") or _refused():
        pytest.skip(f"processes cannot have a network of their own here: {_refused() or sys.platform}")
    program = (sys.executable, str(Path(lonely.__file__)), sys.executable, *command)
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    lists = (".cache/matplotlib/", ".cache/gstreamer-1.0/")  # of fonts, and of plugins: they say nothing of anybody
    found["files"] = [name for name in found["files"] if not name.startswith(lists)]
    assert found["code"] == 0, found["output"]
    return found


def test_the_watch_sees_what_the_libraries_would_send(tmp_path: Path) -> None:
    """Without the switches OpenVINO looks up its makers' address, and both runtimes leave identifiers."""
    if not {"openvino", "openvino-telemetry"} <= {found.name for found in metadata.distributions()}:
        pytest.skip("OpenVINO, or what reports for it, is not installed")
    found = seen(tmp_path, "-c", LOUD, "run", "--backend", "openvino", *SMALL)
    assert "www.google-analytics.com" in found["asked"]
    assert any("openvino_ga_cid" in name for name in found["files"])
    if tuple(map(int, metadata.version("onnxruntime").split(".")[:2])) >= (1, 29):
        assert any("onnxruntime" in name for name in found["files"])


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--backend", "onnxruntime", *SMALL),
        ("run", "--backend", "openvino", *SMALL),
        ("render", "photo.png", "styled.png"),
        ("render", "photo.png", "styled.png", "--cluster", "local", "--backend", "identity"),
        ("doctor",),
        (*BENCH, "--backend", "openvino"),
    ],
    ids=lambda command: " ".join(command[:4]),
)
def test_no_command_sends_or_keeps_anything(tmp_path: Path, command: tuple[str, ...]) -> None:
    """No name is looked up, and the home folder stays as empty as it was."""
    if "openvino" in command:
        pytest.importorskip("openvino")
    if "--cluster" in command:
        pytest.importorskip("ray", reason="Ray is not installed: pip install '.[cluster]'")
    cv2.imwrite(str(tmp_path / "photo.png"), picture())
    found = seen(tmp_path, "-m", "livefilter", *command)
    assert (found["asked"], found["files"]) == ([], []), found["output"]


def test_no_worker_sends_or_keeps_anything(tmp_path: Path) -> None:
    """Processes that are started from a livefilter process are as quiet."""
    pytest.importorskip("openvino")
    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")
    found = seen(tmp_path, "worker.py")
    assert (found["asked"], found["files"]) == ([], []), found["output"]


def test_no_test_sends_or_keeps_anything(tmp_path: Path) -> None:
    """A test that imports a runtime by itself is quiet too, because pytest imports the package first."""
    pytest.importorskip("openvino")
    found = seen(tmp_path, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import tests.conftest, openvino")
    assert (found["asked"], found["files"]) == ([], []), found["output"]
