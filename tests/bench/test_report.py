"""What is told: a document for machines, tables and a picture for people."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from rich.console import Console

from livefilter.bench.machine import describe_machine, describe_versions
from livefilter.bench.measure import CaseResult
from livefilter.bench.plot import draw_plot
from livefilter.bench.report import document, write_json
from livefilter.bench.table import tables
from livefilter.errors import BackendUnavailable, InvalidInput
from tests.bench.made import result

UNITS = ("_ms", "_fps", "_mb", "_percent", "_px", "_s", "_frames", "_count", "_ratio", "_levels")


def numbers(content: Any, name: str = "") -> Iterator[str]:
    """The name under which each number of a document stands."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from numbers(value, key)
    elif isinstance(content, list):
        for value in content:
            yield from numbers(value, name)
    elif isinstance(content, (int, float)) and not isinstance(content, bool):
        yield name


def test_every_number_names_its_unit() -> None:
    """Nobody has to guess what a figure is measured in."""
    facts = {"machine": describe_machine(), "versions": describe_versions()}
    found = set(numbers(document([result()], facts, complete=True)))
    assert len(found) > 40
    assert [name for name in found if not name.endswith(UNITS)] == []


def test_the_document_holds_medians_ratios_and_raw_rounds() -> None:
    """Both what was concluded and what it was concluded from, as plain JSON."""
    content = json.loads(json.dumps(document([result()], {"started_at": "today"}, complete=False)))
    assert content["complete"] is False
    assert content["started_at"] == "today"
    case = content["results"][0]
    assert (case["backend"], case["frame_width_px"], case["naive_difference_levels"]) == ("onnxruntime", 640, 1.0)
    assert len(case["rounds"]) == 12
    summary = {(each["loop"], each["mode"]): each for each in case["summary"]}
    fast = summary["pipeline", "throughput"]
    assert (fast["new_fps"], fast["new_min_fps"], fast["new_max_fps"]) == (60.0, 40.0, 80.0)
    assert summary["naive", "live"]["age_p95_ms"] == 25.0
    assert case["ratios"]["throughput_fps_each_ratio"] == [2.0, 3.0, 4.0]
    assert case["ratios"]["throughput_fps_ratio"] == 3.0
    assert case["ratios"]["live_age_p50_ratio"] == 2.0


def test_without_the_naive_loop_there_is_no_ratio() -> None:
    """A comparison that was not made is not in the document."""
    content = document([result(naive=False)], {}, complete=True)
    assert content["results"][0]["ratios"] == {}
    assert {each["loop"] for each in content["results"][0]["summary"]} == {"pipeline"}


def test_a_document_is_written_whole(tmp_path: Path) -> None:
    """The file is there with all of it, and nothing else is left in the folder."""
    write_json({"a_ms": 1}, tmp_path / "bench.json")
    assert json.loads((tmp_path / "bench.json").read_text(encoding="utf-8")) == {"a_ms": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]


def test_a_document_that_cannot_be_written_names_the_fix(tmp_path: Path) -> None:
    """One line: which file, why, and what to do. A folder that is not there yet is made."""
    write_json({}, tmp_path / "new" / "bench.json")
    assert (tmp_path / "new" / "bench.json").is_file()
    with pytest.raises(InvalidInput, match=r"bench\.json.*--out"):
        write_json({}, tmp_path / "new" / "bench.json" / "bench.json")


def shown(results: list[CaseResult], width: int) -> str:
    """What a terminal of that width shows."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(tables(results, 30.0))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_tables_fit_a_narrow_terminal() -> None:
    """At 80 columns no cell is cut off, with several cases and both loops."""
    text = shown([result(), result("openvino", naive=False)], 80)
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    for word in (
        "hayao lite onnxruntime 640x360",
        "hayao lite openvino 640x360",
        "60.0 (40-80)",
        "naive loop",
        "postprocess",
    ):
        assert word in text


def test_the_ratio_is_told_with_its_spread() -> None:
    """The headline says how sure it is."""
    text = " ".join(shown([result()], 100).split())
    assert "3.00 times as many frames as the naive loop (2.00 to 4.00 over 3 rounds)" in text
    assert "the naive loop's frames are 2.00 times as old (1.50 to 2.50)" in text


def test_a_busy_machine_is_told() -> None:
    """Figures from a machine that did something else as well carry a warning; those of a quiet one do not."""
    busy = result()
    for figures in busy.rounds:
        object.__setattr__(figures, "others_cpu_percent", 42.0)
    assert "Other programs took 42 %" in shown([busy], 100)
    assert "Other programs" not in shown([result()], 100)


@pytest.mark.parametrize("naive", [True, False])
def test_the_plot_is_a_picture(tmp_path: Path, naive: bool) -> None:
    """A PNG that is wide enough to read and has the colours of what it compares."""
    pytest.importorskip("matplotlib", reason='plots need matplotlib: pip install "livefilter[bench]"')
    path = tmp_path / "bench.png"
    draw_plot([result(naive=naive), result("openvino", naive=naive)], path, "title", "machine", 30.0)
    image = cv2.imread(str(path))
    assert image is not None
    height, width = image.shape[:2]
    assert 1000 < width < 2500
    assert 600 < height < 2500
    grey = (image == (0x96, 0x8E, 0x86)).all(axis=2).sum()
    assert (grey > 1000) == naive


def test_the_plot_grows_with_the_cases(tmp_path: Path) -> None:
    """Many cases make a taller picture, not thinner bars."""
    pytest.importorskip("matplotlib", reason='plots need matplotlib: pip install "livefilter[bench]"')
    heights = []
    for cases in (1, 6):
        draw_plot([result()] * cases, tmp_path / "bench.png", "title", "machine", 30.0)
        image = cv2.imread(str(tmp_path / "bench.png"))
        assert image is not None
        heights.append(image.shape[0])
    assert heights[1] > heights[0] + 500


def test_a_missing_plot_library_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BackendUnavailable, match=r"livefilter\[bench\]"):
        draw_plot([result()], tmp_path / "bench.png", "title", "machine", 30.0)
