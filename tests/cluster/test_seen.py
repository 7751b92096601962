"""Rendering on a real cluster of Ray, on this machine, as a user does it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.cli.test_run import environment
from tests.conftest import make_video
from tools.scale.nodes import Nodes

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install '.[cluster]'"
    ),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the cluster has been tried on Linux alone"),
    pytest.mark.timeout(600),
]
FAST = ("--backend", "identity", "--process-size", "64", "--threads", "1")


def render(tmp_path: Path, *arguments: str, also: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `livefilter render` to its end."""
    command = [sys.executable, "-m", "livefilter", "render", *arguments, *FAST]
    told = environment(tmp_path) | dict(also or {})
    return subprocess.run(command, cwd=tmp_path, env=told, capture_output=True, text=True, timeout=400, check=False)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name, as Ray's sockets need one."""
    with tempfile.TemporaryDirectory(prefix="lf-") as folder:
        yield Path(folder)


def films(folder: Path, count: int, seconds: float = 1.0) -> None:
    """Films of several lengths and kinds."""
    folder.mkdir()
    for number in range(count):
        suffix = (".mp4", ".mkv", ".mov")[number % 3]
        make_video(folder / f"{number}{suffix}", 128, 96, seconds=seconds + number / 5, audio=number % 2 == 0)


def test_this_machine_as_a_cluster_makes_the_same_files(tmp_path: Path) -> None:
    """Bit for bit those of the plain command; --json tells of each, and nothing else stays in the folder."""
    films(tmp_path / "in", 4)
    (tmp_path / "in/bad.mp4").write_bytes(b"\0" * 5000)
    plain = render(tmp_path, "in", "plain")
    done = render(tmp_path, "in", "out", "--cluster", "local", "--json")
    assert (plain.returncode, done.returncode) == (1, 1), done.stderr
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["files"] == 4
    assert "bad.mp4" in report["failed"][0]
    assert digests(tmp_path / "plain") == {Path(path).name: found for path, found in report["results"].items()}
    again = render(tmp_path, "in", "out", "--cluster", "local")
    assert again.returncode == 1
    assert "exist" in again.stderr
    assert "Traceback" not in done.stderr + again.stderr


TOGETHER = """
import sys
from pathlib import Path
from livefilter.cluster.here_first import HereFirst
from livefilter.cluster.own_worker import OwnWorker
from livefilter.cluster.ray_crew import RayCrew
from livefilter.cluster.start import start
from livefilter.cluster.tasks import Task
from tests.cluster.fake_crew import small_recipe

here, recipe, sessions = sys.argv[1], small_recipe(), []
Path(here).write_bytes(b"x")

def begin():
    sessions.append(start("local", cores=2, trusted=False))
    return sessions[0]

crew = HereFirst(OwnWorker(), recipe, here, 2, begin, lambda session, most: RayCrew(session.ray, recipe, here, most))
crew.needed()
while len(crew.members()) < 2:
    crew.wait(0.5)
for number, member in enumerate(crew.members()):
    crew.submit(member, Task(number, 0, "look", here, ""))
done = []
while len(done) < 2:
    done += crew.wait(0.5)
print(sorted((event.member.number, event.outcome.facts.size) for event in done), flush=True)
assert sessions[0].folder.exists()
crew.close()
print(sessions[0].folder.exists())
"""


def test_ray_s_workers_join_the_driver_s_own(tmp_path: Path) -> None:
    """Ray starts on a thread beside it; both do tasks, and nothing of Ray is left in the end."""
    command = [sys.executable, "-c", TOGETHER, str(tmp_path / "here")]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["[(0, 1), (1, 1)]", "False"], done.stderr
    assert "Traceback" not in done.stderr


def test_a_node_that_is_killed_costs_nothing_of_the_result(tmp_path: Path, short: Path) -> None:
    """Three nodes, one killed with SIGKILL in the middle: the files are those of one machine."""
    films(tmp_path / "in", 9, 8.0)
    assert render(tmp_path, "in", "plain").returncode == 0
    with Nodes(3, short) as nodes:
        command = [sys.executable, "-m", "livefilter", "render", "in", "out", "--cluster", nodes.address, *FAST]
        with subprocess.Popen(
            command, cwd=tmp_path, env=nodes.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            while process.poll() is None and not list((tmp_path / "out").glob("?.*")):
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.02)
            nodes.tell("kill 1")
            said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said
    assert digests(tmp_path / "out") == digests(tmp_path / "plain")
    assert "Traceback" not in said


def test_a_driver_that_is_killed_is_followed_by_another(tmp_path: Path) -> None:
    """SIGKILL in the middle: what is done stays, nothing is done twice, and --resume makes the files of one machine."""
    films(tmp_path / "in", 6, 4.0)
    assert render(tmp_path, "in", "plain").returncode == 0
    command = [sys.executable, "-m", "livefilter", "render", "in", "out", "--cluster", "local", *FAST]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE) as process:
        while process.poll() is None and not list((tmp_path / "out").glob("?.*")):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.02)
        process.kill()
        process.communicate(timeout=100)
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("?.*")}
    assert 0 < len(done) < 6
    refused = render(tmp_path, "in", "out", "--cluster", "local")
    assert refused.returncode == 1
    again = render(tmp_path, "in", "out", "--cluster", "local", "--resume")
    assert again.returncode == 0, again.stderr
    assert digests(tmp_path / "out") == digests(tmp_path / "plain")
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in done} == done


def test_a_node_that_hangs_has_its_task_done_elsewhere(tmp_path: Path, short: Path) -> None:
    """Stopped with SIGSTOP in the middle, it neither answers nor dies; the files are there all the same."""
    films(tmp_path / "in", 6, 4.0)
    assert render(tmp_path, "in", "plain").returncode == 0
    with Nodes(2, short) as nodes:
        command = [sys.executable, "-m", "livefilter", "render", "in", "out", "--cluster", nodes.address, *FAST]
        with subprocess.Popen(
            command, cwd=tmp_path, env=nodes.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            while process.poll() is None and len(list((tmp_path / "out").glob("?.*"))) < 2:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.02)
            nodes.tell("stop 1")
            said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said
    assert digests(tmp_path / "out") == digests(tmp_path / "plain")


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="root alone may mount a disk")
def test_a_node_whose_disk_is_full_leaves_its_work_to_others(tmp_path: Path, short: Path) -> None:
    """It sees no folder of ours and has no room for what it is sent; the files are those of one machine."""
    films(tmp_path / "in", 3, 3.0)
    assert render(tmp_path, "in", "plain").returncode == 0
    for name in ("out", "small"):
        (tmp_path / name).mkdir()
    with Nodes(1, short, (tmp_path / "out", tmp_path / "small")) as nodes:
        token = {name: text for name, text in nodes.environment.items() if name.startswith("RAY_")}
        done = render(tmp_path, "in", "out", "--cluster", nodes.address, also=token)
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "out") == digests(tmp_path / "plain")
    assert "No space left on device" in done.stderr
    assert "tried again" in done.stderr


def test_a_cluster_that_asks_for_no_token_is_refused(tmp_path: Path, short: Path) -> None:
    """It would run whatever anybody sends to it."""
    films(tmp_path / "in", 1)
    with Nodes(1, short, RAY_AUTH_MODE="disabled") as nodes:
        token = {name: text for name, text in nodes.environment.items() if name.startswith("RAY_")}
        done = render(tmp_path, "in", "out", "--cluster", nodes.address, also=token)
    assert done.returncode == 1
    assert "asks for no token" in done.stderr
    assert "RAY_AUTH_MODE=token" in done.stderr
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
