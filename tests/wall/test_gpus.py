"""On which GPU of one machine each stream of a wall draws."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from livefilter.inference.hardware import Gpu
from livefilter.wall import gpus as module
from livefilter.wall import hosts as hosts_module
from livefilter.wall.config import StreamPlan, read_wall
from livefilter.wall.cost import Cost
from livefilter.wall.gpus import Gpus
from livefilter.wall.hosts import Hosts
from livefilter.wall.placement import Place, choose
from livefilter.wall.process import Running
from livefilter.wall.wall import Wall
from livefilter.wall.watched import Watched
from tests.wall.test_wall import write


class FakeStream:
    """A stream that takes so many milliseconds of its GPU for each of 25 frames a second, once it is asked."""

    machine = ""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self.ended: int | None = None

    def told(self) -> list[dict[str, Any]]:
        frame_ms = self.settings.get("frame_ms")
        if frame_ms is None:
            return []
        latency = {"inference": {"p50_ms": frame_ms}}
        return [{"figures": {"styled_fps": 25.0, "input_fps": 25.0, "latency": latency}, "cores": 0.1, "on_gpu": True}]

    def code(self) -> int | None:
        return self.ended

    def end(self) -> None:
        self.ended = 0

    def kill(self) -> None:
        self.ended = 1

    def wait(self, timeout_s: float) -> int | None:
        return self.ended


class Rack:
    """So many GPUs, and streams on them by name; `now` are the seconds that have passed."""

    def __init__(self, count: int = 2) -> None:
        self.now = 0.0
        self.gpus = Gpus(range(count), lambda: self.now)
        self.streams: dict[str, FakeStream] = {}
        self.runs: dict[str, Running] = {}

    def start(self, name: str, gpu: int | None = None, **settings: Any) -> int:
        """The GPU that a stream is started on."""

        def begin(given: Mapping[str, Any]) -> Running:
            self.streams[name] = FakeStream(given)
            return self.streams[name]

        self.runs[name] = self.gpus.start(StreamPlan(name, {"gpu": gpu or 0, **settings}, gpu=gpu), begin)
        return int(self.streams[name].settings["gpu"])

    def measure(self, times: int = 1) -> None:
        """Let all tell what they take, once a second."""
        for _ in range(times):
            self.now += 1.0
            for run in self.runs.values():
                run.told()

    def leaving(self) -> str:
        """The stream that is to be moved now, if any."""
        return next((name for name, run in self.runs.items() if self.gpus.leaves(run, StreamPlan(name, {}))), "")


def test_streams_that_nobody_has_measured_go_to_all_gpus_in_turn() -> None:
    """And with one GPU nothing is chosen, and no process is looked at otherwise than before."""
    rack = Rack(3)
    assert [rack.start(name) for name in "abcdefg"] == [0, 1, 2, 0, 1, 2, 0]
    alone = Rack(1)
    assert alone.start("a") == 0
    assert alone.runs["a"] is alone.streams["a"]


def test_what_streams_were_measured_to_take_counts() -> None:
    """Beside a heavy one there is room for none while the other GPU has light ones; one like it counts as heavy."""
    rack = Rack()
    assert (rack.start("heavy", style="full", frame_ms=20.0), rack.start("light", frame_ms=2.0)) == (0, 1)
    rack.measure()
    assert [rack.start(name, frame_ms=2.0) for name in "abc"] == [1, 1, 1]
    assert rack.start("heavy too", style="full", frame_ms=20.0) == 1
    rack.measure()
    assert rack.start("d", frame_ms=2.0) == 0


def test_a_gpu_with_too_much_to_do_hands_a_stream_to_another_once() -> None:
    """The one whose move helps most, when all were measured; then all stay, also where it is still too much."""
    rack = Rack()
    given = {"a": 20.0, "b": 2.0, "c": 24.0, "d": 2.0, "e": 8.0}  # of 40 ms for each frame
    assert [rack.start(name, frame_ms=ms, style=name) for name, ms in given.items()] == [0, 1, 0, 1, 0]
    rack.measure(9)
    assert rack.leaving() == ""
    rack.measure()
    assert rack.leaving() == "c"
    rack.runs["c"].end()
    assert rack.start("c", frame_ms=24.0, style="c") == 1
    rack.measure(10)
    assert rack.leaving() == ""
    rack.streams["c"].settings = {"frame_ms": 80.0}
    rack.measure(10)
    assert rack.leaving() == ""


def test_streams_stay_where_a_move_would_not_help_or_the_file_wants_them() -> None:
    """One stream that is too much for a GPU is so for the other; one that shows nothing is not waited for for long."""
    rack = Rack()
    assert (rack.start("large", frame_ms=60.0), rack.start("small", frame_ms=30.0)) == (0, 1)
    rack.measure(20)
    assert rack.leaving() == ""
    bound = Rack()
    for name in "abc":
        bound.start(name, gpu=1, frame_ms=30.0)
    bound.measure(20)
    plans = {name: StreamPlan(name, {}, gpu=1) for name in "abc"}
    assert not any(bound.gpus.leaves(bound.runs[name], plan) for name, plan in plans.items())
    dark = Rack()
    assert [dark.start(name, frame_ms=ms) for name, ms in zip("abc", [30.0, None, 30.0], strict=True)] == [0, 1, 0]
    dark.measure(100)
    assert dark.leaving() == ""
    dark.measure(30)
    assert dark.leaving() == "a"


def test_the_wall_moves_a_stream_to_another_gpu_and_says_so() -> None:
    """It is ended and started anew at once, as nothing has failed."""
    rack, started = Rack(), []

    def start(plan: StreamPlan) -> Running:
        run = rack.gpus.start(plan, FakeStream)
        started.append((plan.name, run.gpu))  # type: ignore[attr-defined]
        return run

    def clock() -> float:
        return rack.now

    plans = [StreamPlan(name, {"frame_ms": ms, "style": name}) for name, ms in (("a", 30.0), ("b", 2.0), ("c", 20.0))]
    with Wall(plans, lambda plan: Watched(plan, start=start, clock=clock), leaves=rack.gpus.leaves) as wall:
        assert started == [("a", 0), ("b", 1), ("c", 0)]
        for _ in range(30):
            rack.now += 1.0
            wall.look()
        assert started[3:] == [("c", 1)]
        assert [one["state"] for one in wall.state()] == ["running"] * 3
        assert [one["error"] for one in wall.state()] == ["", "", "It was moved from its GPU."]


def test_a_stream_that_has_ended_takes_nothing() -> None:
    """The next one takes its place."""
    rack = Rack()
    assert [rack.start(name, frame_ms=5.0) for name in "abcd"] == [0, 1, 0, 1]
    rack.measure()
    for name in "bd":
        rack.runs[name].end()
    assert [rack.start(name, frame_ms=5.0) for name in "ef"] == [1, 1]


def test_a_stream_that_names_its_gpu_gets_it_and_counts_there(tmp_path: Path) -> None:
    """However busy it is; the file says which do."""
    rack = Rack()
    assert [rack.start(name, gpu=1) for name in "abc"] == [1, 1, 1]
    assert [rack.start(name) for name in "def"] == [0, 0, 0]
    text = '[defaults]\ninput = "demo"\noutput = "null"\n[streams.a]\n[streams.b]\ngpu = 1\n[streams.c]\ngpu = 0\n'
    assert [plan.gpu for plan in read_wall(write(tmp_path, text))] == [None, 1, 0]


def test_one_that_showed_no_picture_is_tried_on_another_gpu() -> None:
    """As on one that the backend does not support; one that had drawn comes back to where there is room for it."""
    rack = Rack()
    assert (rack.start("a"), rack.start("b", frame_ms=30.0), rack.start("c", frame_ms=30.0)) == (0, 1, 0)
    rack.measure()
    rack.runs["a"].kill()
    assert rack.start("a") == 1
    rack.runs["a"].kill()
    assert rack.start("a") == 0
    rack.runs["c"].kill()
    assert rack.start("c", frame_ms=30.0) == 0


def test_on_a_cluster_as_well_a_stream_gets_the_gpu_that_it_names() -> None:
    """The machine is chosen by how busy that GPU is."""
    places = [Place("a", "a", 8, 2), Place("b", "b", 8, 2)]
    costs = {"a": Cost(1.0, 0.5), "b": Cost(1.0, 0.4)}
    found = choose(places, [], costs, bound=1)
    assert found == (places[1], 1)


def test_real_processes_are_started_with_the_gpu_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those alike that share an engine share a process on each GPU; backends that know no number stay as they are."""
    monkeypatch.setattr(module, "find_gpu", lambda number=0: Gpu("Fake", "8.9", "580.1") if number < 2 else "no more")
    started: list[tuple[Any, bool]] = []

    def start(self: Hosts, settings: Mapping[str, Any], together: bool, name: str = "") -> FakeStream:
        started.append((settings["gpu"], together))
        return FakeStream(settings)

    monkeypatch.setattr(hosts_module.Hosts, "start", start)
    hosts = Hosts()
    for name, backend in enumerate(["tensorrt", "torch", "tensorrt", "openvino", "onnxruntime-directml"]):
        watched = Watched(StreamPlan(str(name), {"gpu": 0, "backend": backend}), start=hosts.open)
        watched.look()
    assert started == [(0, True), (1, True), (0, True), (0, False), (0, True)]
