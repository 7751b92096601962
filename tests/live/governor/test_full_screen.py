"""Seeing that another program fills the screen."""

from __future__ import annotations

import os
from typing import Any

import pytest

from livefilter.live.governor.full_screen import FullScreenWatch
from tests.display import x_server as x_server
from tests.display import xvfb as xvfb
from tests.live.governor.test_ladder_styler import Now


def test_a_full_screen_window_is_seen_on_x11(xvfb: str) -> None:
    """The active window's state tells; a window of this program does not count; it is asked every two seconds."""
    xlib = pytest.importorskip("Xlib.display", reason="no python-xlib here: pip install '.[hotkeys]'")
    screen: Any = xlib.Display()
    root, atom = screen.screen().root, screen.intern_atom
    window = root.create_window(0, 0, 1366, 768, 0, screen.screen().root_depth)

    def tell(target: Any, name: str, kind: str, values: list[int]) -> None:
        target.change_property(atom(name), atom(kind), 32, values)
        screen.sync()

    clock = Now()
    watch = FullScreenWatch(clock)
    assert not watch()
    tell(root, "_NET_ACTIVE_WINDOW", "WINDOW", [window.id])
    tell(window, "_NET_WM_STATE", "ATOM", [atom("_NET_WM_STATE_FULLSCREEN")])
    tell(window, "_NET_WM_PID", "CARDINAL", [1])
    assert not watch()
    clock.at_s += 3.0
    assert watch()
    tell(window, "_NET_WM_PID", "CARDINAL", [os.getpid()])
    clock.at_s += 3.0
    assert not watch()
    screen.close()


def test_without_a_display_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a desktop has no full-screen programs, and asking costs nothing more than once."""
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not FullScreenWatch(Now())()
