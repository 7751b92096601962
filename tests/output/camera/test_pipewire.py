"""The PipeWire camera: with stand-ins for GStreamer's programs, and with the real ones where they are."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from livefilter.errors import InvalidInput, SinkLost, SinkUnavailable
from livefilter.frame import Frame
from livefilter.output.base import SinkOptions
from livefilter.output.camera.pipewire import PipeWireSink
from tests.conftest import frame, picture
from tests.fakes import until

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PipeWire is a part of Linux")
OPTIONS = SinkOptions(64, 48, 30.0)
_PROGRAMS = ("pipewire", "wireplumber", "wpctl", "dbus-run-session", "gst-launch-1.0", "gst-inspect-1.0")


def stand_in_programs(
    monkeypatch: pytest.MonkeyPatch, folder: Path, launch: str = "cat > frames", inspect: str = "true"
) -> None:
    """A machine with PipeWire, where GStreamer's programs are shell scripts that run in `folder`."""
    for name, script in (("gst-launch-1.0", launch), ("gst-inspect-1.0", inspect)):
        program = folder / name
        program.write_text(f'#!/bin/sh\ncd {folder}\necho "$@" > {name}.said\n{script}\n')
        program.chmod(0o755)
    (folder / "pipewire-0").touch()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(folder))
    monkeypatch.delenv("PIPEWIRE_REMOTE", raising=False)


def size_of(path: Path) -> int:
    """How many bytes are in a file that another program may not have made yet."""
    return path.stat().st_size if path.exists() else 0


@linux_only
def test_frames_reach_the_program_as_nv12(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program is told size, rate and colours, and its pipe carries the picture."""
    stand_in_programs(monkeypatch, tmp_path)
    with PipeWireSink("My camera", OPTIONS) as sink:
        sink.send(frame())
        until(lambda: size_of(tmp_path / "frames") == 64 * 48 * 3 // 2, "one whole frame")
    said = (tmp_path / "gst-launch-1.0.said").read_text()
    for words in ("width=64 height=48 format=nv12", "framerate=30000/1000", "media.class=Video/Source", "My camera"):
        assert words in said
    sent = np.fromfile(tmp_path / "frames", np.uint8).reshape(72, 64)
    back = cv2.cvtColor(sent, cv2.COLOR_YUV2BGR_NV12)
    assert np.abs(back[16:].astype(int) - picture()[16:]).mean() < 3


@linux_only
def test_a_program_that_reads_nothing_holds_nobody_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a client nothing may be read for hours: frames are replaced, and closing ends it."""
    stand_in_programs(monkeypatch, tmp_path, launch="exec sleep 600")
    sink = PipeWireSink("", SinkOptions(640, 480, 30.0))
    done = threading.Event()

    def send() -> None:
        for number in range(20):
            sink.send(frame(640, 480, number))
        done.set()

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    assert done.wait(60)
    sink.close()


@linux_only
def test_a_program_that_ends_is_told_with_its_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """At the start it is a sink that cannot be opened, later one that is lost."""
    monkeypatch.setattr("livefilter.output.camera.pipewire._STARTS_WITHIN_S", 60.0)
    stand_in_programs(monkeypatch, tmp_path, launch="echo 'ERROR: no remote.' >&2; exit 1")
    with pytest.raises(SinkUnavailable, match=r"'livefilter' cannot be provided: ERROR: no remote\."):
        PipeWireSink("", OPTIONS)
    stand_in_programs(monkeypatch, tmp_path, launch="head -c 1; echo 'ERROR: gone' >&2; exit 1")
    monkeypatch.setattr("livefilter.output.camera.pipewire._STARTS_WITHIN_S", 0.1)
    sink = PipeWireSink("", OPTIONS)

    def lost() -> bool:
        try:
            sink.send(frame())
        except SinkLost as error:
            return "ERROR: gone" in str(error)
        return False

    until(lost, "a lost sink")
    sink.close()


@linux_only
def test_what_is_missing_is_named_with_its_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """GStreamer, its plugin, or PipeWire itself."""
    stand_in_programs(monkeypatch, tmp_path, inspect="false")
    assert "no pipewiresink" in (PipeWireSink.unavailable() or "")
    stand_in_programs(monkeypatch, tmp_path)
    assert PipeWireSink.unavailable() is None
    (tmp_path / "pipewire-0").unlink()
    assert "systemctl --user start pipewire" in (PipeWireSink.unavailable() or "")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert "no gst-launch-1.0" in (PipeWireSink.unavailable() or "")
    with pytest.raises(SinkUnavailable, match=r"no gst-launch-1\.0"):
        PipeWireSink("", OPTIONS)


def test_a_name_that_would_be_syntax_is_refused() -> None:
    """Nothing that a user types becomes a part of GStreamer's pipeline."""
    with pytest.raises(InvalidInput, match="letters, digits"):
        PipeWireSink("x,media.class=Audio/Sink", OPTIONS)


def said_by(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A PipeWire of its own, as a desktop session has one; the test is skipped where it is not installed."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("PIPEWIRE_RUNTIME_DIR", raising=False)
    session = subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", "pipewire & sleep 1; exec wireplumber"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: PipeWireSink.unavailable() is None or session.poll() is not None, "PipeWire")
        if session.poll() is not None or PipeWireSink.unavailable():
            pytest.skip(f"PipeWire does not start here: {PipeWireSink.unavailable()}")
        # A client that comes before the session manager is never linked to anything.
        until(lambda: "WirePlumber" in said_by("wpctl", "status"), "the session manager")
        yield
    finally:
        os.killpg(session.pid, signal.SIGTERM)
        session.wait(30)


def test_clients_of_a_real_pipewire_see_the_picture(desktop: None, tmp_path: Path) -> None:
    """Two clients one after the other receive frames of the right size and colours."""
    stop = threading.Event()
    colour = (40, 120, 200)
    sent = Frame(np.full((180, 320, 3), colour, np.uint8), 0, 0.0)
    with PipeWireSink("livefilter-test", SinkOptions(320, 180, 30.0)) as sink:

        def send() -> None:
            while not stop.wait(1 / 30):
                sink.send(sent)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            until(lambda: "livefilter-test" in said_by("wpctl", "status"), "the camera in PipeWire's list")
            for number in range(2):
                path = tmp_path / f"{number}.bgr"
                source = "pipewiresrc target-object=livefilter-test num-buffers=5 ! videoconvert"
                pipeline = f"{source} ! video/x-raw,format=BGR ! filesink location={path}"
                subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], timeout=200, check=True)
                seen = np.fromfile(path, np.uint8).reshape(-1, 180, 320, 3)
                assert len(seen) == 5
                assert np.abs(seen[-1].astype(int) - colour).max() <= 5
        finally:
            stop.set()
            thread.join(30)
