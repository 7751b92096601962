"""Streams on many machines: where each runs, and what becomes of it when its machine is left or gone."""

from __future__ import annotations

import pytest

from livefilter import __version__
from livefilter.errors import InvalidInput, UnknownName
from livefilter.wall.config import StreamPlan
from livefilter.wall.cost import CoreMeter, Cost, cost_of
from livefilter.wall.machines import Machines
from livefilter.wall.placement import Place, Taken, choose
from livefilter.wall.room import WallRoom
from livefilter.wall.wall import Wall
from livefilter.wall.watched import Watched
from tests.wall.fake_ray import FakeNode, FakeRay


class Hall:
    """A wall on machines; its clock goes a quarter of a second with each look.

    said: what was told of machines.
    """

    def __init__(self, plans: list[StreamPlan], **nodes: FakeNode) -> None:
        for node in nodes.values():
            node.version = node.version or __version__
        self.now = 0.0
        self.said: list[str] = []
        self.ray = FakeRay(nodes)
        self.machines = Machines(self.ray, self.said.append, self.clock)
        self.wall = Wall(plans, lambda plan: Watched(plan, start=self.machines.start, clock=self.clock), self.machines)

    def clock(self) -> float:
        return self.now

    def look(self, times: int = 100) -> None:
        for _ in range(times):
            self.now += 0.25
            self.wall.look()

    @property
    def where(self) -> dict[str, str]:
        return {one["name"]: one["machine"] if one["state"] == "running" else one["state"] for one in self.wall.state()}


def plans(*names: str, **settings: object) -> list[StreamPlan]:
    """Streams of one kind, each with an input of its own."""
    return [StreamPlan(name, {"input": name, "output": [name]} | settings) for name in names]


def test_each_stream_goes_where_the_load_is_the_lowest_with_it() -> None:
    """By what one costs on each machine: the one with twice the cores gets twice as many, the slow one the fewest."""
    hall = Hall(plans(*"abcdefg"), small=FakeNode(2), large=FakeNode(4), slow=FakeNode(2, lambda settings: 1.0))
    hall.look()
    assert sorted(hall.where.values()) == ["large"] * 4 + ["slow"] + ["small"] * 2
    state = {one["name"]: (one["streams"], one["load"]) for one in WallRoom(hall.wall).state()["machines"]}
    assert state == {"small": (2, 0.5), "large": (4, 0.5), "slow": (1, 0.5)}


def test_what_a_kind_of_stream_costs_is_measured_with_neither_its_input_nor_its_output() -> None:
    """Once for each kind on each machine, and the trial ends before the first stream starts."""
    node = FakeNode(4)
    hall = Hall([*plans("a", "b", style="hayao"), *plans("c", style="paprika")], only=node)
    hall.look()
    trials = [stream for stream in node.streams if stream.settings["input"] == "demo"]
    assert [stream.settings["output"] for stream in trials] == [["null"]] * 2
    assert all(stream.code() is not None for stream in trials)
    assert [stream.settings["input"] for stream in node.streams if stream not in trials] == ["a", "b", "c"]


def test_streams_of_a_machine_that_is_gone_run_elsewhere_at_once() -> None:
    """Those of others go on in the same process, and nothing waits as after a failure."""
    hall = Hall(plans(*"abcd"), one=FakeNode(4), two=FakeNode(4))
    hall.look()
    stayed = {stream.plan.name: stream.running for stream in hall.wall.streams if stream.machine == "one"}
    hall.ray.machines["two"].alive = False
    hall.look(12)
    assert set(hall.where.values()) == {"one"}
    assert {each.plan.name: each.running for each in hall.wall.streams if each.plan.name in stayed} == stayed
    assert [one["restarts"] for one in hall.wall.state()] == [int(one not in stayed) for one in "abcd"]
    assert "two is gone." in hall.said


@pytest.mark.parametrize("who", ["the wall", "Ray"])
def test_streams_move_away_from_a_machine_that_is_to_be_left(who: str) -> None:
    """One after the other; each old one has ended before its new one starts, and a new stream never goes there."""
    hall = Hall(plans(*"abcd"), one=FakeNode(4), two=FakeNode(4))
    hall.look()
    if who == "Ray":
        hall.ray.draining.add("two")
    else:
        WallRoom(hall.wall).perform("drain", {"machine": "two"})
    for _ in range(60):
        hall.look(1)
        assert sum(stream.state in ("moving", "starting") for stream in hall.wall.streams) <= 2
        for name in "abcd":
            runs = [
                each for node in hall.ray.machines.values() for each in node.streams if each.settings["input"] == name
            ]
            assert sum(each.code() is None for each in runs) <= 1
    assert set(hall.where.values()) == {"one"}
    assert [(one["name"], one["streams"], one["leaves"]) for one in hall.machines.state()] == [
        ("one", 4, False),
        ("two", 0, True),
    ]
    with pytest.raises(UnknownName, match=r"machine of the wall 'twoo'\. Did you mean 'two'\? Known: one, two"):
        WallRoom(hall.wall).perform("drain", {"machine": "twoo"})


def test_who_asks_a_wall_for_what_it_does_not_do_is_told_what_it_does() -> None:
    """The fix is one that a wall has."""
    on_one = WallRoom(Wall([], Watched))
    with pytest.raises(InvalidInput, match=r"nowhere to go\. Start it with --cluster"):
        on_one.perform("drain", {"machine": "one"})
    with pytest.raises(InvalidInput, match=r"does not do style\. It takes the action drain, with machine"):
        on_one.perform("style", {"name": "ink"})


def test_streams_stay_where_there_is_no_other_machine() -> None:
    """Better there than nowhere."""
    hall = Hall(plans("a"), one=FakeNode(4))
    hall.look()
    hall.machines.drain("one")
    hall.look()
    assert hall.where == {"a": "one"}
    assert hall.wall.state()[0]["restarts"] == 0
    assert hall.said[0] == "one has come: 4 cores, 0 GPUs."
    assert hall.said[-1] == "one is to be left: there is no other machine yet, so its streams stay."


def test_a_stream_runs_on_the_machine_that_it_names_or_waits_for_it() -> None:
    """As one whose camera is there."""
    there, gone = (StreamPlan(name, {"input": name, "output": [name]}, name) for name in ("two", "three"))
    hall = Hall([there, gone], one=FakeNode(8), two=FakeNode(1))
    hall.look()
    assert hall.where == {"two": "two", "three": "waiting"}
    assert "three is waited for" in hall.wall.state()[1]["error"]
    hall.ray.machines["three"] = FakeNode(1, version=__version__)
    hall.look()
    assert hall.where == {"two": "two", "three": "three"}


def test_a_machine_that_cannot_style_so_gets_no_stream() -> None:
    """The others do; where none can, the stream says why."""
    hall = Hall(plans("a", "b"), bare=FakeNode(64, lambda settings: "No backend."), good=FakeNode(1))
    hall.look()
    assert set(hall.where.values()) == {"good"}
    hall = Hall(plans("a"), bare=FakeNode(64, lambda settings: "No backend."))
    hall.look()
    assert hall.wall.state()[0]["error"] == "bare: No backend."


def test_machines_with_another_livefilter_or_none_are_left_out_and_named_once() -> None:
    """They would make other pictures, or nothing."""
    hall = Hall(plans("a"), other=FakeNode(64, version="0.0.1"), none=FakeNode(64), good=FakeNode(1))
    hall.ray.machines["none"].version = ""
    hall.look()
    assert hall.where == {"a": "good"}
    assert [line for line in hall.said if "left out" in line] == [
        f"other is left out: it has livefilter 0.0.1, and not {__version__}.",
        "none is left out: no livefilter",
    ]


def test_a_machine_that_hangs_has_its_streams_run_elsewhere() -> None:
    """It says nothing, and gets no stream until it does again; then its old ones end."""
    hall = Hall(plans("a", "b"), one=FakeNode(4), two=FakeNode(4))
    hall.look()
    hall.ray.machines["two"].hangs = True
    hall.look(140)
    assert set(hall.where.values()) == {"one"}
    hall.ray.machines["two"].hangs = False
    hall.look(8)
    assert all(stream.code() is not None for stream in hall.ray.machines["two"].streams)


def test_a_gpu_with_less_to_do_is_taken() -> None:
    """Each GPU of a machine for itself; the cores count as well."""
    place = Place("n", "host", 8, gpus=2)
    costs = {"n": Cost(1.0, 0.3)}
    assert choose([place], [Taken("n", 0, Cost(1.0, 0.3))], costs) == (place, 1)
    assert choose([place], [Taken("n", 0, Cost(1.0, 0.1)), Taken("n", 1, Cost(1.0, 0.2))], costs) == (place, 0)
    full = [Taken("n", 0, Cost(8.0, 0.1))]
    other = Place("m", "other", 8, gpus=1)
    assert choose([place, other], full, costs | {"m": Cost(1.0, 0.9)}) == (other, 0)


def test_what_a_stream_costs_is_what_it_would_take_if_no_frame_were_late() -> None:
    """Half of the frames at one core are two cores; a slow camera is no reason to count more."""
    told = {"cores": 1.0, "fps": 0, "figures": {"styled_fps": 15.0, "input_fps": 30.0, "latency": {}}}
    assert cost_of(told) == Cost(2.0)
    told["figures"] = {"styled_fps": 10.0, "input_fps": 10.0, "latency": {"inference": {"p50_ms": 20.0}}}
    assert cost_of(told | {"on_gpu": True}) == Cost(1.0, 0.2)
    assert cost_of({"cores": None, "figures": told["figures"]}) is None


def test_cores_that_a_process_takes() -> None:
    """Over the last seconds, not since its start; nothing is said before there is something to say."""
    now, spent = [0.0], [0.0]
    meter = CoreMeter(lambda: now[0], lambda: spent[0])
    assert meter.cores() is None
    for second in range(1, 21):
        now[0], spent[0] = float(second), spent[0] + (2.0 if second <= 10 else 0.5)
        cores = meter.cores()
        if second == 10:
            assert cores == pytest.approx(2.0)
    assert cores == pytest.approx(0.5)
