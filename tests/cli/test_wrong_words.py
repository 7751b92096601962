"""Errors whose fix once led astray: each names what really helps."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest

from livefilter.cli.ready_to_train import ready_to_train
from livefilter.errors import InvalidInput
from tests.cli.test_run import livefilter
from tests.live.senders import free_port
from tests.web.conftest import open_desk


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("wall", "status", "--port", "PORT"),
            "Start livefilter wall CONFIG.toml, or name the --port of one",
        ),
        (("wall", "drain", "a", "--port", "PORT"), "Start livefilter wall CONFIG.toml, or name the --port of one"),
        (("wall", "missing.toml"), "missing.toml cannot be read: No such file or directory. Check the path."),
        (("run", "--config", "no.toml"), "no.toml cannot be read: No such file or directory. Check the path."),
    ],
)
def test_the_fix_fits_the_command(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """One line that tells of the command that was typed."""
    given = [str(free_port()) if each == "PORT" else each for each in arguments]
    done = livefilter(tmp_path, *given)
    assert done.returncode == 1
    assert words in done.stderr
    assert "[Errno" not in done.stderr


def test_a_wall_on_a_port_that_is_taken_says_what_a_wall_can_do(tmp_path: Path) -> None:
    """Its error tells of walls and of --port, and of no live page and no next free port."""
    (tmp_path / "wall.toml").write_text('[streams.a]\ninput = "demo"\noutput = "null"\n', encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = livefilter(tmp_path, "wall", "wall.toml", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"Error: The wall's API cannot listen on 127.0.0.1 port {port}: in use by another program. If that is a wall, "
        f"`livefilter wall status --port {port}` shows it; else choose another --port."
    )


@pytest.mark.parametrize("words", [("status",), ("drain", "one")])
def test_a_live_page_is_no_wall(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whoever asks it for its streams, or to leave a machine, is told that it is none."""
    with contextlib.closing(open_desk().page) as page:
        port = page.url.rstrip("/").rpartition(":")[2]
        done = livefilter(tmp_path, "wall", *words, "--port", port)
    assert done.returncode == 1
    said = f"No wall answers at port {port}: livefilter is there, but it is no wall. Start livefilter wall CONFIG.toml"
    assert said in done.stderr


def test_a_calibration_beside_no_run_asks_for_no_film(tmp_path: Path) -> None:
    """Nobody is told to let it flash before livefilter was found."""
    done = livefilter(tmp_path, "obs", "calibrate", "--page", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "Start livefilter run" in done.stderr
    assert "flash" not in done.stdout


def test_less_than_no_threads_are_no_traceback() -> None:
    """Whether torch is there or not."""
    with pytest.raises(InvalidInput, match="--threads -2 must be 0"):
        ready_to_train(threads=-2)


def test_an_input_without_its_flag_is_told_how_to_name_one(tmp_path: Path) -> None:
    """Who has just typed `livefilter render clip.mp4` types `livefilter run clip.mp4` as well."""
    done = livefilter(tmp_path, "run", "my clip.mp4", "-o", "null")
    assert done.returncode == 2
    assert "An input is named with -i: livefilter run -i 'my clip.mp4'" in done.stderr
