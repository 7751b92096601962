"""The calls of docs/api.md, run as they are written there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from livefilter.live.photos import photo_features
from livefilter.styles.catalogue import Catalogue
from livefilter.web.token import TokenFile
from tests.web.client import port_of
from tests.web.conftest import Desk

ROOT = Path(__file__).resolve().parents[2]
RECIPES = [
    line.strip()
    for line in (ROOT / "docs" / "api.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("    curl ")
]


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl and bash")
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_works_as_it_is_written(desk: Desk, tmp_path: Path, recipe: str) -> None:
    """But for the port, each is answered with what it says, and no error."""
    desk.page.steer(desk.page._server.site.room, **photo_features(Catalogue()))
    shutil.copy(ROOT / "livefilter" / "capture" / "assets" / "demo.jpg", tmp_path / "me.jpg")
    line = recipe.replace("127.0.0.1:8420", f"127.0.0.1:{port_of(desk.page)}")
    assert line != recipe
    done = subprocess.run(
        ["bash", "-c", f"TOKEN={TokenFile().ensure()}\n{line}"], cwd=tmp_path, capture_output=True, timeout=100
    )
    answer = json.loads(done.stdout)
    assert "error" not in answer, answer
    assert set(answer) & {"done", "live", "id"}


def test_there_are_recipes() -> None:
    """The docs still show some, among them one for each kind of call."""
    assert len(RECIPES) >= 6
    for part in ("/api/state", "-X POST", "/api/do/", "/api/photos", "for_s="):
        assert any(part in recipe for recipe in RECIPES), part
