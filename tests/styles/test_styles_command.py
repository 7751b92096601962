"""`livefilter styles`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from livefilter.cli import styles as command
from livefilter.styles.catalogue import Catalogue
from tests.styles.folders import write_style


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose styles are the only ones."""
    monkeypatch.setattr(command, "Catalogue", lambda: Catalogue(bundled=tmp_path, user=tmp_path / "user"))
    return tmp_path


def run(*arguments: str) -> Any:
    """Run the command as the program does: what it returns is the exit code."""
    return CliRunner().invoke(command.styles, list(arguments), standalone_mode=False)


def test_the_table_names_each_style_with_its_key(root: Path) -> None:
    """A row holds the key, the name, the licence and the cost; a second network has a row of its own."""
    write_style(root, "ink", networks={"lite": {"macs_per_pixel": 8864}, "full": {}}, order=1)
    write_style(root, "zen", order=2)
    result = run()
    rows = [line.split() for line in result.output.splitlines()]
    assert rows[1] == ["1", "ink", "Ink", "CC0-1.0", "lite", "0.0", "8.9"]
    assert rows[2] == ["full", "0.0", "0.0"]
    assert rows[3][:2] == ["2", "zen"]
    assert result.return_value == 0


def test_json_holds_everything(root: Path) -> None:
    """Scripts get every entry with paths."""
    folder = write_style(root, "ink", teacher="someone", networks={"lite": {"figures": {"psnr_db": 24.5}}})
    listed = json.loads(run("--json").output)
    (style,) = listed["styles"]
    assert "face_paint_512_v2.pt" in {entry["file"] for entry in listed["more"]}
    assert (style["key"], style["teacher"]) == (1, "someone")
    assert style["networks"]["lite"]["file"] == str(folder / "lite.onnx")
    assert style["networks"]["lite"]["figures"] == {"psnr_db": 24.5}
    assert "verified" not in style["networks"]["lite"]


def test_verify_tells_a_wrong_network(root: Path) -> None:
    """With --verify an exchanged network is told and the exit code is 1; without it nothing is read."""
    folder = write_style(root, "ink")
    (folder / "lite.onnx").write_bytes(b"exchanged")
    assert run().return_value == 0
    result = run("--verify")
    assert result.return_value == 1
    assert "is not the one its card names" in result.output
    assert json.loads(run("--verify", "--json").output)["styles"][0]["networks"]["lite"]["verified"] is False


def test_a_broken_card_is_shown(root: Path) -> None:
    """A broken style stands below the table with its reason, and the exit code is 1."""
    write_style(root, "good")
    write_style(root, "bad", title=None)
    result = run()
    assert result.return_value == 1
    assert "no usable title" in result.output
    assert "good" in result.output


def test_an_empty_catalogue_says_where_styles_go(root: Path) -> None:
    """Without styles the user learns where to put one."""
    assert "No styles here" in run().output
