"""Hotkeys under Wayland, where the desktop watches the keyboard for us."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from livefilter.control.actions import ACTIONS
from livefilter.control.chord import Chord
from livefilter.control.trigger import CLOSE_TIMEOUT_S, Act, Notify, Trigger
from livefilter.errors import TriggerUnavailable, install_extra

if TYPE_CHECKING:
    from livefilter.control.portal_session import PortalSession

_log = logging.getLogger(__name__)
_START_TIMEOUT_S = 15.0
INSTEAD = "Use the keys of the preview window and the terminal, or a MIDI device (--midi)"
_LACKING = {
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.UnknownInterface",
    "org.freedesktop.DBus.Error.UnknownMethod",
    "org.freedesktop.DBus.Error.UnknownObject",
}


class PortalShortcuts(Trigger):
    """Shortcuts of the GlobalShortcuts desktop portal; the chords are wishes, which the desktop or its user may change.

    Returns from construction once the desktop has opened a session; what it then binds is told through `notify`.
    Raises: TriggerUnavailable: the desktop lacks the portal or refuses, or dbus-fast is missing.
    """

    def __init__(self, bindings: Mapping[Chord, str], act: Act, notify: Notify) -> None:
        self.name = "desktop shortcuts (Wayland)"
        self._act = act
        self._notify = notify
        self._shortcuts = _shortcuts(bindings)
        self._held: set[str] = set()
        self._started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="portal-shortcuts", daemon=True)
        self._thread.start()
        try:
            self._started.result(_START_TIMEOUT_S)
        except concurrent.futures.TimeoutError as error:
            self.close()
            raise TriggerUnavailable(
                f"The desktop did not answer about global shortcuts within {_START_TIMEOUT_S:g} s. {INSTEAD}."
            ) from error
        except BaseException:
            self.close()
            raise

    @classmethod
    def check(cls, target: str) -> None:
        async def look() -> None:
            (await _connect()).disconnect()

        asyncio.run(look())

    def close(self) -> None:
        """Give the shortcuts back. Can be called twice."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # the loop has just ended by itself
                self._loop.call_soon_threadsafe(self._cancel)
            self._thread.join(CLOSE_TIMEOUT_S)
            if self._thread.is_alive():
                _log.warning("The thread of the desktop shortcuts did not end within %g s", CLOSE_TIMEOUT_S)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        try:
            self._task = self._loop.create_task(self._serve())
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
        except Exception as error:  # whatever the bus throws
            if self._started.done():
                _log.warning("Desktop shortcuts have ended: %s. Start livefilter again to get them back.", error)
                self._notify("Desktop shortcuts have ended; the keys of the window and the terminal still work")
            else:
                self._started.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        bus = await _connect()
        from dbus_fast.errors import DBusError, DBusFastError

        from livefilter.control.portal_session import PortalRefused, PortalSession

        session = PortalSession(bus, self._heard)
        try:
            try:
                await session.open()
            except DBusError as error:
                raise TriggerUnavailable(_why(error.type, str(error))) from error
            except PortalRefused as error:
                raise TriggerUnavailable(f"The desktop refused global shortcuts. {INSTEAD}.") from error
            self._started.set_result(None)
            try:
                await self._bind(session)
            except (DBusError, PortalRefused) as error:
                _log.warning("The desktop did not bind the global shortcuts: %s. %s.", error, INSTEAD)
                self._notify(f"The desktop did not bind the global shortcuts: {error}")
            await bus.wait_for_disconnect()
            raise ConnectionError("the D-Bus session has ended")
        finally:
            with suppress(DBusFastError, OSError, asyncio.TimeoutError):
                await asyncio.wait_for(session.close(), 1.0)
            bus.disconnect()

    async def _bind(self, session: PortalSession) -> None:
        chords = await session.bind(self._shortcuts)
        told = [f"{chord} {name.replace('_', ' ')}" for name, chord in chords.items() if chord]
        text = ", ".join(told) or "none yet: set them in the desktop's keyboard settings"
        _log.info("Desktop shortcuts: %s", text)
        self._notify(f"Desktop shortcuts: {text}")

    def _heard(self, what: str, name: str) -> None:
        if what == "Closed":
            _log.warning("The desktop has ended the global shortcuts. Start livefilter again to get them back.")
            self._notify("The desktop has ended the global shortcuts")
        elif what == "Deactivated":
            self._held.discard(name)
        elif name in self._shortcuts and name not in self._held:  # some desktops repeat it while the key is held
            self._held.add(name)
            self._act(name)


async def _connect() -> Any:
    """The bus of the session. Raises: TriggerUnavailable: there is none, or no library that can speak to it."""
    try:
        from dbus_fast import BusType
        from dbus_fast.aio import MessageBus
        from dbus_fast.errors import DBusFastError
    except ImportError as error:
        raise TriggerUnavailable(
            f"Global hotkeys under Wayland need the package dbus-fast. Install it: {install_extra('hotkeys')}"
        ) from error
    try:
        return await MessageBus(bus_type=BusType.SESSION).connect()
    except (OSError, DBusFastError, EOFError) as error:
        raise TriggerUnavailable(f"There is no D-Bus session for global shortcuts: {error}. {INSTEAD}.") from error


def _shortcuts(bindings: Mapping[Chord, str]) -> dict[str, tuple[str, str | None]]:
    """Action -> its words and its first chord; the desktop knows shortcuts by action, not by chord."""
    helps = {action.name: action.help for action in ACTIONS}
    shortcuts: dict[str, tuple[str, str | None]] = {}
    for chord, action in bindings.items():
        shortcuts.setdefault(action, (helps.get(action, action.replace("_", " ")), chord.portal))
    return shortcuts


def _why(kind: str, text: str) -> str:
    if kind in _LACKING:
        return (
            "This desktop has no portal for global shortcuts (GNOME from 48, KDE Plasma from 5.27 and Hyprland have "
            f"it). {INSTEAD}."
        )
    if "app id" in text.lower():
        return (
            f"The desktop gives global shortcuts only to programs it knows ({text}). "
            "Make livefilter known once with: livefilter hotkeys --install"
        )
    return f"The desktop refused global shortcuts: {text or kind}. {INSTEAD}."
