"""OSC messages, sent over a real socket."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from livefilter.control.actions import BARE, BY_NAME
from livefilter.control.controller import Controller
from livefilter.control.osc import OscTrigger, arguments, parse_target
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import TriggerUnavailable
from tests.fakes import until

udp_client = pytest.importorskip("pythonosc.udp_client", reason="python-osc is not installed")


class Desk:
    """A listening trigger over settings, and what sends to it."""

    def __init__(self) -> None:
        self.settings = SharedSettings(LiveSettings("hayao"))
        self.controller = Controller(self.settings, ("hayao", "shinkai", "paprika"))
        self.said: list[str] = []
        self.trigger = OscTrigger("0", self.controller.perform, self.said.append)
        self.client = udp_client.SimpleUDPClient("127.0.0.1", self.trigger.port)

    def send(self, name: str, *values: Any) -> None:
        self.client.send_message(f"/livefilter/{name}", list(values))


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A desk that is closed at the end."""
    opened = Desk()
    yield opened
    opened.trigger.close()
    opened.controller.close()


@pytest.mark.parametrize(
    ("name", "values", "field", "expected"),
    [
        ("style", ["paprika"], "style", "paprika"),
        ("strength", [0.25], "strength", 0.25),
        ("bypass", [1.0], "bypass", True),
        ("bypass", [1], "bypass", True),
        ("bypass", [True], "bypass", True),
        ("bypass", [], "bypass", True),
        ("next_style", [1.0], "style", "shinkai"),
        ("process_size", [360], "process_size", 360),
    ],
)
def test_a_message_does_what_its_name_says(desk: Desk, name: str, values: list[Any], field: str, expected: Any) -> None:
    """Arguments come in the order of the table, as the types that desks send."""
    desk.send(name, *values)
    until(lambda: getattr(desk.settings.current, field) == expected, name)


def test_the_release_of_a_button_is_no_second_press(desk: Desk) -> None:
    """1 acts and 0 does not, for actions without parameters; for a switch 0 is off."""
    for value in (1.0, 0.0, 1.0, 0.0):
        desk.send("snapshot", value)
    desk.send("bypass", 1.0)
    desk.send("bypass", 0.0)
    desk.send("strength", 0.5)
    until(lambda: desk.settings.current.strength == 0.5, "the last message")
    assert desk.settings.current.snapshots == 2
    assert not desk.settings.current.bypass


def test_wrong_messages_are_told_once_and_end_nothing(desk: Desk) -> None:
    """Noise, unknown names and wrong values leave the trigger listening."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        for content in (b"", b"\0" * 3, b"nothing", b"#bundle\0" + b"\xff" * 40, b"/livefilter/bypass\0\0,f\0\0"):
            noise.sendto(content, ("127.0.0.1", desk.trigger.port))
    for _ in range(3):
        desk.send("strength", 7.0)
        desk.send("nothing")
    desk.send("strength", 0.4)
    until(lambda: desk.settings.current.strength == 0.4, "the last message")
    assert len(desk.said) == 2
    assert "from 0 to 1" in desk.said[0]


@pytest.mark.parametrize("name", BARE)
def test_every_action_can_be_sent_bare(name: str) -> None:
    """Keys and OSC have the same actions."""
    assert arguments(BY_NAME[name], []) == {}


@pytest.mark.parametrize(
    ("target", "expected"),
    [("on", ("127.0.0.1", 8421)), ("9000", ("127.0.0.1", 9000)), ("0.0.0.0:9000", ("0.0.0.0", 9000))],
)
def test_a_target_is_a_port_of_this_computer_unless_a_host_is_named(target: str, expected: tuple[str, int]) -> None:
    """Without a host nobody else is heard."""
    assert parse_target(target) == expected


@pytest.mark.parametrize("target", ["yes", "70000", "host:9000", ":", "-1"])
def test_a_wrong_target_is_named(target: str) -> None:
    """The error shows what is right."""
    with pytest.raises(TriggerUnavailable, match="--osc 9000"):
        parse_target(target)


def test_a_taken_port_is_named(desk: Desk) -> None:
    """Another program's port is an error with a way out."""
    with pytest.raises(TriggerUnavailable, match=rf"port {desk.trigger.port}.*Choose another"):
        OscTrigger(str(desk.trigger.port), desk.controller.perform, desk.said.append)
    with pytest.raises(TriggerUnavailable, match=rf"port {desk.trigger.port}.*Choose another"):
        OscTrigger.check(str(desk.trigger.port))


def test_a_look_at_a_port_leaves_it_free() -> None:
    """It is bound for a moment, before the camera is opened, and can be had afterwards."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = str(held.getsockname()[1])
    OscTrigger.check(port)
    OscTrigger(port, lambda name, **values: None, lambda notice: None).close()


@pytest.mark.parametrize(("port", "instead"), [(9000, "--osc 9001"), (8421, "--osc 9000")])
def test_a_taken_port_is_not_what_is_suggested(monkeypatch: pytest.MonkeyPatch, port: int, instead: str) -> None:
    """The way out is another port than the one that others have."""

    class Taken:
        def __init__(self, *_: object) -> None:
            pass

        def bind(self, address: object) -> None:
            raise OSError(errno.EADDRINUSE, "Address already in use")

        def close(self) -> None:
            pass

    monkeypatch.setattr(socket, "socket", Taken)
    with pytest.raises(TriggerUnavailable, match=rf"port {port}: Address already in use\..*{instead}$"):
        OscTrigger.check(str(port))


def test_an_address_of_another_computer_is_said_to_be_one() -> None:
    """No other port would help there."""
    with pytest.raises(TriggerUnavailable, match="Name an address of this computer"):
        OscTrigger.check("192.0.2.1:9000")
