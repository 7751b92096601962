"""`livefilter render` as a user runs it."""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.cli.test_run import environment, livefilter
from tests.conftest import make_video
from tests.output.video.sync import picture_times

FAST = ("--backend", "identity", "--process-size", "64")


def test_a_video_is_rendered_and_summed_up(tmp_path: Path) -> None:
    """Exit code 0, the number of frames, the style and what it ran on."""
    make_video(tmp_path / "in.mp4", audio=True)
    done = livefilter(tmp_path, "render", "in.mp4", "out.mp4", *FAST)
    assert done.returncode == 0, done.stderr
    assert "out.mp4: 30 frames" in done.stderr
    assert "hayao lite on identity" in done.stderr
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].frames == 30
        assert container.streams.audio


def test_pictures_get_the_network_that_draws_best(tmp_path: Path) -> None:
    """One alone and a folder of them; a film among them makes time count, and a network that is named is taken."""
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), np.full((64, 64, 3), 90, np.uint8))
    for source, target, more, told in (
        ("in/a.png", "a.png", (), "full"),
        ("in", "out", (), "full"),
        ("in/a.png", "b.png", ("--network", "lite"), "lite"),
    ):
        done = livefilter(tmp_path, "render", source, target, *FAST, *more)
        assert f"hayao {told} on identity" in done.stderr
    make_video(tmp_path / "in" / "film.mp4", seconds=0.2)
    assert "hayao lite on identity" in livefilter(tmp_path, "render", "in", "mixed", *FAST).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.mp4", "out.mp4"), "There is no file or folder missing.mp4"),
        (("in.mp4", "in.mp4"), "cannot be both"),
        (("in.mp4", "out.mp4", "--style", "hayo"), "Did you mean 'hayao'"),
        (("in.mp4", "out.mp4", "--style", "3"), "Did you mean 'paprika'"),
        (("in.mp4", "out.mp4", "--backend", "identty"), "identity"),
        (("http://x.example/in.mp4", "out.mp4"), "http://x.example/in.mp4 is an address"),
        (("in.mp4", "rtmp://x.example/live/k-1234567890"), "rtmp://x.example/live/*** is an address"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """No traceback, no empty line, and nothing is left behind."""
    make_video(tmp_path / "in.mp4", seconds=0.2)
    done = livefilter(tmp_path, "render", *arguments)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Error: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["in.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_ctrl_c_says_where_the_part_is_and_it_plays(tmp_path: Path, name: str) -> None:
    """Exit code 130, no traceback, and a playable part beside where the output would have been; however it is ended."""
    make_video(tmp_path / "in.mp4", 320, 240, seconds=60)
    command = [sys.executable, "-m", "livefilter", "render", "in.mp4", "out.mp4", "--backend", "identity"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not any(
            part.stat().st_size > 50_000 for part in tmp_path.glob("out.partial-*.mp4")
        ):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.02)
        process.send_signal(getattr(signal, name))
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 130, said
    (part,) = tmp_path.glob("out.partial-*.mp4")
    assert part.name in said
    assert "Traceback" not in said
    assert not (tmp_path / "out.mp4").exists()
    assert len(picture_times(part)) > 10


DEMO = Path(str(files("livefilter.capture"))) / "assets" / "demo.jpg"
FACE, WALL = (120, 220), (40, 330)


def pixels(path: Path) -> np.ndarray:
    """A picture file as it is, with transparency."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def test_person_and_room_of_a_picture(tmp_path: Path) -> None:
    """The room cut away in a PNG, green in a JPEG, or another picture; the person as in the photo."""
    fast = ("--backend", "onnxruntime", "--process-size", "128")
    cv2.imwrite(str(tmp_path / "beach.png"), np.full((60, 90, 3), (10, 200, 30), np.uint8))
    for name, *flags in (
        ("cut.png", "--room", "transparent"),
        ("cut.jpg", "--room", "transparent"),
        ("put.png", "--room", "beach.png", "--person", "raw"),
    ):
        done = livefilter(tmp_path, "render", str(DEMO), name, *fast, *flags)
        assert done.returncode == 0, done.stderr
        assert ("is plain green" in done.stderr) == (name == "cut.jpg")
    cut = pixels(tmp_path / "cut.png")
    assert (cut[FACE][3], cut[WALL].tolist()) == (255, [0, 0, 0, 0])
    assert np.abs(pixels(tmp_path / "cut.jpg")[WALL].astype(int) - (64, 177, 0)).max() < 8
    put = pixels(tmp_path / "put.png")
    assert put[WALL].tolist() == [10, 200, 30]
    assert np.array_equal(put[FACE], pixels(DEMO)[FACE])


def test_a_transparent_room_of_a_video_is_kept_where_the_file_can(tmp_path: Path) -> None:
    """ProRes 4444 in .mov; a clip as the room is refused, for it plays by the clock."""
    make_video(tmp_path / "in.mp4", seconds=0.2)
    fast = ("--backend", "onnxruntime", "--process-size", "64")
    done = livefilter(tmp_path, "render", "in.mp4", "out.mov", *fast, "--room", "transparent")
    assert done.returncode == 0, done.stderr
    with av.open(str(tmp_path / "out.mov")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("prores", "yuva444p12le")
    done = livefilter(tmp_path, "render", "in.mp4", "other.mp4", *FAST, "--room", "in.mp4")
    assert done.returncode == 1
    assert "in.mp4 is a clip, and a room shows one only live. Name a picture." in done.stderr
