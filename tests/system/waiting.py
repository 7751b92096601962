"""Waiting in a guest that emulates its processor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

WAIT_S = 180.0


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait until something has happened; fail with its name when it does not."""
    deadline = time.monotonic() + WAIT_S
    waiting = threading.Event()
    while not happened():
        assert time.monotonic() < deadline, f"did not happen within {WAIT_S:.0f} s: {what}"
        waiting.wait(0.05)
