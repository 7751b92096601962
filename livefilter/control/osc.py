"""OSC messages (Open Sound Control), as TouchOSC, Companion and lighting desks send them."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from livefilter.control.actions import BY_NAME, Action
from livefilter.control.trigger import CLOSE_TIMEOUT_S, Notify, Trigger
from livefilter.errors import LivefilterError, TriggerUnavailable, install_extra

_log = logging.getLogger(__name__)
DEFAULT_PORT = 8421
PREFIX = "/livefilter/"
_MOST_BYTES = 4096
_TOLD_ONCE = 20

Perform = Callable[..., None]


class OscTrigger(Trigger):
    """Carries out an action for each message to /livefilter/NAME, with its arguments in the table's order.

    target: a port of this computer, or "HOST:PORT"; OSC knows no passwords, so other hosts than this one are heard only
        when HOST is named.
    Raises: TriggerUnavailable: the port is taken, or python-osc is missing.
    """

    def __init__(self, target: str, perform: Perform, notify: Notify) -> None:
        self._packet, self._parse_error = _library()
        host, port = parse_target(target)
        self._socket = _bound(host, port)
        self._socket.settimeout(0.2)
        self.port = int(self._socket.getsockname()[1])
        self.name = f"OSC on {host} port {self.port}"
        self._perform, self._notify = perform, notify
        self._told: set[str] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="osc", daemon=True)
        self._thread.start()

    @classmethod
    def check(cls, target: str) -> None:
        _library()
        _bound(*parse_target(target)).close()

    def close(self) -> None:
        """Stop listening. Can be called twice."""
        self._closing.set()
        self._thread.join(CLOSE_TIMEOUT_S)
        self._socket.close()

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                content = self._socket.recv(_MOST_BYTES)
            except TimeoutError:
                continue
            except OSError:
                if self._closing.is_set():
                    return
                continue  # Windows reports here that an earlier answer found nobody
            try:
                messages = self._packet(content).messages
            except (self._parse_error, ValueError, IndexError, OverflowError, RecursionError) as error:
                _log.debug("No OSC: %s", error)
                continue
            for message in messages:
                self._do(str(message.message.address), list(message.message.params))

    def _do(self, address: str, given: list[Any]) -> None:
        name = address.removeprefix(PREFIX)
        action = BY_NAME.get(name) if address.startswith(PREFIX) else None
        try:
            if action is None:
                self._tell(f"OSC: there is no action {address[:60]!r}; they are called {PREFIX}bypass and so on")
                return
            values = arguments(action, given)
            # A button sends 1 when it goes down and 0 when it comes up; an action without parameters acts once.
            if values is not None:
                self._perform(name, **values)
        except LivefilterError as error:
            self._tell(f"OSC: {error}")

    def _tell(self, text: str) -> None:
        if text not in self._told and len(self._told) < _TOLD_ONCE:
            self._told.add(text)
            self._notify(text)


def _library() -> tuple[Any, type[Exception]]:
    """What python-osc reads packets with, and its error. Raises: TriggerUnavailable."""
    try:
        from pythonosc.osc_packet import OscPacket, ParseError
    except ImportError as error:
        raise TriggerUnavailable(f"OSC needs python-osc: {install_extra('osc')}") from error
    return OscPacket, ParseError


def _bound(host: str, port: int) -> socket.socket:
    """A socket of that port. Raises: TriggerUnavailable."""
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        fix = f"Choose another port: --osc {9001 if port == 9000 else 9000}"
        if error.errno == errno.EADDRNOTAVAIL:
            fix = "Name an address of this computer, or leave it out: --osc 9000"
        raise TriggerUnavailable(f"OSC cannot listen on {host} port {port}: {error.strerror}. {fix}") from error
    return opened


def arguments(action: Action, given: list[Any]) -> Mapping[str, Any] | None:
    """The values of a message by name; None for the release of a button."""
    if not action.parameters:
        return None if given and given[0] in (0, 0.0, False) else {}
    names = [parameter.name for parameter in action.takes]
    values = dict(zip(names, given, strict=False))
    first = action.parameters[0]
    if first.kind == "boolean" and isinstance(values.get(first.name), float):
        values[first.name] = bool(values[first.name])
    return values


def parse_target(target: str) -> tuple[str, int]:
    """Host and port of a setting such as "on", "9000" or "192.168.1.5:9000".

    Raises: TriggerUnavailable: it is none.
    """
    text = "" if target == "on" else target.strip()
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = "127.0.0.1", text or str(DEFAULT_PORT)
    try:
        number = int(port)
        ipaddress.ip_address(host.strip("[]"))
        if not 0 <= number <= 65535:
            raise ValueError
    except ValueError:
        raise TriggerUnavailable(
            f"OSC target {target!r} is no port: --osc on, --osc 9000 or --osc HOST:PORT."
        ) from None
    return host.strip("[]"), number
