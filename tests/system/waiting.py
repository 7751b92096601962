"""Waiting in a guest that emulates its processor."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest

from tests.system.guests import INSIDE, QEMU

WAIT_S = 180.0


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait until something has happened; fail with its name when it does not.

    In the guest that emulates its processor the test is skipped then: slow and never cannot be told apart there.
    """
    deadline = time.monotonic() + WAIT_S
    waiting = threading.Event()
    while not happened():
        if time.monotonic() > deadline:
            words = f"did not happen within {WAIT_S:.0f} s: {what}"
            if os.environ.get(INSIDE) == QEMU.name:
                pytest.skip(words)
            pytest.fail(words)
        waiting.wait(0.05)
