"""Runs `livefilter` in a terminal of its own, which a test types into, reads and closes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path


@contextlib.contextmanager
def in_a_terminal(folder: Path, environment: Mapping[str, str], *arguments: str) -> Iterator[tuple[int, int]]:
    """The number of a process in `folder` that has a terminal, and the descriptor of that terminal's other end."""
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-m", "livefilter", *arguments], environment)
    try:
        yield child, terminal
    finally:
        with contextlib.suppress(OSError):
            os.close(terminal)


def read_until(terminal: int, words: bytes) -> bytes:
    """What a program says up to these words; all of it where it says no more."""
    said = b""
    with contextlib.suppress(OSError):  # how a terminal says that nobody is there any more
        while words not in said and (more := os.read(terminal, 4096)):
            said += more
    return said
