"""Hotkeys with any window in focus, on Windows, macOS and X11."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from livefilter.control.chord import Chord
from livefilter.control.chord_watch import ChordWatch, Pressed
from livefilter.control.key_names import key_namer, windows_still_down
from livefilter.control.trigger import CLOSE_TIMEOUT_S, Act, Notify, Trigger
from livefilter.errors import TriggerUnavailable, install_extra

_log = logging.getLogger(__name__)
_START_TIMEOUT_S = 10.0
_MAC_PERMISSION = (
    "Global hotkeys get no keys: macOS has not allowed it. Allow your terminal under System Settings, Privacy & "
    "Security, both Input Monitoring and Accessibility, and start the terminal again."
)


class GlobalKeys(Trigger):
    """Watches the keyboard through pynput; the keys reach the window in focus as well.

    Raises: TriggerUnavailable: pynput is missing, there is no display, or the system refuses.
    """

    def __init__(self, bindings: Mapping[Chord, str], act: Act, notify: Notify) -> None:
        self.name = {"win32": "Windows", "darwin": "macOS"}.get(sys.platform, "X11") + " keyboard"
        keyboard = _pynput_keyboard()
        self._notify = notify
        self._watch = ChordWatch(bindings, act, windows_still_down)
        self._closing = False
        self._error: Exception | None = None
        named = _namer(keyboard)

        def pressed(key: Any) -> None:
            if (found := named(key)) is not None:
                self._watch.press(found)

        def released(key: Any) -> None:
            if (found := named(key)) is not None:
                self._watch.release(found)

        self._listener = keyboard.Listener(on_press=pressed, on_release=released)
        # Not the listener's own thread: it would have no name of ours, and print what ends it as a traceback.
        self._thread = threading.Thread(target=self._listen, name="global-hotkeys", daemon=True)
        self._thread.start()
        self._wait_until_listening()

    @classmethod
    def check(cls, target: str) -> None:
        _namer(_pynput_keyboard())

    def chording(self) -> bool:
        return self._watch.chording()

    def close(self) -> None:
        """Stop listening. Can be called twice."""
        if self._closing:
            return
        self._closing = True
        if self._thread.is_alive():
            if hasattr(self._listener, "_context"):
                with suppress(Exception):  # a display that has gone ends the thread by itself
                    self._stop_x11()
            else:
                self._listener.stop()
            self._thread.join(CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            _log.warning("The thread of the global hotkeys did not end within %g s", CLOSE_TIMEOUT_S)

    def _stop_x11(self) -> None:
        """End the recording of keys from a connection of our own.

        pynput asks over the connection that is busy recording: that is sent with the next key at best, and may never be
        answered. The request is repeated because it does nothing while the recording has not begun.
        """
        from Xlib import display

        control = display.Display()
        control.set_error_handler(lambda *_: None)  # the recording may have ended a moment before
        deadline = time.monotonic() + CLOSE_TIMEOUT_S
        while self._thread.is_alive() and time.monotonic() < deadline:
            control.record_disable_context(self._listener._context)
            control.sync()
            self._thread.join(0.1)
        control.close()

    def _listen(self) -> None:
        try:
            self._listener.run()
        except Exception as error:  # whatever the window system throws
            self._error = error
        if not self._closing:
            reason = f": {_cause(self._error)}" if self._error else ""
            _log.warning("Global hotkeys have ended%s. Start livefilter again to get them back.", reason)
            self._notify("Global hotkeys have ended; the keys of the window and the terminal still work")

    def _wait_until_listening(self) -> None:
        ready = threading.Event()

        def wait() -> None:
            self._listener.wait()
            ready.set()

        # pynput's wait has no limit, and never returns when the listener fails first.
        threading.Thread(target=wait, name="global-hotkeys-start", daemon=True).start()
        waited_s = 0.0
        while not ready.wait(0.05) and self._thread.is_alive() and waited_s < _START_TIMEOUT_S:
            waited_s += 0.05
        if not ready.is_set():
            self._closing = True
            reason = _cause(self._error) if self._error else f"the system did not answer within {_START_TIMEOUT_S:g} s"
            raise TriggerUnavailable(f"Global hotkeys cannot start: {reason}. Switch them off with --hotkeys off.")
        if not getattr(self._listener, "IS_TRUSTED", True):
            self.close()
            raise TriggerUnavailable(_MAC_PERMISSION)


def _pynput_keyboard() -> Any:
    """The module pynput.keyboard, which opens the display when it is imported.

    Raises: TriggerUnavailable.
    """
    try:
        from pynput import keyboard
    except ModuleNotFoundError as error:
        raise TriggerUnavailable(
            f"Global hotkeys need the package {error.name}. Install it: {install_extra('hotkeys')}"
        ) from error
    except Exception as error:  # pynput reports a missing display as ImportError, python-xlib as errors of its own
        raise TriggerUnavailable(
            f"Global hotkeys cannot start: {_cause(error)}. Check the display, or switch them off with --hotkeys off."
        ) from error
    return keyboard


def _namer(keyboard: Any) -> Callable[[Any], Pressed | None]:
    try:
        return key_namer(keyboard)
    except Exception as error:  # on X11 it asks the server for the layout
        raise TriggerUnavailable(
            f"Global hotkeys cannot read the keyboard's layout: {_cause(error)}. "
            "Check the display, or switch them off with --hotkeys off."
        ) from error


def _cause(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")
