"""A screen for tests: an Xvfb of their own, on a display number that is free."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from collections.abc import Iterator

import pytest


@pytest.fixture
def xvfb(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a fresh display of 1366x768, set as DISPLAY during the test; skipped where there is no Xvfb."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb here: install the package xvfb")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1366x768x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        number = _line(reading, 20.0)
        if not number:
            pytest.skip("Xvfb did not start within 20 s")
        monkeypatch.setenv("DISPLAY", f":{number}")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        yield f":{number}"
    finally:
        os.close(reading)
        server.terminate()
        server.wait(10)


def _line(source: int, timeout_s: float) -> str:
    """What the server writes when it is ready: its display number and a line end."""
    text = b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([source], [], [], timeout_s)
        part = os.read(source, 16) if ready else b""
        if not part:
            return ""
        text += part
    return text.decode().strip()
