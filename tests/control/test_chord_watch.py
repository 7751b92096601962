"""Chords in streams of presses and releases, and what keys are called on systems that are not here."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from livefilter.control.bindings import chord_bindings
from livefilter.control.chord_watch import ChordWatch, Pressed
from livefilter.control.key_names import key_namer
from livefilter.control.keyboard import keyboard_trigger
from livefilter.errors import TriggerUnavailable

CTRL, RIGHT_CTRL = Pressed(1, ("ctrl",)), Pressed(2, ("ctrl",))
SHIFT, SUPER = Pressed(3, ("shift",)), Pressed(4, ("super",))
F2 = Pressed(5, ("f2",))


def test_left_and_right_modifiers_count_alike() -> None:
    """Letting go of one ctrl while the other is held keeps the chord."""
    done: list[str] = []
    watch = ChordWatch(chord_bindings(()), done.append)
    for key in (CTRL, RIGHT_CTRL, SHIFT):
        watch.press(key)
    watch.release(CTRL)
    watch.press(F2)
    watch.release(F2)
    watch.release(RIGHT_CTRL)
    watch.press(F2)
    assert done == ["next_style"]


def test_a_modifier_that_is_not_really_down_is_forgotten() -> None:
    """Windows keeps the release of Win+L from us; the hotkeys work again after the lock screen all the same."""
    done: list[str] = []
    down = {"super", "ctrl", "shift"}
    watch = ChordWatch(chord_bindings(()), done.append, lambda modifier: modifier in down)
    for key in (SUPER, CTRL, SHIFT, F2):
        watch.press(key)
    watch.release(F2)
    down.remove("super")
    watch.press(F2)
    assert done == ["next_style"]


def key(name: str | None = None, vk: int | None = None, char: str | None = None) -> Any:
    """A key as pynput reports it: a named one carries its code in `value`."""
    if name is not None:
        return SimpleNamespace(name=name, value=SimpleNamespace(vk=vk))
    return SimpleNamespace(vk=vk, char=char)


@pytest.mark.parametrize(
    ("platform", "reported", "names"),
    [
        ("win32", key("ctrl_l", 0xA2), ("ctrl",)),
        ("win32", key("alt_gr", 0xA5), ("altgr",)),
        ("win32", key("cmd", 0x5B), ("super",)),
        ("win32", key("f2", 0x71), ("f2",)),
        ("win32", key(vk=0x4E, char="\x0e"), ("n",)),  # ctrl+n gives a control character
        ("win32", key(vk=0x31, char="!"), ("1", "!")),
        ("darwin", key("alt", 0x3A), ("alt",)),
        ("darwin", key("cmd_r", 0x36), ("super",)),
        ("darwin", key(vk=45, char="˜"), ("n", "˜")),  # option+n is a dead tilde
        ("darwin", key("page_up", 0x74), ("page_up",)),
        ("darwin", key(vk=0), ("a",)),
    ],
)
def test_keys_have_one_name_whatever_is_held(
    monkeypatch: pytest.MonkeyPatch, platform: str, reported: Any, names: tuple[str, ...]
) -> None:
    """Letters and digits are known by their place where modifiers change their character."""
    monkeypatch.setattr(sys, "platform", platform)
    found = key_namer(None)(reported)
    assert found is not None
    assert found.names == names


@pytest.mark.parametrize(
    ("platform", "environment", "kind"),
    [
        ("win32", {}, "keys"),
        ("darwin", {}, "keys"),
        ("linux", {"DISPLAY": ":0"}, "keys"),
        ("linux", {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "portal"),
        ("linux", {"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, "portal"),
    ],
)
def test_the_way_fits_the_desktop(platform: str, environment: dict[str, str], kind: str) -> None:
    """Under Wayland XWayland's display is not taken: it would hear only X11 windows."""
    assert keyboard_trigger(environment, platform) == kind


def test_without_a_desktop_there_are_no_hotkeys() -> None:
    """It is said why."""
    with pytest.raises(TriggerUnavailable, match="no display"):
        keyboard_trigger({}, "linux")
