"""The load of a game night, and what is told of runs beside it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import psutil
import pytest

from livefilter.bench.load import GAME, GAME_STEPS, Load, LoadStep
from livefilter.bench.load_report import document, draw_loaded, figures, markdown
from livefilter.bench.load_run import Entrant, LoadedRun, Second, entrants, run_loaded
from livefilter.config import Config
from livefilter.live.governor.promise import Promise
from tests.fakes import until

QUICK = Config(
    input="demo", output=("null",), width=128, height=96, fps=30, backend="identity", network="lite", idle=False
)


def children() -> list[psutil.Process]:
    """The load's programs that run."""
    found = psutil.Process().children()
    return [child for child in found if any("load_program" in word for word in child.cmdline())]


def test_the_load_is_what_is_written_down() -> None:
    """A step every ten seconds: quiet, two hogs at 30, 60 and 90 %, memory, x264, and then it is quiet again."""
    assert [step.name for step in GAME[:GAME_STEPS]] == [
        "quiet", "hogs 30 %", "hogs 60 %", "hogs 90 %", "memory", "x264",
    ]  # fmt: skip
    assert [len(step.programs) for step in GAME] == [0, 2, 2, 2, 1, 1, 0, 0]


@pytest.mark.parametrize("program", [("hog", "0.9"), ("memory",), ("x264",)])
def test_a_program_of_the_load_works_until_it_is_ended(program: tuple[str, ...]) -> None:
    """Each takes CPU time while its step lasts, and is gone with the next step."""
    load = Load()
    load.begin(LoadStep("one", (program,)))
    begun = children()
    assert len(begun) == 1
    until(lambda: load.cpu_s() > 0.3, f"{program} at work")
    assert begun[0].is_running()
    load.begin(LoadStep("quiet"))
    assert not children()
    load.close()


def test_a_run_is_watched_second_by_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each second of a run is told; a run that is interrupted ends at once, and the load with it."""
    monkeypatch.setattr("livefilter.bench.load_run._SETTLE_S", 0.0)
    monkeypatch.setattr("livefilter.bench.load_run.STEP_S", 60.0)
    stop = threading.Event()
    seen: list[Second] = []

    def told(second: Second) -> None:
        seen.append(second)
        if len(seen) == 2:
            stop.set()

    run = run_loaded(Entrant("one", QUICK, True), [LoadStep("hog", (("hog", "0.2"),))], stop, told)
    assert run.seconds == seen
    assert sum(second.fps for second in seen) > 0
    assert not children()


def test_governed_and_fixed_sizes_take_part() -> None:
    """Governed, with and without a named rate, what the start measures, the smallest and the largest size."""
    chosen = entrants(QUICK)
    assert [each.governed for each in chosen] == [True, True, False, False, False]
    assert [each.config.process_size for each in chosen] == ["auto", "auto", 96, 240, 96]
    assert [each.config.hold for each in chosen] == [(), ("30fps",), (), (), ()]


def made_up(name: str, sizes: list[int], kept: list[bool]) -> LoadedRun:
    """A run of one second a step."""
    run = LoadedRun(Entrant(name, QUICK, True), Promise(30.0, 100.0))
    for number, (size, good) in enumerate(zip(sizes, kept, strict=True)):
        age = 50.0 if good else 150.0
        run.seconds.append(Second(number + 1.0, number, 30.0, age, 34.0, size, good, 0.3, 0.1))
        run.ages_ms += [age] * 30
    run.changes = [(1.0, "size 480 -> 240: other programs")]
    return run


def test_figures_and_table_and_plot(tmp_path: Path) -> None:
    """The share of kept seconds counts the load alone, not what follows it; every run has a row and a line."""
    good = made_up("governed", [480, 240, 240, 240, 240, 240, 360, 360], [True] * 6 + [False] * 2)
    bad = made_up("fixed", [480] * 8, [True, False, False, False, True, True, True, True])
    told = figures(good)
    assert (told["kept_percent"], told["mean_size_px"], told["quiet_size_px"]) == (100.0, 280, 480)
    assert told["kept_by_step_percent"] == [100, 100, 100, 100, 100, 100, 0, 0]
    assert figures(bad)["kept_percent"] == 50.0
    table = markdown([good, bad], GAME)
    assert "| governed | **100** | 100 |" in table
    assert table.count("\n| ") == 3
    written = document([good, bad], GAME, {"machine": "fake"})
    assert json.loads(json.dumps(written))["runs"][1]["name"] == "fixed"
    pytest.importorskip("matplotlib", reason="no matplotlib here: pip install '.[bench]'")
    draw_loaded([good, bad], GAME, tmp_path / "plot.png", "nowhere")
    assert (tmp_path / "plot.png").stat().st_size > 10_000
