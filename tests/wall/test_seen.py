"""A wall on a real cluster of Ray, on this machine, as a user runs it."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from livefilter.web.client import Client, NotAnswered
from tests.cli.test_run import environment
from tests.wall.test_wall import SMALL, until, write
from tools.scale.nodes import Nodes

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install '.[cluster]'"
    ),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the cluster has been tried on Linux alone"),
    pytest.mark.timeout(600),
]
PORT = 18427


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name, as Ray's sockets need one."""
    with tempfile.TemporaryDirectory(prefix="lf-") as folder:
        yield Path(folder)


def read(process: subprocess.Popen[str]) -> str:
    """The next line of a process."""
    assert process.stdout is not None
    return process.stdout.readline()


def test_streams_leave_a_node_that_is_killed_and_one_that_is_drained(tmp_path: Path, short: Path) -> None:
    """One of three nodes is killed, Ray takes the second one away, and on the last one they stay, whatever is asked."""
    said: list[str] = []
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in SMALL.items())
    names = "abcd"
    streams = "\n".join(f'[streams.{name}]\ninput = "demo"\noutput = "null"' for name in names)
    write(tmp_path, f"[defaults]\n{lines}\n{streams}\n")
    client = Client(f"http://127.0.0.1:{PORT}")

    def where() -> dict[str, str]:
        try:
            told = client.state()["streams"]
        except NotAnswered:
            return {}
        return {one["name"]: one["machine"] for one in told if one["state"] == "running"}

    def on(*machines: str) -> None:
        until(lambda: set(where()) == set(names) and set(where().values()) <= set(machines), lambda: None, 200.0)

    with Nodes(3, short) as nodes:
        command = [sys.executable, "-m", "livefilter", "wall"]
        told = environment(tmp_path) | {key: text for key, text in nodes.environment.items() if "RAY" in key}
        with subprocess.Popen(
            [*command, "wall.toml", "--cluster", nodes.address, "--port", str(PORT)],
            cwd=tmp_path,
            env=told,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            first, second, third = nodes.names
            on(first, second, third)
            assert set(where().values()) == {first, second, third}
            nodes.tell("kill 0")
            on(second, third)
            nodes.tell("drain 1")
            on(third)
            drain = [*command, "drain", third, "--port", str(PORT)]
            left = subprocess.run(drain, env=told, capture_output=True, text=True, check=False)
            until(lambda: f"{third} is to be left" in "".join(said), lambda: said.append(read(process)), 60.0)
            on(third)
            process.send_signal(signal.SIGINT)
            said.append(process.communicate(timeout=100)[0])
    text = "".join(said)
    assert (process.returncode, left.returncode) == (0, 0), text
    for line in (f"{first} is gone.", f"{second} is to be left", "a       running  " + third):
        assert line in text
