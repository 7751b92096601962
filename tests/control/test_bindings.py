"""What is bound to what: defaults, changes, conflicts."""

from __future__ import annotations

import pytest

from livefilter.control.actions import ACTIONS
from livefilter.control.bindings import chord_bindings, pad_bindings
from livefilter.control.chord import Chord
from livefilter.control.pad import Pad
from livefilter.errors import ConfigError, LivefilterError


def test_the_defaults_can_be_bound() -> None:
    """Every default chord and pad can be read, and none stands for two actions."""
    assert set(chord_bindings(()).values()) == {action.name for action in ACTIONS if action.chord}
    assert set(pad_bindings(()).values()) == {action.name for action in ACTIONS if action.pad}


def test_nothing_is_quit_or_typed_by_default() -> None:
    """Every default chord holds two modifiers, and none ends the run."""
    chords = chord_bindings(())
    assert all(len(chord.modifiers) == 2 for chord in chords)
    assert "quit" not in chords.values()


def test_changes_replace_the_default_of_their_action_only() -> None:
    """One action may get several chords, another none; styles can be bound by number."""
    chords = chord_bindings(("next_style=ctrl+alt+n", "next_style = f14", "bypass=none", "style_3=ctrl+alt+3"))
    told = {str(chord): action for chord, action in chords.items()}
    assert told["ctrl+alt+n"] == told["f14"] == "next_style"
    assert told["ctrl+alt+3"] == "style_3"
    assert told["ctrl+shift+f1"] == "previous_style"
    assert "ctrl+shift+f2" not in told
    assert "bypass" not in told.values()


def test_a_default_that_was_set_free_can_be_given_away() -> None:
    """The order of the changes does not matter."""
    chords = chord_bindings(("compare=ctrl+shift+f3", "bypass=none"))
    assert chords[Chord.parse("ctrl+shift+f3")] == "compare"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (("compare=ctrl+shift+f3",), ("ctrl+shift+f3", "compare", "bypass", "--hotkey bypass=none")),
        (("style_1=f13", "style_2=F13"), ("f13", "style_1", "style_2")),
        (("compare=ctrl+shft+c",), ("compare", "'ctrl+shft+c'", "'shift'")),
        (("compre=f13",), ("'compre'", "'compare'")),
        (("compare",), ("'compare'", "ACTION=TRIGGER")),
    ],
)
def test_a_conflict_or_mistake_names_both(changes: tuple[str, ...], said: tuple[str, ...]) -> None:
    """The error holds the action and the chord, or both actions, and the way out; one line."""
    with pytest.raises(LivefilterError) as caught:
        chord_bindings(changes)
    assert all(word in str(caught.value) for word in said), str(caught.value)
    assert "\n" not in str(caught.value)


def test_pads_are_bound_alike() -> None:
    """Notes and controllers, on one channel or all of them."""
    pads = pad_bindings(("bypass=cc:20@10", "compare=NOTE:60"))
    assert pads[Pad("cc", 20, 10)] == "bypass"
    assert pads[Pad("note", 60)] == "compare"
    assert pads[Pad("note", 37)] == "next_style"


@pytest.mark.parametrize("text", ["note:128", "note:36@17", "note:36@0", "pitch:3", "36", "note:-1"])
def test_a_wrong_pad_is_named(text: str) -> None:
    """The error holds the action, the pad and what is allowed."""
    with pytest.raises(ConfigError, match=r"compare.*0 to 127") as caught:
        pad_bindings((f"compare={text}",))
    assert repr(text) in str(caught.value)


def test_a_pad_on_one_channel_collides_with_the_same_on_all() -> None:
    """Otherwise one hit would have two meanings."""
    with pytest.raises(ConfigError, match="note:37@10 stands for both compare and next_style"):
        pad_bindings(("compare=note:37@10",))
