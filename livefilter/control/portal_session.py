"""A conversation with the desktop's GlobalShortcuts portal over D-Bus.

https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.GlobalShortcuts.html, version 1.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusError

from livefilter.control.desktop_file import APP_ID

_DESKTOP = "org.freedesktop.portal.Desktop"
_PATH = "/org/freedesktop/portal/desktop"
_SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"


class PortalRefused(Exception):
    """The desktop or the person at it said no to a request; `dismissed` when it was the person."""

    def __init__(self, dismissed: bool) -> None:
        super().__init__("dismissed" if dismissed else "ended without an answer")
        self.dismissed = dismissed


class PortalSession:
    """One GlobalShortcuts session; all methods belong to the event loop of `bus`.

    heard: called with "Activated" or "Deactivated" and the id of a shortcut, or "Closed" and an empty text.
    Raises, from its methods: DBusError, PortalRefused.
    """

    def __init__(self, bus: MessageBus, heard: Callable[[str, str], None]) -> None:
        self._bus = bus
        self._heard = heard
        self._handle = ""
        self._answers: dict[str, asyncio.Future[tuple[int, dict[str, Any]]]] = {}

    async def open(self) -> None:
        """Introduce ourselves and create the session."""
        rule = f"type='signal',sender='{_DESKTOP}'"
        await self._call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.AddMatch", "s", [rule])
        self._bus.add_message_handler(self._hear)
        # From version 1.21 on the portal serves only programs whose id belongs to a .desktop file. The call must be the
        # first one. Older portals do not know it, and newer ones may drop it: CreateSession tells.
        with suppress(DBusError):
            await self._portal("org.freedesktop.host.portal.Registry.Register", "sa{sv}", [APP_ID, {}])
        options = {"session_handle_token": Variant("s", _token())}
        answer = await self._request("CreateSession", "a{sv}", [], options)
        self._handle = str(answer["session_handle"].value)

    async def bind(self, shortcuts: Mapping[str, tuple[str, str | None]]) -> dict[str, str]:
        """Ask for shortcuts; may last as long as a person looks at a dialog.

        shortcuts: id -> what it does in words, and the chord we would like. Returns: id -> the desktop's description of
            the chord that it really is, empty when it has none yet.
        """
        wanted = [
            [name, {"description": Variant("s", text)} | ({"preferred_trigger": Variant("s", chord)} if chord else {})]
            for name, (text, chord) in shortcuts.items()
        ]
        answer = await self._request("BindShortcuts", "oa(sa{sv})sa{sv}", [self._handle, wanted, ""], {})
        bound = answer["shortcuts"].value if "shortcuts" in answer else []
        return {
            name: str(told["trigger_description"].value) if "trigger_description" in told else ""
            for name, told in bound
        }

    async def close(self) -> None:
        """End the session, so that the desktop forgets the shortcuts."""
        if self._handle and self._bus.connected:
            await self._call(_DESKTOP, self._handle, "org.freedesktop.portal.Session.Close", "", [])

    async def _request(
        self, member: str, signature: str, body: list[Any], options: dict[str, Variant]
    ) -> dict[str, Any]:
        """Call a method whose answer comes later, as a signal of a request object."""
        token = _token()
        sender = str(self._bus.unique_name).removeprefix(":").replace(".", "_")
        path = f"{_PATH}/request/{sender}/{token}"
        answer: asyncio.Future[tuple[int, dict[str, Any]]]
        answer = self._answers[path] = asyncio.get_running_loop().create_future()
        try:
            told = {**options, "handle_token": Variant("s", token)}
            await self._portal(f"{_SHORTCUTS}.{member}", signature, [*body, told])
            code, results = await answer
        finally:
            del self._answers[path]
        if code != 0:
            raise PortalRefused(dismissed=code == 1)
        return results

    async def _portal(self, method: str, signature: str, body: list[Any]) -> list[Any]:
        return await self._call(_DESKTOP, _PATH, method, signature, body)

    async def _call(self, to: str, path: str, method: str, signature: str, body: list[Any]) -> list[Any]:
        interface, _, member = method.rpartition(".")
        reply = await self._bus.call(
            Message(destination=to, path=path, interface=interface, member=member, signature=signature, body=body)
        )
        if reply.message_type is MessageType.ERROR:
            raise DBusError(reply.error_name or "", str(reply.body[0]) if reply.body else "", reply)
        return list(reply.body)

    def _hear(self, message: Message) -> None:
        """Sort the desktop's signals; the handler returns nothing, so that others may hear them too."""
        if message.message_type is not MessageType.SIGNAL:
            return
        if message.member == "Response" and message.path in self._answers:
            answer = self._answers[message.path]
            if not answer.done():
                answer.set_result((message.body[0], message.body[1]))
        elif message.interface == _SHORTCUTS and message.member in {"Activated", "Deactivated"}:
            session, name = message.body[0], message.body[1]
            if session == self._handle:
                self._heard(str(message.member), str(name))
        elif message.member == "Closed" and message.path == self._handle:
            self._heard("Closed", "")


def _token() -> str:
    return f"livefilter_{secrets.token_hex(8)}"
