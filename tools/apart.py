"""Runs what needs MediaPipe in a Python that has it, for its requirements are at odds with livefilter's own."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from livefilter.errors import InvalidInput

_PROJECT = Path(__file__).resolve().parents[1]


def run_apart(python: Path, arguments: Sequence[str], what: str, option: str, timeout_s: float, given: str = "") -> str:
    """What it printed.

    arguments: of that Python. what: it looks for, and option: names that Python, for errors. given: for it to read.
    Raises: InvalidInput: it cannot be run, or failed.
    """
    try:
        done = subprocess.run(
            [str(python), *arguments], input=given, capture_output=True, text=True, cwd=_PROJECT, timeout=timeout_s
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InvalidInput(f"{python} found no {what}: {error}. Name another {option}.") from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise InvalidInput(
            f"{python} cannot find {what}: {' '.join(last)}. It needs MediaPipe: "
            'pip install "mediapipe>=0.10.14,<0.10.22" in an environment of its own.'
        )
    return done.stdout
