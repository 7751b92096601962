"""Which room may look into which: the direction of imports, proved."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "livefilter"

# What finds and reads an engine that was built, or a network of our own kind.
ENGINES_ARE_FOUND_BY = {f"generator.{name}" for name in ("engine_builder", "engine_key", "engine_store")} | {
    f"generator.{name}" for name in ("flavour", "gpu", "owned_file", "rebuild")
}

# Room -> what it may import of livefilter. Everyone may import errors, frame and registry, and its own room.
MAY = {
    "closing": set(),
    "errors": set(),
    "frame": set(),
    "mailbox": set(),
    "metrics": set(),
    "nv12": set(),
    "registry": set(),
    "config": set(),
    "device_users": set(),
    "idle": {"output.base"},
    "comeback": {"capture.base"},
    "capture": {"device_users", "mailbox"},
    "inference": {"control.settings", "metrics", "styles.accepts", "styles.network", *ENGINES_ARE_FOUND_BY},
    "output": {"device_users", "mailbox"},
    "styles": set(),
    "control": set(),
    "generator": {"inference.checks", "inference.hardware", "inference.providers", "styles.accepts"},
    "quality": {"bench.animegan", "inference", "styles", "training"},
    "training": {"generator", "inference", "styles"},
    "pipeline_options": set(),
    "pipeline": {"capture.base", "comeback", "idle", "mailbox", "metrics", "pipeline_options"}
    | {f"output.{name}" for name in ("base", "card", "clock", "fit")},
    "session": {"control.controller", "control.settings", "output.base", "pipeline"},
    "render": {"capture.base", "capture.kinds", "capture.pixels", "output.base"},
}
EVERYONE_MAY = {"closing", "errors", "frame", "nv12", "registry", "__version__"}
COMPOSERS = {"cli", "doctor", "bench", "__init__", "__main__"}


def imported(path: Path) -> set[str]:
    """The livefilter modules that a file imports, anywhere in it, without the leading "livefilter."."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = node.module == "livefilter"
            found |= {f"livefilter.{alias.name}" for alias in node.names} if whole else {node.module}
    return {name.removeprefix("livefilter.") for name in found if name.startswith("livefilter.")}


FILES = sorted(path for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_looks_only_where_it_may(path: Path) -> None:
    """Sources, engines and sinks know nothing of each other; pipeline sees only the bases; cli alone composes."""
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room in COMPOSERS:
        seen = {name.split(".")[0] for name in imported(path)}
        assert not {"training", "quality"} & seen or path.name.startswith(("train", "quality"))
        assert "cli" not in seen or room in {"cli", "__main__"}
        return
    assert room in MAY, f"{room} is a new room: say in tests/test_imports.py what it may import"
    for name in imported(path):
        allowed = name.split(".")[0] in EVERYONE_MAY | {room} or any(
            name == may or name.startswith(f"{may}.") for may in MAY[room]
        )
        assert allowed, f"{path.name} imports livefilter.{name}"


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("livefilter", {"cv2", "numpy", "onnxruntime", "av", "torch", "aiohttp"}),
        ("livefilter.cli.main", {"cv2", "onnxruntime", "av", "torch", "openvino", "aiohttp", "pyvirtualcam"}),
        ("livefilter.cli.hotkeys", {"cv2", "onnxruntime", "pynput", "Xlib", "dbus_fast", "mido", "rtmidi"}),
        ("livefilter.pipeline", {"onnxruntime", "av", "torch", "openvino", "aiohttp", "pyvirtualcam", "mss"}),
        (
            "livefilter.cli.run",
            {"torch", "openvino", "tensorrt", "pycuda", "onnx", "matplotlib", "pynput", "Xlib", "mido", "linuxpy"},
        ),
    ],
)
def test_only_what_is_chosen_is_imported(module: str, unwanted: set[str]) -> None:
    """Importing a module does not drag in libraries that only a backend needs."""
    code = f"import sys, {module}; print(*sorted({unwanted!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []
