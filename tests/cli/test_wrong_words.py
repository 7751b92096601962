"""Errors whose fix once led astray: each names what really helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefilter.cli.ready_to_train import ready_to_train
from livefilter.errors import InvalidInput
from tests.cli.test_run import livefilter
from tests.live.senders import free_port


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("wall", "status", "--port", "PORT"), "Start livefilter wall CONFIG.toml, or correct the address."),
        (("wall", "drain", "one", "--port", "PORT"), "Start livefilter wall CONFIG.toml, or correct the address."),
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
