"""What goes wrong around the program ends in one line and never in a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
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
