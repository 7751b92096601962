"""A screen for tests: an Xvfb of their own, on a display number that is free."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import select
import shutil
import subprocess
from collections.abc import Iterator

import pytest


@pytest.fixture
def xvfb(x_server: subprocess.Popen[bytes]) -> str:
    """The name of a fresh display of 1366x768, set as DISPLAY during the test; skipped where there is no Xvfb."""
    return os.environ["DISPLAY"]


@pytest.fixture
def x_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """The process behind `xvfb`, for a test that ends it."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb here: install the package xvfb")
    reading, writing = os.pipe()
    # -noreset: a server whose last client has left would start anew, and refuse whoever comes meanwhile.
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1366x768x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        number = _line(reading, 60.0)
        if not number:
            pytest.skip("Xvfb did not start within 60 s")
        monkeypatch.setenv("DISPLAY", f":{number}")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        yield server
    finally:
        os.close(reading)
        server.terminate()
        server.wait(60)


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


def ask_to_close(display: str, window: int) -> None:
    """Send a window what its close button sends: there is no window manager on a display of our own to draw one."""
    library = ctypes.util.find_library("X11")
    if library is None:
        pytest.skip("no libX11 here to send a window message with")
    x11 = ctypes.CDLL(library)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    protocols, delete = (x11.XInternAtom(connection, name, False) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    message = _ClientMessage(type=33, send_event=1, window=window, message_type=protocols, format=32)
    message.data[0] = delete
    x11.XSendEvent(connection, ctypes.c_ulong(window), False, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(connection)


class _ClientMessage(ctypes.Structure):
    """XClientMessageEvent, padded to the size of an XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("padding", ctypes.c_long * 24),
    )
