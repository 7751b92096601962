"""Global hotkeys through the desktop portal, against a stand-in on a private message bus."""

from __future__ import annotations

import importlib.util
import shutil
import threading
from collections.abc import Iterator

import pytest

from livefilter.control.bindings import chord_bindings
from livefilter.control.portal import PortalShortcuts
from livefilter.errors import TriggerUnavailable
from tests.fakes import until

if importlib.util.find_spec("dbus_fast") is None:
    pytest.skip("no dbus-fast here: pip install 'livefilter[hotkeys]'", allow_module_level=True)
if shutil.which("dbus-daemon") is None:
    pytest.skip("no dbus-daemon here: install the package dbus", allow_module_level=True)

from tests.control.fake_portal import FakePortal, PrivateBus

ACTIONS = {"previous_style", "next_style", "bypass", "weaker", "stronger", "recording", "freeze", "snapshot"}


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    """A message bus that the code under test takes for the user's own."""
    private = PrivateBus()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", private.address)
    yield private
    private.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "portal-shortcuts"]


class Listening:
    """Open shortcuts, what they did and what they told."""

    def __init__(self, *changes: str) -> None:
        self.done: list[str] = []
        self.told: list[str] = []
        self.shortcuts = PortalShortcuts(chord_bindings(changes), self.done.append, self.told.append)


def test_shortcuts_are_asked_for_and_heard(bus: PrivateBus) -> None:
    """The desktop is given every action with its chord; each press is one action; the session ends with us."""
    portal = FakePortal(bus.address)
    listening = Listening("style_2=ctrl+alt+2")
    until(lambda: bool(listening.told), "what the desktop has bound")
    assert portal.calls[:3] == ["Register", "CreateSession", "BindShortcuts"]
    assert set(portal.bound) == {*ACTIONS, "style_2"}
    assert portal.bound["next_style"] == "CTRL+SHIFT+F2"
    assert portal.bound["style_2"] == "CTRL+ALT+2"
    assert "CTRL+SHIFT+F2 next style" in listening.told[0]
    for name in ("next_style", "style_2", "next_style"):
        portal.press(name)
        portal.release(name)
    portal.press("bypass")
    until(lambda: "bypass" in listening.done, "the last press")
    assert listening.done == ["next_style", "style_2", "next_style", "bypass"]
    listening.shortcuts.close()
    listening.shortcuts.close()
    until(lambda: portal.session == "", "the end of the session")
    portal.close()


def test_a_held_shortcut_acts_once(bus: PrivateBus) -> None:
    """Some desktops repeat a shortcut while it is held; only the first is a press."""
    portal = FakePortal(bus.address)
    listening = Listening()
    until(lambda: bool(listening.told), "what the desktop has bound")
    for _ in range(20):
        portal.press("next_style")
    portal.release("next_style")
    portal.press("next_style")
    portal.press("freeze")
    until(lambda: "freeze" in listening.done, "the last press")
    assert listening.done == ["next_style", "next_style", "freeze"]
    listening.shortcuts.close()
    portal.close()


def test_an_older_portal_works_without_registering(bus: PrivateBus) -> None:
    """Portals before 1.19.4 know no registry, and need none."""
    portal = FakePortal(bus.address, old=True)
    listening = Listening()
    until(lambda: bool(listening.told), "what the desktop has bound")
    listening.shortcuts.close()
    portal.close()


@pytest.mark.parametrize(
    ("has_shortcuts", "known", "said"),
    [(False, True, "has no portal for global shortcuts.*--midi"), (True, False, "livefilter hotkeys --install")],
)
def test_a_desktop_that_cannot_says_so(bus: PrivateBus, has_shortcuts: bool, known: bool, said: str) -> None:
    """A missing portal is told with what to use instead, an unknown program with the command that helps."""
    portal = FakePortal(bus.address, has_shortcuts, known)
    with pytest.raises(TriggerUnavailable, match=said):
        Listening()
    portal.close()


def test_no_portal_and_no_bus_are_told(bus: PrivateBus, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus without a portal, and no bus at all."""
    with pytest.raises(TriggerUnavailable, match="has no portal for global shortcuts"):
        Listening()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    with pytest.raises(TriggerUnavailable, match="no D-Bus session"):
        Listening()
    with pytest.raises(TriggerUnavailable, match="no D-Bus session"):
        PortalShortcuts.check("")


def test_a_look_at_the_bus_asks_the_desktop_for_nothing(bus: PrivateBus) -> None:
    """No dialog opens before the camera does."""
    portal = FakePortal(bus.address)
    PortalShortcuts.check("")
    assert portal.calls == []
    portal.close()


def test_a_dismissed_dialog_is_a_notice(bus: PrivateBus) -> None:
    """The run goes on; the person reads that nothing was bound."""
    portal = FakePortal(bus.address, answer=1)
    listening = Listening()
    until(lambda: bool(listening.told), "a notice")
    assert "did not bind" in listening.told[0]
    listening.shortcuts.close()
    portal.close()


def test_an_open_dialog_does_not_hold_up_start_or_end(bus: PrivateBus) -> None:
    """While nobody has answered the dialog, everything else works."""
    portal = FakePortal(bus.address, answer=None)
    listening = Listening()
    until(lambda: "BindShortcuts" in portal.calls, "the dialog")
    listening.shortcuts.close()
    portal.close()


@pytest.mark.parametrize("ending", ["session", "bus"])
def test_an_end_from_outside_is_told(bus: PrivateBus, ending: str) -> None:
    """When the desktop takes the shortcuts back, or the bus ends, it is said once."""
    portal = FakePortal(bus.address)
    listening = Listening()
    until(lambda: len(listening.told) == 1, "what the desktop has bound")
    if ending == "session":
        portal.end_session()
    else:
        portal.close()
        bus.close()
    until(lambda: len(listening.told) == 2, "a notice of the end")
    assert "ended" in listening.told[1]
    listening.shortcuts.close()
    if ending == "session":
        portal.close()
