"""Streams that share an engine in one process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livefilter import __version__
from livefilter.config import load_config
from livefilter.errors import ConfigError
from livefilter.inference.selection import why_unavailable
from livefilter.wall.config import StreamPlan, read_wall
from livefilter.wall.cost import cost_of
from livefilter.wall.hosts import HostedStream, Hosts
from livefilter.wall.machines import Machines
from livefilter.wall.process import Running, StreamProcess
from livefilter.wall.wall import Wall
from livefilter.wall.watched import Watched
from tests.wall.fake_ray import FakeNode, FakeRay
from tests.wall.test_wall import SMALL, until, write

# A stand-in for the process: it says what it was asked to start, and of 13 that it has failed.
ECHO = """
import sys, json
for line in sys.stdin:
    said = json.loads(line)
    if "start" in said:
        print(json.dumps({"stream": said["start"], "figures": {"styled_fps": said["start"]}}), flush=True)
    if "end" in said:
        print(json.dumps({"stream": said["end"], "code": 0}), flush=True)
"""


def plan(name: str, **settings: Any) -> StreamPlan:
    """A stream of the demo, so small that it costs nothing; it shares."""
    told = SMALL | {"input": "demo", "output": ["null"], "threads": 1} | settings
    return StreamPlan(name, load_config(told, environment={}).model_dump(mode="json"), share="on")


def process_of(running: Running | None) -> Any:
    """The process of a stream."""
    assert isinstance(running, HostedStream)
    return running._host.process.process


def test_a_file_says_which_streams_share(tmp_path: Path) -> None:
    """By default those on a GPU; a window and gaming mode need a process of their own."""
    text = '[defaults]\ninput = "demo"\noutput = "null"\n[streams.a]\n[streams.b]\nshare = "on"\n'
    text += '[streams.c]\nshare = "off"\n[streams.d]\nshare = "on"\noutput = "window"\n'
    text += '[streams.e]\nshare = "on"\ngaming = true\n'
    plans = read_wall(write(tmp_path, text))
    assert [each.shares(on_gpu=True) for each in plans] == [True, True, False, False, False]
    assert [each.shares(on_gpu=False) for each in plans] == [False, True, False, False, False]
    with pytest.raises(ConfigError, match="auto, on or off"):
        read_wall(write(tmp_path, '[streams.a]\ninput = "demo"\noutput = "null"\nshare = "yes"'))


def test_streams_alike_are_in_one_process_and_others_are_not() -> None:
    """Of another style or size, or one that does not share; after eight a further process is taken."""
    hosts = Hosts((sys.executable, "-c", ECHO))
    plans = [plan(str(number)) for number in range(9)]
    plans += [plan("style", style="paprika"), plan("size", process_size=128), plan("gpu", gpu=1)]
    streams = [hosts.open(each) for each in plans]
    try:
        processes = [process_of(stream).pid for stream in streams]
        assert len(set(processes[:8])) == 1
        assert len(set(processes[7:])) == 5
        told: list[dict[str, Any]] = []
        until(lambda: bool(told), lambda: told.extend(streams[2].told()))
        assert told == [{"figures": {"styled_fps": 3}}]
        streams.append(hosts.open(StreamPlan("alone", plans[0].settings)))
        assert isinstance(streams[-1], StreamProcess)
    finally:
        for stream in streams:
            stream.kill()


def test_one_that_ends_leaves_the_others_and_the_last_takes_the_process_with_it() -> None:
    """A further one gets a new process."""
    hosts = Hosts((sys.executable, "-c", ECHO))
    one, two = hosts.open(plan("a")), hosts.open(plan("b"))
    process = process_of(one)
    one.end()
    assert one.wait(30.0) == 0
    assert two.code() is None
    assert process.poll() is None
    two.end()
    assert two.wait(30.0) == 0
    assert process.wait(30.0) == 0
    again = hosts.open(plan("c"))
    assert process_of(again) is not process
    again.kill()
    assert again.wait(30.0) not in (None, 0)


def real(watch: Callable[[StreamPlan], Watched]) -> Wall:
    """Two streams of one kind, and one of the same kind whose input is missing."""
    return Wall([plan("a"), plan("b"), plan("missing", input="missing.mp4")], watch)


def test_a_real_stream_that_fails_ends_alone_and_a_process_that_dies_is_started_again() -> None:
    """The others' frames go on in between; then all of it starts anew, in one process again."""
    hosts = Hosts()
    with real(lambda each: Watched(each, start=hosts.open)) as wall:
        a, b, missing = wall.streams
        until(lambda: (a.state, b.state, missing.state) == ("running", "running", "refused"), wall.look)
        assert "missing.mp4" in missing.error
        first = process_of(a.running)
        assert process_of(b.running) is first
        meters = wall.meters()
        assert meters["a"]["batch"] == 1.0
        assert meters["a"]["frame_ms"] > 0
        first.kill()
        until(lambda: (a.restarts, b.restarts, a.state, b.state) == (1, 1, "running", "running"), wall.look)
        assert process_of(a.running) is process_of(b.running)
        second = process_of(a.running)
        assert second is not first
    assert second.wait(30.0) == 0


@pytest.mark.skipif(why_unavailable("openvino") is not None, reason="OpenVINO draws here")
def test_real_engines_draw_the_frames_of_several_streams() -> None:
    """Two streams of a bundled style share an engine, and its figures are told."""
    hosts = Hosts()
    plans = [plan(name, backend="openvino", style="hayao", process_size=64) for name in ("a", "b")]
    with Wall(plans, lambda each: Watched(each, start=hosts.open)) as wall:
        until(lambda: all(one.get("styled", 0) > 20 for one in wall.meters().values()), wall.look, 120.0)
        a, b = wall.meters().values()
        assert 1.0 <= a["batch"] <= 2.0
        assert abs(a["frame_ms"] - b["frame_ms"]) < a["frame_ms"]


def test_streams_on_the_gpu_of_a_machine_elsewhere_share_and_trials_do_not() -> None:
    """What a trial has measured says whether a kind of stream draws on a GPU there."""
    now = [0.0]
    nodes = {"gpu": FakeNode(16, gpus=1, version=__version__), "cpu": FakeNode(1, version=__version__)}
    machines = Machines(FakeRay(nodes), clock=lambda: now[0])
    settings = plan("a").settings
    plans = [StreamPlan("a", {**settings, "gpu": 0}, "gpu"), StreamPlan("b", {**settings, "gpu": 0}, "gpu", "off")]
    with Wall(plans, lambda each: Watched(each, start=machines.start, clock=lambda: now[0]), machines) as wall:
        for _ in range(200):
            now[0] += 0.25
            wall.look()
        started = zip(nodes["gpu"].streams, nodes["gpu"].together, strict=True)
        assert [together for _, together in started] == [False, True, False]


def test_the_gpu_share_of_a_stream_is_what_the_shared_engine_takes_for_it() -> None:
    """Not the time for which it waits for others."""
    figures = {"styled_fps": 30.0, "input_fps": 30.0, "latency": {"inference": {"p50_ms": 20.0}}}
    told = {"figures": figures, "cores": 0.5, "fps": 30.0, "on_gpu": True, "engine": {}}
    alone, shared = cost_of(told), cost_of(told | {"engine": {"frame_ms": 5.0, "batch": 2.0}})
    assert alone is not None
    assert shared is not None
    assert (round(alone.gpu, 3), round(shared.gpu, 3)) == (0.6, 0.15)
