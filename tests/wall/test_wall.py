"""Many live streams, of which some fail."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from livefilter.config import load_config
from livefilter.errors import ConfigError
from livefilter.wall.config import StreamPlan, read_wall
from livefilter.wall.process import StreamProcess
from livefilter.wall.room import WallRoom
from livefilter.wall.wall import Wall
from livefilter.wall.watched import Watched
from livefilter.web.prometheus import exposition
from tests.cli.test_run import environment
from tests.terminal import in_a_terminal, read_until

SMALL = {"process_size": 64, "backend": "identity", "width": 64, "height": 48}
_HEAD = "import sys, json; line = sys.stdin.readline(); "
GOOD = _HEAD + 'print(json.dumps({"figures": {"styled_fps": 30.0}}), flush=True); sys.stdin.read()'
BAD = _HEAD + 'print(json.dumps({"error": "no such camera"}), flush=True); sys.exit(%d)'
SAYING = _HEAD + 'print(json.dumps({"input": json.loads(line)["input"]}), flush=True); sys.stdin.read()'
SILENT = "import sys; sys.stdin.readline(); sys.stdin.read(); sys.stdin = None\nwhile True: pass"


def program(text: str) -> list[str]:
    """A stand-in for the process of a stream."""
    return [sys.executable, "-c", text]


def running(*command: str) -> Callable[[StreamPlan], StreamProcess]:
    """What starts a stand-in for each stream."""
    return lambda plan: StreamProcess(plan.settings, plan.name, command)


def until(what: Callable[[], bool], look: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Look again and again until something is so."""
    ends = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < ends, "it did not come to that"
        look()
        time.sleep(0.01)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def write(tmp_path: Path, text: str) -> Path:
    """A wall's file."""
    path = tmp_path / "wall.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_names_the_streams(tmp_path: Path) -> None:
    """Each over the defaults, with its share of the cores unless it names threads."""
    path = write(
        tmp_path,
        '[defaults]\nstyle = "paprika"\n[streams.a]\ninput = "demo"\noutput = "null"\n'
        '[streams.b]\ninput = "demo"\noutput = "null"\nstyle = "hayao"\nthreads = 3\n',
    )
    a, b = read_wall(path)
    assert (a.name, a.settings["style"], b.settings["style"], b.settings["threads"]) == ("a", "paprika", "hayao", 3)
    assert a.settings["threads"] >= 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no stream"),
        ("[stream.a]", "'stream'"),
        ('[streams.a]\ninput = "demo"', "no output"),
        ('[streams.a]\noutput = "null"', "no input"),
        ('[streams.a]\ninput = "demo"\noutput = "null"\nstile = "x"', "Did you mean 'style'"),
        ('[streams."a/b"]\ninput = "demo"\noutput = "null"', "letters"),
        ("[streams.a", "not valid TOML"),
        (
            '[streams.a]\ninput = "demo"\noutput = "page:8430"\n[streams.b]\ninput = "demo"\noutput = "page:8430"',
            "both send to page:8430",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_before_anything_starts(tmp_path: Path, text: str, words: str) -> None:
    """One line, with the file and the stream."""
    with pytest.raises(ConfigError, match=words):
        read_wall(write(tmp_path, text))


def test_a_stream_that_fails_is_started_again_alone_and_ever_later() -> None:
    """The other one goes on in the same process; the error is told."""
    clock = Clock()
    commands = {"good": program(GOOD), "bad": program(BAD % 1)}
    plans = [StreamPlan(name, {}) for name in commands]
    with Wall(plans, lambda plan: Watched(plan, start=running(*commands[plan.name]), clock=clock)) as wall:
        good, bad = wall.streams
        until(lambda: good.state == "running" and bad.state == "waiting", wall.look)
        assert bad.error == "no such camera"
        process, waits = good.running, []
        for restart in range(1, 5):
            waits.append(bad._again_at - clock.now)
            clock.now = bad._again_at - 0.1
            wall.look()
            assert bad.restarts == restart - 1
            clock.now = bad._again_at
            good._heard = clock.now
            wall.look()
            assert bad.restarts == restart
            until(lambda: bad.state == "waiting", wall.look)
        assert waits == sorted(waits)
        assert waits[-1] > 2 * waits[0]
        assert good.running is process
        assert (good.state, good.restarts) == ("running", 0)
        assert [one["state"] for one in wall.state()] == ["running", "waiting"]


def test_a_stream_that_can_never_work_is_not_started_again() -> None:
    """As with an input that does not exist; the wall ends when no stream is left."""
    with Wall([StreamPlan("bad", {})], lambda plan: Watched(plan, start=running(*program(BAD % 2)))) as wall:
        until(lambda: not wall.look(), lambda: None)
        assert wall.state()[0]["state"] == "refused"
        assert wall.streams[0].restarts == 0


def test_a_stream_that_hangs_is_ended_and_started_again() -> None:
    """Silence counts as a failure, after a while."""
    clock = Clock()
    with Wall([StreamPlan("a", {})], lambda plan: Watched(plan, start=running(*program(SILENT)), clock=clock)) as wall:
        (stream,) = wall.streams
        wall.look()
        assert wall.state()[0]["state"] == "starting"
        clock.now = 1000.0
        wall.look()
        assert wall.state()[0]["state"] == "waiting"
        assert "said nothing" in stream.error


def test_secrets_of_streams_are_in_no_argument_and_in_no_state() -> None:
    """The key of an address is masked in what the API tells, and the process gets it over stdin."""
    plan = StreamPlan("a", {"input": "rtmp://server/live/secret-key-123456"})
    with Wall([plan], lambda plan: Watched(plan, start=running(*program(SAYING)))) as wall:
        (stream,) = wall.streams
        until(lambda: "input" in stream.told, wall.look)
        assert stream.told["input"] == plan.settings["input"]
        assert "secret-key" not in json.dumps(WallRoom(wall).state())
        assert isinstance(stream.running, StreamProcess)
        assert "secret-key" not in " ".join(map(str, stream.running.process.args))  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no terminals of this kind")
def test_a_closed_terminal_ends_the_wall_and_its_streams_cleanly(tmp_path: Path) -> None:
    """As Ctrl-C does: what is recorded is whole, although the terminal's end reaches the streams, too."""
    (tmp_path / "wall.toml").write_text(
        '[streams.a]\ninput = "demo"\noutput = ["a.mkv"]\nwidth = 64\nheight = 48\nprocess_size = 64\n'
        'backend = "onnxruntime"\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    with in_a_terminal(tmp_path, environment(tmp_path), "wall", "wall.toml", "--port", port) as (child, terminal):
        read_until(terminal, b"running")
        os.close(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert container.duration  # it is written at the end


def test_meters_as_prometheus_reads_them() -> None:
    """Counters end in _total, times are seconds, streams are a label."""
    streams = {'a"b': {"styled_fps": 29.5, "dropped": 3, "latency": {"age": {"p95_ms": 42.0}}, "up": 1}}
    text = exposition({"streams": streams})
    assert 'livefilter_styled_fps{stream="a\\"b"} 29.5' in text
    assert 'livefilter_dropped_total{stream="a\\"b"} 3' in text
    assert "# TYPE livefilter_dropped_total counter" in text
    assert 'livefilter_latency_age_p95_seconds{stream="a\\"b"} 0.042' in text
    assert exposition({"styled": 7, "governor": None, "obs": {"on": True}}).splitlines() == [
        "# TYPE livefilter_obs_on gauge",
        "livefilter_obs_on 1",
        "# TYPE livefilter_styled_total counter",
        "livefilter_styled_total 7",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_a_wall_as_a_user_runs_it(tmp_path: Path) -> None:
    """Two streams run, one is refused; status and metrics tell of all; Ctrl-C ends every process, without a word."""
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in SMALL.items())
    write(
        tmp_path,
        f'[defaults]\n{lines}\n[streams.a]\ninput = "demo"\noutput = "null"\n[streams.b]\ninput = "demo"\n'
        'output = "null"\nstyle = "paprika"\n[streams.c]\ninput = "missing.mp4"\noutput = "null"\n',
    )
    port = "18425"
    base = [sys.executable, "-m", "livefilter", "wall"]
    told = environment(tmp_path)
    with subprocess.Popen(
        [*base, "wall.toml", "--port", port],
        cwd=tmp_path,
        env=told,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:

        def metrics() -> str:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                    return str(answer.read().decode())
            except OSError:
                return ""

        ready = ('livefilter_up{stream="a"} 1', 'livefilter_up{stream="b"} 1', 'livefilter_up{stream="c"} 0')
        until(lambda: all(line in metrics() for line in ready), lambda: None, 120.0)
        shown = subprocess.run([*base, "status", "--port", port], env=told, capture_output=True, text=True, check=False)
        assert shown.returncode == 1, "one of the streams does not run"
        assert [line.split()[:2] for line in shown.stdout.splitlines()[1:3]] == [["a", "running"], ["b", "running"]]
        assert "refused" in shown.stdout
        assert "missing.mp4" in shown.stdout
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert "Traceback" not in said


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="OpenVINO is what binds threads to cores")
def test_streams_bind_no_thread_to_a_core() -> None:
    """It would be the same core in every process, and all others would have nothing to do."""
    settings = load_config(
        SMALL | {"backend": "openvino", "input": "demo", "output": "null", "threads": 1}, environment={}
    )
    stream = StreamProcess(settings.model_dump(mode="json"))
    try:
        heard: list[dict[str, Any]] = []
        allowed: set[tuple[int, ...]] = set()

        def look() -> None:
            heard.extend(stream.told())
            if not any("figures" in said for said in heard):
                return  # while it compiles OpenVINO binds a thread for a moment
            for thread in Path(f"/proc/{stream.process.pid}/task").iterdir():
                with contextlib.suppress(OSError):  # it has just ended
                    allowed.add(tuple(sorted(os.sched_getaffinity(int(thread.name)))))

        until(lambda: any(said.get("figures", {}).get("styled", 0) > 60 for said in heard), look, 120.0)
        assert allowed == {tuple(sorted(os.sched_getaffinity(stream.process.pid)))}
    finally:
        stream.kill()
