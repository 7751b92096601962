"""Which room may look into which: the direction of imports, proved."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "livefilter"

# Room -> what it may import of livefilter beside what everyone may, and its own room.
MAY = {
    "continuity": set(),
    "closeable": set(),
    "quiet": set(),
    "whole_file": set(),
    "masking": set(),
    "text": set(),
    "user_folders": set(),
    "errors": set(),
    "finding": set(),
    "cutout": set(),
    "frame": set(),
    "mailbox": set(),
    "metrics": set(),
    "letterbox": set(),
    "nv12": set(),
    "registry": set(),
    "toml": set(),
    "config": {"live.governor.promise", "obs.settings", "settings_file"},
    "settings_file": {"obs.settings"},
    "obs": {"control", "metrics"},
    "device_users": set(),
    "capture": {"device_users", "mailbox"},
    "inference": {
        "metrics",
        "styles.accepts",
        "styles.network",
        "styles.network_edit",
        "styles.network_file",
        "tensorrt.flavour",
        "tensorrt.store",
        "generator.network",
        "generator.rebuild",
    },
    "output": {"device_users", "mailbox", "web"},
    "web": {"capture.pictures", "control", "metrics", "styles"},
    "styles": set(),
    "control": set(),
    "generator": {
        "inference.checks",
        "inference.crisp",
        "inference.onnxruntime",
        "inference.ports",
        "inference.styler",
        "styles.network",
        "styles.network_edit",
        "styles.network_file",
        "inference.providers",
        "styles.accepts",
        "tensorrt.check_pictures",
    },
    "tensorrt": {"generator", "inference", "styles"},
    "training": {"generator", "inference", "styles"},
    "cluster": {
        "control.parts",
        "capture",
        "config",
        "inference",
        "live.configured_stylist",
        "live.open_files",
        "output",
        "quiet",
        "render",
        "styles",
    },
    "wall": {
        "config",
        "inference.engine_pool",
        "inference.hardware",
        "inference.selection",
        "live.compose",
        "quiet",
        "web.site",
    },
    "render": {"capture.base", "capture.kinds", "capture.pixels", "output.base"},
}
EVERYONE_MAY = {
    "letterbox",
    "closeable",
    "continuity",
    "cutout",
    "errors",
    "frame",
    "nv12",
    "masking",
    "registry",
    "text",
    "toml",
    "user_folders",
    "whole_file",
    "__version__",
}
COMPOSERS = {"cli", "live", "doctor", "bench", "__init__", "__main__"}


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


def test_a_room_looks_only_where_it_may() -> None:
    """Sources, engines and sinks know nothing of each other; nothing at run time imports training; cli comes last."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name in imported(path):
            first = name.split(".")[0]
            if room in COMPOSERS:
                allowed = (first != "training" or path.name.startswith("train")) and (
                    first != "cli" or room in {"cli", "__main__"}
                )
            else:
                assert room in MAY, f"{room} is a new room: say in tests/test_imports.py what it may import"
                allowed = first in EVERYONE_MAY | {room} or any(
                    name == may or name.startswith(f"{may}.") for may in MAY[room]
                )
            if not allowed:
                wrong.append(f"{path.relative_to(PACKAGE)} imports livefilter.{name}")
    assert wrong == []


def test_the_wheel_needs_no_tools() -> None:
    """What only maintainers run is not in the wheel, so nothing in the package may import it."""
    assert [path for path in PACKAGE.rglob("*.py") if "from tools" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("livefilter", {"cv2", "numpy", "onnxruntime", "av", "torch", "aiohttp"}),
        ("livefilter.cli.main", {"cv2", "onnxruntime", "av", "torch", "openvino", "aiohttp", "pyvirtualcam"}),
        ("livefilter.cli.hotkeys", {"cv2", "onnxruntime", "pynput", "Xlib", "dbus_fast", "mido", "rtmidi"}),
        ("livefilter.live.pipeline", {"onnxruntime", "av", "torch", "openvino", "aiohttp", "pyvirtualcam", "mss"}),
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
