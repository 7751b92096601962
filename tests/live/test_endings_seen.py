"""What a user sees and a script gets when an output is lost: a process of its own, a disk that is full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_run import SMALL, environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits on file sizes are POSIX")
_LIMITED = """
import resource, sys
from livefilter.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))
main(sys.argv[1:])
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`livefilter run` on the demo scene, where no file may grow beyond 6 kB."""
    command = [sys.executable, "-c", _LIMITED, "run", "-i", "demo", *SMALL, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment(folder), timeout=200, check=False
    )


def test_a_full_disk_ends_the_recording_alone(tmp_path: Path) -> None:
    """The other output gets all frames; the end says what was lost, once, with exit code 1."""
    done = run(tmp_path, "-o", "null", "-o", "clip.mp4", "--frames", "120")
    assert done.returncode == 1, done.stderr
    assert "styled." in done.stdout
    lost = [line for line in done.stdout.splitlines() if line.startswith("An output was lost:")]
    assert len(lost) == 1
    assert "clip.mp4" in lost[0]


@pytest.mark.parametrize("arguments", [("-o", "clip.mp4"), ("-o", "null", "-o", "clip.mp4", "--strict-outputs")])
def test_a_lone_or_strict_recording_ends_the_run(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """With its reason and exit code 1, long before the run would have ended."""
    done = run(tmp_path, *arguments, "--frames", "100000")
    assert done.returncode == 1, done.stdout
    assert "Error: Recording clip.mp4 stopped" in done.stderr
    assert "Going on without it" not in done.stdout + done.stderr
