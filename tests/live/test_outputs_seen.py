"""Whole runs that lose one of their outputs to a real server and a real disk, while the page goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import av
import pytest

from livefilter import Client
from tests.cli.test_run import ROOT, SMALL, environment
from tests.fakes import until
from tests.hostile.lonely import NOT_ALLOWED
from tests.live.test_run_seen import Program
from tests.output.video.test_stream import free_port, wait_until_listening

KEY = "live_sEcReT_0123456789"


@contextmanager
def ffmpeg_server(port: int, saved: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An RTMP server that takes one publisher and writes down what it sends."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("needs ffmpeg as the server")
    address = f"rtmp://127.0.0.1:{port}/live/any"
    command = [ffmpeg, "-loglevel", "error", "-y", "-listen", "1", "-i", address, "-c", "copy", "-flush_packets", "1"]
    with subprocess.Popen([*command, str(saved)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until_listening(port)
            yield server
        finally:
            server.kill()


def grows(path: Path, by: int = 20_000) -> Callable[[], bool]:
    """Whether a file has come to have that many bytes more than now."""
    first = path.stat().st_size if path.exists() else 0
    return lambda: path.exists() and path.stat().st_size > first + by


def has_page(program: Program) -> bool:
    """Whether a run has come to open its page, which is the last of its outputs, or has ended."""
    until(lambda: any("live page" in line for line in program.lines) or program.process.poll() is not None, "a start")
    if any("live page" in line for line in program.lines):
        return True
    program.end()
    return False


def goes_on(client: Client) -> None:
    """Wait for frames that are sent from now on."""
    before = client.meters()["sent"]
    until(lambda: client.meters()["sent"] > before + 5, "frames go on")


def test_a_server_that_starts_again_gets_its_stream_again(tmp_path: Path) -> None:
    """Its death is told once and without the key; the page goes on, and the next server gets pictures."""
    port = free_port()
    command = ["-i", "demo", *SMALL, "-o", f"rtmp://127.0.0.1:{port}/live/{KEY}", "-o", "page:0", "--duration", "280"]
    with ExitStack() as servers:
        for _ in range(5):
            server = servers.enter_context(ffmpeg_server(port, tmp_path / "first.flv"))
            program = Program(tmp_path, *command, "--json")
            if has_page(program):
                break
            # A busy machine takes longer to greet the server than a user is let wait for the start of a run.
            server.kill()
        try:
            client = Client(program.said("live page").split()[-1])
            until(grows(tmp_path / "first.flv"), "the stream at the first server")
            server.kill()
            until(lambda: any("lost" in each["state"] for each in client.state()["outputs"]), "the loss")
            goes_on(client)
            servers.enter_context(ffmpeg_server(port, tmp_path / "second.flv"))
            until(grows(tmp_path / "second.flv"), "the stream at the second server")
            goes_on(client)
            states = [each["state"] for each in client.state()["outputs"]]
            assert not any("lost" in state for state in states), states
            notices = [each["text"] for each in client.state()["notices"]]
        finally:
            program.process.terminate()
            program.end()
    about = [text for text in notices if "rtmp" in text]
    assert len(about) == 2, about  # lost, and back
    assert KEY not in " ".join(notices + program.lines) + program.output
    with av.open(str(tmp_path / "second.flv")) as video:
        assert len(list(video.decode(video=0))) > 5


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux to mount a small disk")
def test_a_full_disk_ends_the_recording_alone(tmp_path: Path) -> None:
    """The run goes on to its end without the file, says so and ends with 1; what fitted is a playable video."""
    disk, kept = tmp_path / "disk", tmp_path / "kept.mp4"
    disk.mkdir()
    command = [
        "run", "-i", "demo", *SMALL, "--width", "640", "--height", "480", "-o", str(disk / "out.mp4"), "-o", "null",
        "--frames", "200", "--json",
    ]  # fmt: skip
    keep = "import shutil, subprocess, sys; code = subprocess.run(sys.argv[3:]).returncode; shutil.copy(*sys.argv[1:3])"
    done = subprocess.run(
        [
            sys.executable, "-m", "tests.hostile.mounts", "small", str(disk), sys.executable, "-c",
            f"{keep}; sys.exit(code)", str(disk / "out.mp4"), str(kept), sys.executable, "-m", "livefilter", *command,
        ],
        env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    if done.returncode == NOT_ALLOWED:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["styled"] >= 200
    assert len(report["lost_outputs"]) == 1
    assert "the disk is full" in report["lost_outputs"][0]
    assert "Traceback" not in done.stderr
    with av.open(str(kept)) as video:
        assert len(list(video.decode(video=0))) > 5
