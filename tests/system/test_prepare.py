"""Preparing a guest, on this machine itself."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.guests import HERE


@pytest.mark.parametrize("guest", ["um", "qemu"])
def test_a_preparation_that_runs_is_left_alone(guest: str, tmp_path: Path) -> None:
    """Started a second time, it says so and deletes nothing of the first."""
    if shutil.which("flock") is None:
        pytest.skip("no flock here: it is part of util-linux")
    folder = tmp_path / guest
    half = folder / "w" / "half"
    half.parent.mkdir(parents=True)
    half.touch()
    with (tmp_path / f"{guest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [HERE / "guest" / guest / "prepare.sh"]
        environment = os.environ | {"VMDIR": str(folder)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "being prepared by another prepare.sh: wait until it has ended" in done.stderr
    assert half.exists()
