"""Chords as people write them."""

from __future__ import annotations

import pytest

from livefilter.control.chord import Chord
from livefilter.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "same", "label", "portal"),
    [
        ("ctrl+shift+f2", "ctrl+shift+f2", "Ctrl+Shift+F2", "CTRL+SHIFT+F2"),
        (" Shift + CONTROL + F2 ", "ctrl+shift+f2", "Ctrl+Shift+F2", "CTRL+SHIFT+F2"),
        ("cmd+option+N", "alt+super+n", "Alt+Super+N", "ALT+LOGO+n"),
        ("ctrl+plus", "ctrl+plus", "Ctrl+Plus", "CTRL+plus"),
        ("ctrl+,", "ctrl+comma", "Ctrl+Comma", "CTRL+comma"),
        ("ctrl+[", "ctrl+[", "Ctrl+[", "CTRL+bracketleft"),
        ("alt+pgup", "alt+page_up", "Alt+Page Up", "ALT+Prior"),
        ("f13", "f13", "F13", "F13"),
        ("media_next", "media_next", "Media Next", "XF86AudioNext"),
        ("altgr+e", "altgr+e", "Altgr+E", None),
        ("ctrl+ö", "ctrl+ö", "Ctrl+Ö", None),
    ],
)
def test_a_chord_is_read_and_told(text: str, same: str, label: str, portal: str | None) -> None:
    """Case, order, spaces and aliases do not matter; what is told can be read again."""
    chord = Chord.parse(text)
    assert (str(chord), chord.label, chord.portal) == (same, label, portal)
    assert Chord.parse(str(chord)) == chord


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ctrl+shft+f2", "no key 'shft'. Did you mean 'shift'"),
        ("ctrl+f25", "no key 'f25'. Did you mean 'f"),
        ("ctrl+a+b", "two keys, a and b"),
        ("ctrl+shift", "no key beside the modifiers"),
        ("ctrl++", "written plus"),
        ("", "has an empty part"),
        ("n", "while you type"),
        ("shift+n", "while you type"),
        ("space", "while you type"),
        ("ctrl+§§", "no key '§§'. Keys are"),
    ],
)
def test_a_wrong_chord_is_named(text: str, said: str) -> None:
    """The error holds the chord and what is wrong with it, in one line."""
    with pytest.raises(ConfigError) as caught:
        Chord.parse(text)
    assert repr(text) in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
