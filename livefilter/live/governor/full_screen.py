"""Whether another program fills the screen, as games do."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)
_EVERY_S = 2.0
# Windows' QUERY_USER_NOTIFICATION_STATE: a full-screen program, and a full-screen Direct3D program.
_FULL_SCREEN = (2, 3)


class FullScreenWatch:
    """Asks the window system every two seconds.

    On X11 through python-xlib, which comes with the hotkeys' extra; on Windows, where this was never run, through the
    shell. Under Wayland no program is told of others' windows, and macOS is not asked: there it is always False.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked_at_s = float("-inf")
        self._seen = False
        self._display: Any = None
        self._broken = False

    def __call__(self) -> bool:
        """Whether a program other than this one filled the screen when it was last asked."""
        now = self._clock()
        if now - self._asked_at_s < _EVERY_S or self._broken:
            return self._seen
        self._asked_at_s = now
        try:
            self._seen = self._ask()
        except Exception as error:  # a window that closes meanwhile, a display that goes away, no library
            _log.debug("Full-screen programs are not seen: %s", error)
            self._seen, self._broken = False, self._display is None
        return self._seen

    def _ask(self) -> bool:
        if sys.platform == "win32":
            state = ctypes.c_int()
            shell: Any = ctypes.WinDLL("shell32")  # type: ignore[attr-defined,unused-ignore]
            return shell.SHQueryUserNotificationState(ctypes.byref(state)) == 0 and state.value in _FULL_SCREEN
        return sys.platform.startswith("linux") and self._ask_x11()

    def _ask_x11(self) -> bool:
        if self._display is None:
            from Xlib import display

            self._display = display.Display()
        screen, atom = self._display.screen(), self._display.intern_atom

        def read(window: Any, name: str) -> list[int]:
            found = window.get_full_property(atom(name), 0)
            return list(found.value) if found is not None else []

        active = read(screen.root, "_NET_ACTIVE_WINDOW")
        if not active or not active[0]:
            return False
        window = self._display.create_resource_object("window", active[0])
        fills = atom("_NET_WM_STATE_FULLSCREEN") in read(window, "_NET_WM_STATE")
        return fills and read(window, "_NET_WM_PID") != [os.getpid()]
