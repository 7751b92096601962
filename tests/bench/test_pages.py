"""What `livefilter bench --page` measures."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from livefilter.bench.pages import measure_pages
from livefilter.cli.bench import bench
from livefilter.config import Config


def test_two_pages_see_changes_and_each_cost_is_a_ratio(tmp_path: Path) -> None:
    """Over a real run: every change reaches the other page, no action is lost, and rates are compared in one run."""
    flags = ["--size", "64x48", "--process-size", "64", "--backend", "onnxruntime", "--fps", "10"]
    done = CliRunner().invoke(
        bench, ["--page", *flags, "--seconds", "1", "--rounds", "1", "--json"], standalone_mode=False
    )
    assert done.exception is None, done.exception
    found: dict[str, Any] = json.loads(done.stdout)["pages"]
    assert found["changes_count"] >= 1
    assert 0 < found["seen_p50_ms"] <= found["seen_p95_ms"] <= found["seen_max_ms"]
    assert found["actions_count"] >= 20
    assert found["lost_actions_count"] == 0
    assert found["quiet_fps"] > 0
    assert {"changes_ratio", "flood_ratio", "thumbnails_ratio"} <= set(found)


def test_it_ends_early_when_told_to() -> None:
    """Nothing is measured, and the run is closed."""
    stop = threading.Event()
    stop.set()
    config = Config(
        input="demo", output=("page:0",), backend="onnxruntime", process_size=64, width=64, height=48, fps=10
    )
    assert measure_pages(config, 1.0, 1, stop) is None
