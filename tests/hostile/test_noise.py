"""What goes wrong around the program ends in one line and never in a traceback."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from livefilter.cli import main as program
from livefilter.control import terminal
from livefilter.errors import SinkLost
from livefilter.output.base import SinkOptions
from livefilter.output.video.recording import RecordingSink
from tests.conftest import frame


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no such terminals")
def test_a_terminal_that_is_another_sessions_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """`setsid livefilter run` has a terminal and may not ask who is in front of it."""
    main, side = os.openpty()
    try:
        with os.fdopen(os.dup(side)) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            assert not terminal._in_foreground()
    finally:
        os.close(main)
        os.close(side)


def test_a_drawing_is_refused_in_a_line(tmp_path: Path) -> None:
    """An SVG file is no picture, and says how to make one of it."""
    (tmp_path / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    command = [sys.executable, "-m", "livefilter", "run", "-i", "a.svg", "-o", "null"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert "export it as PNG" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_room_for_a_thread_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where memory or the number of threads is at its limit."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(SystemExit) as ended:
        program.main(["run", "-i", "demo", "-o", "null", "--backend", "identity", "--frames", "2"])
    assert ended.value.code == 1
    assert "No more threads" in capsys.readouterr().err


def test_an_empty_file_is_not_called_playable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that is full from the start nothing is left, and the message says so."""
    sink = RecordingSink(str(tmp_path / "out.mp4"), SinkOptions(64, 48, 30.0))

    def full(given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sink._muxer, "write", full)
    with pytest.raises(SinkLost, match=r"the disk is full\. Nothing was recorded"):
        sink.send(frame())
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_bad_requests_print_nothing() -> None:
    """A dozen requests that are none, to the page of a real run: it prints no line for them, and goes on answering."""
    command = [sys.executable, "-u", "-m", "livefilter", "run", "-i", "demo", "-o", "page:0", "--backend", "identity"]
    run = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.stdout is not None
    try:
        address = None
        for line in run.stdout:
            address = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if address:
                break
        assert address is not None
        port = int(address[1])
        for number in range(12):
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                connection.sendall(
                    (b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x00\xff\r\n\r\n", b"A" * 9000)[number % 3]
                )
                connection.settimeout(10)
                with contextlib.suppress(OSError):
                    connection.recv(4096)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            assert answer.status == 200
    finally:
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 0
    for word in ("Traceback", "HTTP", "Error", "BadStatusLine", "\\x16"):
        assert word not in said
    assert len(said.splitlines()) < 12
