"""Which of a style's networks a live run uses."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from livefilter.config import Config
from livefilter.live import compose
from livefilter.live.compose import compose_live
from livefilter.styles.catalogue import Catalogue
from tests.fakes import NoKeys, until
from tests.inference.networks import write_style_network
from tests.styles.folders import write_style

QUICK: dict[str, Any] = {"input": "demo", "output": ("null",), "process_size": 64, "backend": "onnxruntime"}


@pytest.fixture
def styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two styles with both networks, and one with only a lite one."""
    network = write_style_network(tmp_path / "network.onnx").read_bytes()
    entry = {"sha256": hashlib.sha256(network).hexdigest()}
    for name, sizes in (("one", ("lite", "full")), ("two", ("lite", "full")), ("small", ("lite",))):
        folder = write_style(tmp_path / "styles", name, networks=dict.fromkeys(sizes, entry))
        for size in sizes:
            (folder / f"{size}.onnx").write_bytes(network)
    monkeypatch.setattr(compose, "Catalogue", lambda: Catalogue(user=tmp_path / "styles"))
    return tmp_path / "styles"


@pytest.mark.parametrize(("wanted", "sizes"), [("full", ("full", "lite")), ("auto", ("lite", "lite"))])
def test_the_size_stays_when_the_style_changes(
    styles: Path, wanted: str, sizes: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """What was asked for holds for every style that has it; one that has not uses its own, and that is said."""
    live = compose_live(Config(**QUICK, style="one", network=wanted), NoKeys())
    assert live.facts.network == sizes[0]
    live.pipeline.start()
    try:
        for style, size in (("two", sizes[0]), ("small", sizes[1])):
            live.settings.change(style=style)
            until(lambda style=style: live.stylist.style == style, f"{style} on screen")  # type: ignore[misc]
            assert live.facts.network == size
    finally:
        live.pipeline.stop()
        live.pipeline.join()
    said = [record.message for record in caplog.records if "has no full network" in record.message]
    assert said == (["Style small has no full network; its lite one is used."] if wanted == "full" else [])


def test_the_command_tells_the_size(tmp_path: Path, styles: Path) -> None:
    """--network full runs that network, and the status line and the JSON report name it."""
    if sys.platform != "linux":
        pytest.skip("only Linux takes the users' folder from XDG_DATA_HOME")
    home = tmp_path / "home"
    (home / "livefilter").mkdir(parents=True)
    styles.rename(home / "livefilter" / "styles")
    words = ["run", "-i", "demo", "-o", "null", "--backend", "onnxruntime", "--process-size", "64", "--frames", "2"]
    command = [sys.executable, "-m", "livefilter", *words, "--style", "two", "--network", "full"]
    environment = os.environ | {"XDG_DATA_HOME": str(home)}
    for more in ((), ("--json",)):
        done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=250, env=environment)
        assert done.returncode == 0, done.stderr
        if more:
            assert json.loads(done.stdout)["network"] == "full"
        else:
            assert "style two full" in done.stdout
