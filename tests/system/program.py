"""`livefilter run` in the guest, with a terminal of its own to press keys in."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import Any

from tests.system.devices import CAMERA, OUTPUT, SIZE, is_capture_device
from tests.system.waiting import until

SMALL = ("--width", str(SIZE[0]), "--height", str(SIZE[1]), "--backend", "onnxruntime", "--process-size", "180")
# Frames flow from the start, so that a client that takes a few does not see the card of a camera that wakes up.
AWAKE = ("--no-idle",)
# Nor the card of a slow style, unless a test asks for it.
PATIENT = ("--hold-s", "60")


class Program:
    """A running `livefilter run` from the webcam to the virtual camera, until `kill` or `end`.

    data: XDG_DATA_HOME, with the test styles. arguments: come after `SMALL` and may overrule it.
    """

    def __init__(
        self,
        data: Path,
        *arguments: str,
        source: str = CAMERA,
        outputs: tuple[str, ...] = (f"camera:{OUTPUT}",),
        idle: bool = False,
    ) -> None:
        named = [word for output in outputs for word in ("-o", output)]
        command = [sys.executable, "-m", "livefilter", "run", "-i", source, *named, *SMALL, *PATIENT]
        command += [*(() if idle else AWAKE), *arguments]
        ours, theirs = os.openpty()
        self._terminal = ours
        self.process = subprocess.Popen(
            command,
            env=environment(data),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_own_terminal,
        )
        os.close(theirs)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def said(self, words: str) -> str:
        """The first line with these words, once it has been said."""

        def found() -> str | None:
            return next((line for line in self.lines if words in line), None)

        until(lambda: found() is not None or self.process.poll() is not None, f"{words!r} in {self.lines}")
        line = found()
        assert line is not None, f"ended with {self.process.returncode} without {words!r}: {self.lines}"
        return line

    def serves(self, device: str = OUTPUT) -> None:
        """Wait until its frames can be watched on a virtual camera."""
        self.said("Output: virtual camera")
        until(lambda: is_capture_device(device) or self.process.poll() is not None, f"frames on {device}")
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.lines}"

    def press(self, keys: str) -> None:
        """Type keys."""
        os.write(self._terminal, keys.encode())

    def kill(self) -> None:
        """End it the hard way: it cannot close anything."""
        self._finish(signal.SIGKILL)

    def end(self) -> int:
        """End it as a user does, with Ctrl-C; its exit code, negative when it had to be killed."""
        return self._finish(signal.SIGINT)

    def ended(self) -> int:
        """Wait until it ends by itself; its exit code."""
        until(lambda: self.process.poll() is not None, f"end of {self.lines}")
        return self._finish(signal.SIGKILL)

    def _finish(self, number: int) -> int:
        try:
            if self.process.poll() is None:
                self.process.send_signal(number)
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait(60)
            self._reader.join(30)
            if self._terminal >= 0:
                os.close(self._terminal)
            self._terminal = -1
            assert self.process.stdout is not None
            self.process.stdout.close()

    def _read(self, pipe: Any) -> None:
        for line in pipe:
            self.lines.append(line.rstrip())


def environment(data: Path) -> dict[str, str]:
    """The guest's environment without a display, and with the test styles in place of the user's files."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    return {
        **kept,
        "XDG_DATA_HOME": str(data),
        "XDG_CONFIG_HOME": str(data / "config"),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "200",
    }


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
