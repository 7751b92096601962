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
    """So many GPUs, and streams on them by name."""

    def __init__(self, count: int = 2) -> None:
        self.gpus = Gpus(range(count))
        self.streams: dict[str, FakeStream] = {}
        self.runs: dict[str, Running] = {}

    def start(self, name: str, gpu: int | None = None, **settings: Any) -> int:
        """The GPU that a stream is started on."""

        def begin(given: Mapping[str, Any]) -> Running:
            self.streams[name] = FakeStream(given)
            return self.streams[name]

        self.runs[name] = self.gpus.start(StreamPlan(name, {"gpu": gpu or 0, **settings}, gpu=gpu), begin)
        return int(self.streams[name].settings["gpu"])

    def measure(self) -> None:
        """Let all tell what they take."""
        for run in self.runs.values():
            run.told()


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
