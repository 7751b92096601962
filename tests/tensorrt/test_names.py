"""Every name of TensorRT that livefilter uses exists: mypy holds the code to the stubs, and these tests the stubs."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tensorrt.names import missing_names
from tests.tensorrt.real_bindings import MODULE, fetch_bindings

ROOT = Path(__file__).resolve().parents[2]
BOTH = ROOT / "stubs" / "tensorrt" / "__init__.pyi"
RTX_ONLY = ROOT / "stubs" / "tensorrt_rtx" / "__init__.pyi"
USERS = sorted(path for path in (ROOT / "livefilter").rglob("*.py") if "import tensorrt" in path.read_text("utf-8"))


@pytest.fixture(scope="module")
def bindings(pytestconfig: pytest.Config) -> Path:
    """Where the real bindings of TensorRT lie."""
    return fetch_bindings(pytestconfig.cache.mkdir("tensorrt-bindings"))


def compare(module: str, stubs: list[Path], folder: Path | None = None) -> dict[str, Any]:
    """What tests/tensorrt/names.py says, in a process of its own. folder: where the module lies."""
    program = Path(__file__).with_name("names.py")
    environment = os.environ | ({"PYTHONPATH": str(folder)} if folder else {})
    command = [sys.executable, str(program), module, *map(str, stubs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, env=environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_name_is_in_tensorrt(bindings: Path) -> None:
    """The real bindings of TensorRT 11.4 have every class, member and argument of the stub."""
    found = compare(MODULE, [BOTH], bindings)
    assert found["version"].startswith("11.4.")
    assert found["missing"] == []


def test_every_name_is_in_tensorrt_rtx() -> None:
    """The real TensorRT-RTX has them, too, and what only its engines are asked."""
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: pip install '.[rtx]'")
    assert compare("tensorrt_rtx", [BOTH, RTX_ONLY])["missing"] == []


def test_what_is_only_in_tensorrt_rtx_is_needed_there_only(bindings: Path) -> None:
    """The second stub names what TensorRT lacks: when it gets these names, they can move to the first."""
    found = compare(MODULE, [RTX_ONLY], bindings)
    assert "Runtime.get_engine_validity" in found["missing"]
    assert "IRuntimeCache" in found["missing"]


@pytest.mark.parametrize("path", USERS, ids=lambda path: path.stem)
def test_the_code_uses_only_names_of_the_stub(path: Path) -> None:
    """Every `trt.NAME` in the code is in the stub, also where the type checker sees Any."""
    stub = ast.parse(BOTH.read_text(encoding="utf-8"))
    known = {node.name for node in stub.body if isinstance(node, ast.ClassDef)} | {"__version__", "__name__"}
    used = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "trt"
    }
    assert used
    assert used <= known


def test_a_name_or_an_argument_that_is_not_there_is_found() -> None:
    """The comparison itself sees a missing class, member and argument, and takes any one overload."""
    stub = ast.parse(
        "class Gone: ...\nclass Engine:\n    lost: int\n    def run(self, image: int, size: int) -> None: ...\n"
        "    def open(self, cache: int) -> None: ..."
    )

    class Engine:
        def run(self) -> None:
            """run(self: Engine, image: int, *, stream: int = 0) -> None"""

        def open(self) -> None:
            """open(*args, **kwargs)\n1. open(self: Engine) -> None\n2. open(self: Engine, cache: int) -> None"""

    assert missing_names(SimpleNamespace(Engine=Engine), stub) == ["Gone", "Engine.lost", "Engine.run(size)"]
