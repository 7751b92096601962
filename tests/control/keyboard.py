"""A keyboard for tests, xdotool kept open so that a press costs a line and no process, and the window it types into."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import until

ROOT = Path(__file__).resolve().parents[2]


class Keyboard:
    """Presses keys on a display where a window of another program has the focus.

    typed: how many key presses that window has been given.
    """

    def __init__(self) -> None:
        self.typed = 0
        self._focused = threading.Event()
        self._window = subprocess.Popen(
            [sys.executable, "-m", "tests.control.focus"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._xdotool = subprocess.Popen(["xdotool", "-"], stdin=subprocess.PIPE, text=True)
        assert self._focused.wait(60), "the other window never got the focus"

    def key(self, chord: str) -> None:
        """Press and release a chord in xdotool's words, such as "ctrl+shift+F2"."""
        self.do(f"key {chord}")

    def do(self, command: str) -> None:
        """Send xdotool one command."""
        assert self._xdotool.stdin is not None
        self._xdotool.stdin.write(command + "\n")
        self._xdotool.stdin.flush()

    def close(self) -> None:
        """End both programs."""
        assert self._xdotool.stdin is not None
        self._xdotool.stdin.close()
        self._xdotool.wait(60)
        self._window.terminate()
        self._window.wait(60)
        self._reader.join(60)
        assert self._window.stdout is not None
        self._window.stdout.close()

    def _read(self) -> None:
        assert self._window.stdout is not None
        for line in self._window.stdout:
            if line.startswith("focus"):
                self._focused.set()
            else:
                self.typed += 1


@pytest.fixture
def keyboard(xvfb: str) -> Iterator[Keyboard]:
    """A keyboard on a fresh display; skipped where xdotool or python-xlib is missing."""
    if shutil.which("xdotool") is None:
        pytest.skip("no xdotool here: install the package xdotool")
    pytest.importorskip("Xlib", reason="no python-xlib here: pip install '.[hotkeys]'")
    found = Keyboard()
    yield found
    found.close()


def press_until(keyboard: Keyboard, chord: str, seen: list[str]) -> None:
    """Press until the first effect: the X server starts to record keys a moment after it was asked to."""
    waiting = threading.Event()

    def heard() -> bool:
        if not seen:
            keyboard.key(chord)
            waiting.wait(0.2)
        return bool(seen)

    until(heard, f"an effect of {chord}")
