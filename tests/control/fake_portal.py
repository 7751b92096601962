"""A stand-in for xdg-desktop-portal's GlobalShortcuts on a message bus of its own."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from typing import Any

from dbus_fast import Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.fakes import until

NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"


class FakePortal:
    """Answers as the portal does, and presses shortcuts.

    has_shortcuts: whether this desktop has the interface at all. known: whether it knows our program. old: whether it
        comes from before the registry. answer: the code of the response to BindShortcuts (1: dismissed by the user);
        None never answers.
    calls: the members called so far, in order. bound: id -> preferred trigger.
    """

    def __init__(
        self, address: str, has_shortcuts: bool = True, known: bool = True, answer: int | None = 0, old: bool = False
    ) -> None:
        self.calls: list[str] = []
        self.bound: dict[str, str] = {}
        self.session = ""
        self._has_shortcuts, self._known, self._answer, self._old = has_shortcuts, known, answer, old
        self._loop = asyncio.new_event_loop()
        self._bus: Any = None
        self._thread = threading.Thread(target=self._run, args=(address,), daemon=True)
        self._thread.start()
        until(lambda: self._bus is not None, "the fake portal on its bus")

    def press(self, name: str) -> None:
        """The keys of a shortcut go down."""
        self._signal("Activated", name)

    def release(self, name: str) -> None:
        """They go up again."""
        self._signal("Deactivated", name)

    def end_session(self) -> None:
        """The desktop takes its shortcuts back."""
        self._send(Message.new_signal(self.session, "org.freedesktop.portal.Session", "Closed"))

    def close(self) -> None:
        """Leave the bus."""
        self._loop.call_soon_threadsafe(self._bus.disconnect)
        self._thread.join(60)

    def _run(self, address: str) -> None:
        async def serve() -> None:
            bus: Any = await MessageBus(bus_address=address).connect()
            bus.add_message_handler(self._handle)
            await bus.request_name(NAME)
            self._bus = bus
            await bus.wait_for_disconnect()

        self._loop.run_until_complete(serve())
        self._loop.close()

    def _send(self, message: Message) -> None:
        self._loop.call_soon_threadsafe(self._bus.send, message)

    def _signal(self, member: str, name: str) -> None:
        self._send(Message.new_signal(PATH, SHORTCUTS, member, "osta{sv}", [self.session, name, 0, {}]))

    def _handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.destination != NAME:
            return None
        member = str(message.member)
        self.calls.append(member)
        if message.flags & MessageFlag.NO_REPLY_EXPECTED:
            return None
        if member == "Register":
            if self._old:
                return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "no such interface")
            if not self._known:
                text = f"Could not register app ID: App info not found for '{message.body[0]}'"
                return Message.new_error(message, "org.freedesktop.portal.Error.Failed", text)
            return Message.new_method_return(message)
        if member == "Close":
            self.session = ""
            return Message.new_method_return(message)
        if message.interface != SHORTCUTS or not self._has_shortcuts:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "no such interface")
        if member == "CreateSession" and not self._known:
            return Message.new_error(message, "org.freedesktop.portal.Error.NotAllowed", "An app id is required")
        return self._request(message, member)

    def _request(self, message: Message, member: str) -> Message:
        sender = str(message.sender).removeprefix(":").replace(".", "_")
        options = message.body[-1]
        request = f"{PATH}/request/{sender}/{options['handle_token'].value}"
        results: dict[str, Variant] = {}
        code: int | None = 0
        if member == "CreateSession":
            self.session = f"{PATH}/session/{sender}/{options['session_handle_token'].value}"
            results["session_handle"] = Variant("s", self.session)
        elif member == "BindShortcuts":
            assert message.body[0] == self.session
            code = self._answer
            self.bound = {name: told["preferred_trigger"].value for name, told in message.body[1]}
            listed = [[name, {"trigger_description": Variant("s", chord)}] for name, chord in self.bound.items()]
            results["shortcuts"] = Variant("a(sa{sv})", listed)
        if code is not None:
            # Before the reply, as it may happen: whoever subscribes only after the reply misses it.
            self._bus.send(
                Message.new_signal(request, "org.freedesktop.portal.Request", "Response", "ua{sv}", [code, results])
            )
        return Message.new_method_return(message, "o", [request])


class PrivateBus:
    """A dbus-daemon of our own. address: what DBUS_SESSION_BUS_ADDRESS says."""

    def __init__(self) -> None:
        self._daemon = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._daemon.stdout is not None
        self.address = self._daemon.stdout.readline().strip()

    def close(self) -> None:
        """End the daemon. Can be called twice."""
        self._daemon.terminate()
        self._daemon.wait(60)
        assert self._daemon.stdout is not None
        self._daemon.stdout.close()
