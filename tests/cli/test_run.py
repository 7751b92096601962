"""`livefilter run` as a user runs it: a process of its own, no camera, no display, no driver."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import cv2
import pytest

from livefilter.cli.run import _clean_interrupt
from livefilter.control.settings import LiveSettings, SharedSettings
from tests.commands import run_command
from tests.conftest import make_video, picture
from tests.terminal import in_a_terminal, read_until

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--width", "64", "--height", "48", "--process-size", "64", "--backend", "onnxruntime")


def environment(tmp_path: Path) -> dict[str, str]:
    """This machine's environment without a display or the user's own settings."""
    desktop = {"DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"}
    kept = {name: value for name, value in os.environ.items() if name not in desktop}
    return {**kept, "XDG_CONFIG_HOME": str(tmp_path / "config"), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}


def livefilter(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return run_command(arguments, tmp_path, environment(tmp_path))


def test_the_demo_scene_runs_and_reports(tmp_path: Path) -> None:
    """--frames ends the run, --json prints one object with the figures, and it is all that stdout holds."""
    done = livefilter(tmp_path, "run", "-i", "demo", "-o", "null", *SMALL, "--frames", "10", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["styled"] >= 10
    assert report["sent"] > 0
    assert (report["style"], report["network"]) == ("hayao", "lite")
    assert report["backend"] == "onnxruntime"
    assert report["latency"]["age"]["p95_ms"] > 0


def test_auto_input_without_a_camera_says_so_once_and_shows_the_demo(tmp_path: Path) -> None:
    """One clear line names the reason and the fix; the run goes on."""
    if any(Path("/dev").glob("video*")):
        pytest.skip("this machine has a camera")
    done = livefilter(tmp_path, "run", "-o", "null", *SMALL, "--frames", "3")
    assert done.returncode == 0, done.stderr
    assert sum("demo scene" in line and "--input" in line for line in done.stdout.splitlines()) == 1


def test_a_video_is_recorded_styled_with_its_sound(tmp_path: Path) -> None:
    """A file input ends by itself; the recording has its size, its length and its sound, and is not the input."""
    source = make_video(tmp_path / "in.mp4", 96, 64, fps=25, seconds=2, audio=True)
    done = livefilter(tmp_path, "run", "-i", str(source), "-o", "out.mp4", *SMALL)
    assert done.returncode == 0, done.stderr
    with av.open(str(tmp_path / "out.mp4")) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video)]
        assert (video.width, video.height) == (96, 64)
        assert sound.codec_context.name == "aac"
    assert len(frames) > 5
    assert abs(frames[5].astype(int) - picture(96, 64, 5)).mean() > 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-i", "missing.mp4"), "missing.mp4"),
        (("-i", "broken.mp4"), "broken.mp4"),
        (("-i", "notes.txt"), "notes.txt"),
        (("-i", "rtsp://127.0.0.1:9/none"), "127.0.0.1:9"),
        (("-i", "folder"), "livefilter render"),
        (("-i", "demo", "-s", "hayoa"), "Did you mean 'hayao'"),
        (("-i", "demo", "--backend", "onnxrutime"), "Did you mean 'onnxruntime'"),
        (("-i", "demo", "--backend", "onnxruntime-cuda"), "onnxruntime"),
        (("-i", "demo", "-o", "nowhere/out.mp4"), "nowhere"),
        (("-i", "demo", "-o", "exists.mp4"), "exists.mp4"),
        (("-i", "demo", "-o", "camrea"), "camera"),
        (("-i", "demo", "-o", "window"), "display"),
        (("-i", "demo", "-o", "rtmp://127.0.0.1:9/live"), "127.0.0.1:9"),
        (("-i", "demo", "-o", "page:0.0.0.0:8090"), "0.0.0.0"),
        (("-i", "demo", "--width", "0"), "width"),
        (("-i", "demo", "--width", "99999"), "width"),
        (("-i", "demo", "--fps", "-1"), "fps"),
        (("-i", "demo", "--process-size", "7"), "process_size"),
        (("-i", "demo", "--network", "ful"), "auto or lite or full"),
        (("-i", "demo", "--config", "none.toml"), "none.toml"),
        (("-i", "demo", "--profile", "x"), "Profile 'x'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """What is wrong is named in one line, the exit code is 1, there is no traceback and nothing is overwritten."""
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 4096)
    (tmp_path / "notes.txt").write_text("not a video")
    (tmp_path / "exists.mp4").write_bytes(b"keep me")
    (tmp_path / "folder").mkdir()
    outputs = () if "-o" in arguments else ("-o", "null")
    done = livefilter(tmp_path, "run", *arguments, *outputs, "--frames", "1")
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert done.returncode == 1, done.stderr
    assert len(errors) == 1
    assert said in errors[0]
    assert "Traceback" not in done.stderr
    assert (tmp_path / "exists.mp4").read_bytes() == b"keep me"


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently there")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupt_finishes_the_recording(tmp_path: Path, name: str) -> None:
    """Ctrl-C, SIGTERM and a terminal that is closed end with exit code 0 and a recording that plays."""
    command = [sys.executable, "-m", "livefilter", "run", "-i", "demo", "-o", "out.mp4", "-o", "page", *SMALL]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path, env=environment(tmp_path)
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "styled" in line:  # the first status line: frames are flowing
                break
        process.send_signal(getattr(signal, name))
        rest = process.stdout.read()
        assert process.wait(120) == 0, rest
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) > 0


@pytest.mark.skipif(sys.platform == "win32", reason="it has no terminals of this kind")
def test_a_closed_terminal_ends_the_run_cleanly(tmp_path: Path) -> None:
    """Although nothing can be read from it or written to it any more; its shell sends a second signal."""
    with in_a_terminal(tmp_path, environment(tmp_path), "run", "-i", "demo", *SMALL, "-o", "out.mkv") as (
        child,
        terminal,
    ):
        read_until(terminal, b"styled")
        os.close(terminal)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGHUP)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.duration  # it is written at the end


@pytest.mark.skipif(sys.platform == "win32", reason="it has no terminals of this kind")
def test_the_summary_names_what_was_recorded(tmp_path: Path) -> None:
    """Also a recording that was still on when the run was ended, which nobody was told of otherwise."""
    arguments = ("run", "-i", "demo", *SMALL, "-o", "null", "--recordings", str(tmp_path / "clips"))
    with in_a_terminal(tmp_path, environment(tmp_path), *arguments) as (child, terminal):
        read_until(terminal, b"styled")
        os.write(terminal, b"r")
        read_until(terminal, b"Recording to")
        os.write(terminal, b"q")
        said = read_until(terminal, b"Ended after").decode()
        read_until(terminal, b"nothing more")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    (recorded,) = (tmp_path / "clips").iterdir()
    assert f"\nRecorded {recorded}\r" in said


def test_a_file_that_ends_says_so_and_names_no_page(tmp_path: Path) -> None:
    """The summary tells why the run is over, and nothing that was only true while it ran."""
    cv2.imwrite(str(tmp_path / "one.png"), picture(64, 48))
    made = livefilter(tmp_path, "run", "-i", "one.png", "-o", "clip.mp4", *SMALL, "--frames", "10")
    assert "at its end" not in made.stdout + made.stderr
    done = livefilter(tmp_path, "run", "-i", "clip.mp4", "-o", "page", "--no-idle", *SMALL)
    lines = (done.stdout + done.stderr).splitlines()
    assert lines[-1].endswith("frames styled: the input is at its end; --loop plays a file over and over."), lines
    assert not any(line.startswith("page ") for line in lines)


def test_an_interrupt_while_the_program_loads_is_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In place of a traceback through the libraries that are being imported."""

    class Interrupting:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "livefilter.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "livefilter.cli.main", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    from livefilter.__main__ import main

    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().err) == (130, "Stopped.\n")


def test_a_second_interrupt_gives_the_terminal_back_and_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one is only noted; the second one restores the terminal before the process goes."""
    done: list[object] = []
    monkeypatch.setattr(os, "_exit", done.append)
    with _clean_interrupt(SharedSettings(LiveSettings("any")), lambda: done.append("restored")) as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert (list(interrupts), done) == ([signal.SIGINT], [])
        signal.raise_signal(signal.SIGINT)
    assert done[:2] == ["restored", 128 + signal.SIGINT]


def test_sizes_come_out_as_they_went_in(tmp_path: Path) -> None:
    """Odd, portrait and tiny pictures are recorded at their own size, within the one column that H.264 may need."""
    for width, height in ((2, 2), (101, 57), (54, 96)):
        path = tmp_path / f"{width}x{height}.png"
        cv2.imwrite(str(path), picture(width, height))
        out = f"{width}x{height}.mp4"
        done = livefilter(tmp_path, "run", "-i", str(path), "-o", out, "--process-size", "64", "--frames", "3")
        assert done.returncode == 0, done.stderr
        with av.open(str(tmp_path / out)) as container:
            video = container.streams.video[0]
            assert 0 <= video.width - width <= 1
            assert 0 <= video.height - height <= 1
