"""`livefilter bench` from its words to its files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from livefilter.bench.cases import list_cases
from livefilter.cli.main import main
from livefilter.errors import BackendUnavailable, InvalidInput, StyleCorrupt, UnknownName
from livefilter.inference import selection
from livefilter.styles.catalogue import Catalogue, Network
from tests.bench.test_report import UNITS, numbers

QUICK = ["bench", "--backend", "identity", "--size", "64x48", "--seconds", "0.3", "--warmup", "0.1", "--fps", "240"]


@pytest.fixture(autouse=True)
def has_style() -> None:
    """Skip where no style is installed: the command names one."""
    if not Catalogue().styles:
        pytest.skip("no style is installed")


def code_of(arguments: list[str]) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_benchmark_leaves_tables_figures_and_a_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables on the screen, a JSON file in which every number has its unit, and a PNG, under one name."""
    pytest.importorskip("matplotlib", reason='plots need matplotlib: pip install "livefilter[bench]"')
    assert code_of([*QUICK, "--rounds", "1", "--against", "naive", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "as many frames as the naive loop" in " ".join(shown.split())
    (figures,) = tmp_path.glob("bench-*.json")
    assert [path.name for path in tmp_path.glob("bench-*.png")] == [figures.stem + ".png"]
    content = json.loads(figures.read_text(encoding="utf-8"))
    assert content["complete"] is True
    assert content["settings"]["live_fps"] == 240
    assert content["machine"]["logical_cores_count"] >= 1
    assert content["versions"]["numpy"]
    assert content["input"][0]["preloaded_frames"] >= 4
    assert content["input"][0]["decode_p50_ms"] > 0
    assert len(content["results"][0]["rounds"]) == 4
    assert [name for name in numbers(content) if not name.endswith(UNITS)] == []


def test_json_goes_to_stdout_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script can read the standard output as it is; what is for people goes to the other stream."""
    assert code_of([*QUICK, "--rounds", "1", "--size", "32x32", "--json", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    content = json.loads(printed.out)
    assert [case["frame_width_px"] for case in content["results"]] == [64, 32]
    assert "Figures:" in printed.err


def test_without_matplotlib_everything_but_the_plot_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says how to get the plot; the exit code says that the benchmark worked."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert code_of([*QUICK, "--rounds", "1", "--out", str(tmp_path)]) == 0
    assert 'pip install "livefilter[bench]"' in capsys.readouterr().out
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_a_benchmark_that_measures_nothing_leaves_no_folder(tmp_path: Path) -> None:
    """Nor one in which it lies; a result makes them."""
    out = tmp_path / "results" / "today"
    assert code_of([*QUICK, "--input", str(tmp_path / "missing.mp4"), "--out", str(out)]) == 1
    assert list(tmp_path.iterdir()) == []
    assert code_of([*QUICK, "--rounds", "1", "--out", str(out)]) == 0
    assert {path.suffix for path in out.iterdir()} >= {".json"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupt_keeps_what_was_measured(tmp_path: Path) -> None:
    """Ctrl-C ends the run by itself, exit code 130, with the finished rounds marked as incomplete."""
    command = [sys.executable, "-m", "livefilter", *QUICK, "--rounds", "100", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "round 1" in line:
                break
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Interrupted" in rest
    (figures,) = tmp_path.glob("bench-*.json")
    content = json.loads(figures.read_text(encoding="utf-8"))
    assert content["complete"] is False
    assert 1 <= len(content["results"][0]["rounds"]) < 200


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--style", "hayoa"], "Unknown style 'hayoa'"),
        (["--backend", "openvno"], "Did you mean 'openvino'?"),
        (["--size", "640"], "write it like 1280x720"),
        (["--size", "0x360"], "out of range"),
        (["--process-size", "9000"], "must be full, auto, or from 64 to 2160"),
        (["--input", "no-such-clip.mp4"], "no-such-clip.mp4"),
        (["--output", "nul"], "nul"),
        (["--output", "out.mp4"], "cannot send to out.mp4"),
        (["--output", "window"], "cannot send to window"),
    ],
)
def test_a_wrong_word_is_one_clear_line(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is measured; exit code 1 and no traceback."""
    assert code_of([*QUICK, *arguments, "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "Error:" in error
    assert told in error
    assert list(tmp_path.glob("bench-*")) == []


def test_a_room_is_a_row_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What finding the person and composing cost stands beside the style alone, and is named."""
    assert code_of([*QUICK, "--rounds", "1", "--room", "style", "--room", "blur", "--out", str(tmp_path)]) == 0
    assert ", room blur" in " ".join(capsys.readouterr().out.split())
    (figures,) = tmp_path.glob("bench-*.json")
    results = json.loads(figures.read_text(encoding="utf-8"))["results"]
    assert [(result["room"], len(result["rounds"])) for result in results] == [("style", 2), ("blur", 2)]


def test_a_folder_that_cannot_be_written_is_known_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Minutes are not spent on results that cannot be kept."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    assert code_of([*QUICK, "--out", str(blocked)]) == 1
    assert "--out" in capsys.readouterr().err


def test_all_combinations_are_listed_once() -> None:
    """Styles x backends x sizes x processing sizes, in the order they were named."""
    cases, skipped = list_cases(["hayao", "hayao"], ["identity"], ["64x48", "32X32", "64x48"], ["full", "064"])
    assert [(case.width, case.height, case.process_size) for case in cases] == [
        (64, 48, "full"),
        (64, 48, "64"),
        (32, 32, "full"),
        (32, 32, "64"),
    ]
    assert skipped == []


def test_all_backends_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """`all` takes what runs here and says why the others do not; a named one that cannot run is an error."""
    monkeypatch.setattr("livefilter.bench.cases.why_unavailable", lambda name: None if name == "openvino" else "no GPU")
    cases, skipped = list_cases(["hayao"], ["all"], ["64x48"], ["full"])
    assert [case.backend for case in cases] == ["openvino"]
    assert {skip.reason for skip in skipped} == {"no GPU"}
    assert "identity" not in {skip.backend for skip in skipped}
    monkeypatch.setattr(selection, "why_unavailable", lambda name: "no GPU")
    with pytest.raises(BackendUnavailable, match="no GPU"):
        list_cases(["hayao"], ["onnxruntime-cuda"], ["64x48"], ["full"])


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((["x"], ["identity"], ["64x48"], ["full"]), UnknownName),
        ((["hayao"], ["x"], ["64x48"], ["full"]), UnknownName),
        ((["hayao"], ["identity"], ["64x"], ["full"]), InvalidInput),
        ((["hayao"], ["identity"], ["64x48"], ["half"]), InvalidInput),
    ],
)
def test_unknown_words_are_refused(
    words: tuple[list[str], list[str], list[str], list[str]], error: type[Exception]
) -> None:
    """Each list is checked by whoever knows its names."""
    with pytest.raises(error):
        list_cases(*words)


def test_a_network_that_is_not_the_cards_is_not_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures of a style are figures of that style's file."""

    def refuse(self: Network) -> None:
        raise StyleCorrupt(f"Network file of style {self.style} is another one.")

    monkeypatch.setattr(Network, "verify", refuse)
    assert code_of([*QUICK, "--out", str(tmp_path)]) == 1
    assert "Network file of style hayao is another one." in capsys.readouterr().err
