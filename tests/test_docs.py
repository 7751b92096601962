"""What the documents say of the code is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from livefilter.toml import tomllib

ROOT = Path(__file__).resolve().parents[1]
ROOMS = sorted(path.parent for top in ("livefilter", "tools") for path in (ROOT / top).rglob("README.md"))
WALKS = ROOT / "docs" / "architecture.md"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_has_the_files_that_its_readme_names(room: Path) -> None:
    """Files are named from the room on, or from the package or the project on."""
    named = re.findall(r"`([a-z0-9_/]+\.py)`", (room / "README.md").read_text(encoding="utf-8"))
    assert named
    places = (room, ROOT, ROOT / "livefilter")
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_every_large_room_has_a_readme() -> None:
    """A room of more than ten files says what it is and how to add one more."""
    folders = {path.parent for top in ("livefilter", "tools") for path in (ROOT / top).rglob("*/*.py")}
    large = {folder for folder in folders if len(list(folder.glob("*.py"))) > 11}  # with __init__.py
    assert sorted(str(folder) for folder in large - set(ROOMS)) == []


def test_no_file_is_longer_than_contributors_are_told() -> None:
    """CONTRIBUTING.md says that files stay under 300 lines."""
    files = [path for top in ("livefilter", "tools") for path in (ROOT / top).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in files}
    assert len(lengths) > 300
    assert {name: length for name, length in lengths.items() if length >= 300} == {}


def test_the_walks_pass_functions_that_exist() -> None:
    """Every `file.py:function` of docs/architecture.md is defined in that file."""
    steps = re.findall(r"`([a-z0-9_/]+\.py):([A-Za-z_.0-9]+)`", WALKS.read_text(encoding="utf-8"))
    assert len(steps) > 15
    assert [f"{file}:{name}" for file, name in steps if name not in _defined(ROOT / "livefilter" / file)] == []


def _defined(file: Path) -> set[str]:
    """Functions, classes and methods as `Class.method` of a file; nothing for one that is not there."""
    if not file.is_file():
        return set()
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            members = (child for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))
            found |= {f"{node.name}.{child.name}" for child in members}
    return found


def test_no_file_is_half_merged() -> None:
    """A page with the marks of a merge in its script shows nothing at all."""
    kinds = {".py", ".js", ".css", ".html", ".md", ".toml", ".txt"}
    files = [path for path in ROOT.rglob("*") if path.suffix in kinds and ".venv" not in path.parts and path.is_file()]
    assert len(files) > 500
    marks = re.compile(r"^(<{7} |={7}$|>{7} )", re.MULTILINE)
    assert [str(path) for path in files if marks.search(path.read_text(encoding="utf-8", errors="replace"))] == []


@pytest.mark.parametrize("size", ["lite", "full"])
def test_what_the_networks_cost_is_told_as_their_cards_have_it(size: str) -> None:
    """A new network changes the estimates of README.md, docs/performance.md and docs/import.md."""
    cards = (ROOT / "livefilter" / "styles").glob("*/card.toml")
    (macs,) = {tomllib.loads(card.read_text(encoding="utf-8"))["networks"][size]["macs_per_pixel"] for card in cards}
    gflop = 2 * macs * 1280 * 720 / 1e9
    said = {
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in ("README.md", "docs/performance.md", "docs/import.md")
    }
    assert f"| bundled styles, `{size}` ({gflop:.0f} GFLOP," in said["README.md"]
    (row,) = re.findall(r"^\| 1280x720 \| ([\d.]+), \d+ \| ([\d.]+), \d+ \|", said["docs/performance.md"], re.MULTILINE)
    assert row[size == "full"] == f"{gflop:.1f}"
    assert f"`{size}` needs {macs / 1000:.0f} thousand" in said["docs/import.md"].replace("`full` ", "`full` needs ")
