"""Keys typed into the terminal, without waiting for Enter."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from livefilter.closeable import Closeable

_NAMES = {" ": "space", "\x1b": "escape"}


class TerminalKeys(Closeable):
    """Reads single keys while open and restores the terminal on `close`; reads nothing when stdin is not a terminal."""

    def __init__(self) -> None:
        self._restore: Any = None
        self.active = sys.stdin is not None and sys.stdin.isatty() and _in_foreground()
        if self.active and sys.platform != "win32":
            import termios
            import tty

            self._restore = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)  # cbreak, not raw: Ctrl-C keeps working

    def read(self) -> list[str]:
        """The keys typed since the last call, by the names that Controller.press knows; never waits."""
        if not self.active:
            return []
        return [_NAMES.get(key, key) for key in self._typed()]

    def close(self) -> None:
        """Give the terminal back as it was. Can be called twice."""
        if self._restore is not None and sys.platform != "win32":
            import termios

            with suppress(termios.error):  # the terminal may be gone
                termios.tcsetattr(sys.stdin, termios.TCSANOW, self._restore)
        self._restore = None
        self.active = False

    def _typed(self) -> list[str]:
        keys: list[str] = []
        if sys.platform == "win32":
            import msvcrt

            while msvcrt.kbhit():
                keys.append(msvcrt.getwch())
            return keys
        import os
        import select

        while select.select([sys.stdin], [], [], 0)[0]:
            # os.read, not sys.stdin.read: the text layer would keep bytes that select no longer reports.
            try:
                typed = os.read(sys.stdin.fileno(), 64)
            except OSError:
                typed = b""
            if not typed:
                self.active = False  # the terminal went away
                break
            text = typed.decode(errors="ignore")
            keys.extend([] if text.startswith("\x1b[") else list(text))  # arrow keys mean nothing here
        return keys


def _in_foreground() -> bool:
    """Whether this program may touch the terminal; one started with & would be stopped for it."""
    if sys.platform == "win32":
        return True
    import os

    try:
        return os.getpgrp() == os.tcgetpgrp(sys.stdin.fileno())
    except OSError:  # started by setsid: the terminal is there, and is not ours
        return False
