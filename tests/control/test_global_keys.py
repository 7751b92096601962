"""Global hotkeys on a real X server, with the window of another program in focus."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from livefilter.control.bindings import chord_bindings
from livefilter.control.controller import Controller
from livefilter.control.global_keys import GlobalKeys
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import TriggerUnavailable
from tests.control.keyboard import Keyboard, press_until
from tests.fakes import until

STYLES = ("hayao", "shinkai", "paprika")
# LIVEFILTER_PRESSES=1000 is the long proof.
PRESSES = int(os.environ.get("LIVEFILTER_PRESSES", "50"))
# Not importorskip: pynput opens the display when it is imported, and each test has its own.
if importlib.util.find_spec("pynput") is None:
    pytest.skip("no pynput here: pip install 'livefilter[hotkeys]'", allow_module_level=True)

Open = Callable[..., tuple[list[str], GlobalKeys]]


@pytest.fixture
def listening(keyboard: Keyboard) -> Iterator[Open]:
    """Opens hotkeys, the ones that were changed as given, and waits until they work; the actions go to a list."""
    opened: list[GlobalKeys] = []

    def listen(*changes: str) -> tuple[list[str], GlobalKeys]:
        actions: list[str] = []
        keys = GlobalKeys(chord_bindings(changes), actions.append, actions.append)
        opened.append(keys)
        press_until(keyboard, "ctrl+shift+F12", actions)
        return actions, keys

    yield listen
    for keys in opened:
        keys.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("global-hotkeys")]


def after(keyboard: Keyboard, actions: list[str]) -> list[str]:
    """What was done up to now, snapshots left out: one more press of another chord comes after everything before it."""
    already = actions.count("recording")
    keyboard.key("ctrl+shift+F9")
    until(lambda: actions.count("recording") > already, "the last press")
    return [action for action in actions if action not in {"snapshot", "recording"}]


@pytest.mark.timeout(120 + PRESSES)
def test_every_press_is_one_action(keyboard: Keyboard, listening: Open) -> None:
    """Chord after chord into another program's window: each one is done, once, in order, and seen in the settings."""
    actions, _keys = listening()
    settings = SharedSettings(LiveSettings(STYLES[0]))
    controller = Controller(settings, STYLES)
    typed = keyboard.typed
    for number in range(PRESSES):
        forward = number % 3 != 2
        already = len(actions)
        keyboard.key("ctrl+shift+F2" if forward else "ctrl+shift+F1")
        until(lambda already=already: len(actions) > already, f"an effect of press {number}")  # type: ignore[misc]
    done = after(keyboard, actions)
    assert done == ["previous_style" if number % 3 == 2 else "next_style" for number in range(PRESSES)]
    # Ctrl, shift and the key: the other window really had the focus. It tells of them a moment later than the X server.
    until(lambda: keyboard.typed - typed >= 3 * PRESSES, "the presses in the other window")
    for action in done:
        controller.perform(action)
    assert settings.current.style == STYLES[(done.count("next_style") - done.count("previous_style")) % 3]


@pytest.mark.timeout(120 + PRESSES)
def test_a_burst_of_presses_loses_none(keyboard: Keyboard, listening: Open) -> None:
    """Presses that nobody waits between are all done."""
    actions, _keys = listening()
    for _ in range(PRESSES):
        keyboard.key("ctrl+shift+F2")
    for number in range(PRESSES):
        until(lambda number=number: actions.count("next_style") > number, f"press {number} of the burst")  # type: ignore[misc]
    assert after(keyboard, actions) == ["next_style"] * PRESSES


def test_a_held_chord_acts_once(keyboard: Keyboard, listening: Open) -> None:
    """The repeats of a held key are no presses; the next real press is one."""
    actions, _keys = listening()
    for command in (
        "keydown ctrl",
        "keydown shift",
        "keydown F2",
        "sleep 1.5",
        "keyup F2",
        "keyup shift",
        "keyup ctrl",
    ):
        keyboard.do(command)
    until(lambda: "next_style" in actions, "the held chord")
    assert after(keyboard, actions) == ["next_style"]
    keyboard.key("ctrl+shift+F2")
    until(lambda: actions.count("next_style") == 2, "the press after it")


CHORDS = {
    "ctrl+shift+1": "ctrl+shift+1",  # X11 reports an exclamation mark
    "alt+shift+n": "shift+alt+n",  # X11 reports alt as meta when shift came first
    "ctrl+alt+[": "ctrl+alt+bracketleft",
    "super+space": "super+space",
    "pause": "Pause",
    "ctrl+page_up": "ctrl+Prior",
}


def test_chords_of_all_kinds_are_heard(keyboard: Keyboard, listening: Open) -> None:
    """What shift and alt do to key symbols does not hide a chord."""
    bound = {chord: f"style_{number}" for number, chord in enumerate(CHORDS, 1)}
    actions, _keys = listening(*(f"{action}={chord}" for chord, action in bound.items()))
    for chord, pressed in CHORDS.items():
        keyboard.key(pressed)
        until(lambda chord=chord: bound[chord] in actions, f"an effect of {chord}")  # type: ignore[misc]
    assert after(keyboard, actions) == list(bound.values())


def test_only_the_exact_chord_counts(keyboard: Keyboard, listening: Open) -> None:
    """One modifier too few or too many, or another key, is somebody else's."""
    actions, _keys = listening()
    for other in ("F2", "ctrl+F2", "shift+F2", "ctrl+shift+alt+F2", "ctrl+shift+F4", "n", "q"):
        keyboard.key(other)
    assert after(keyboard, actions) == []


def test_keys_with_ctrl_held_belong_to_chords(keyboard: Keyboard, listening: Open) -> None:
    """The trigger tells that ctrl, alt or super are in play, so that a preview window in focus does not act again."""
    actions, keys = listening("bypass=ctrl+alt+b")
    settings = SharedSettings(LiveSettings(STYLES[0]))
    controller = Controller(settings, STYLES)
    assert after(keyboard, actions) == []
    until(lambda: not keys.chording(), "the end of the last chord")
    controller.chording = keys.chording
    assert controller.press("b")
    keyboard.key("ctrl+alt+b")
    until(lambda: "bypass" in actions or keys.chording(), "the chord")
    controller.chording = lambda: True
    assert not controller.press("b")
    assert settings.current.bypass


def test_it_can_be_opened_and_closed_again_and_again(xvfb: str) -> None:
    """No thread and no connection is left, even when it is closed at once and twice."""
    for _ in range(10):
        keys = GlobalKeys(chord_bindings(()), lambda action: None, lambda notice: None)
        keys.close()
        keys.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("global-hotkeys")]


def test_without_a_display_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what cannot start, why, and how to switch it off."""
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(TriggerUnavailable, match="--hotkeys off") as caught:
        GlobalKeys(chord_bindings(()), lambda action: None, lambda notice: None)
    assert "\n" not in str(caught.value)
    with pytest.raises(TriggerUnavailable, match="--hotkeys off"):
        GlobalKeys.check("")


def test_a_display_that_goes_is_told(x_server: subprocess.Popen[bytes]) -> None:
    """The end of the X server is one notice, and closing afterwards is no trouble."""
    told: list[str] = []
    keys = GlobalKeys(chord_bindings(()), lambda action: None, told.append)
    x_server.kill()
    until(lambda: bool(told), "a notice")
    keys.close()
    assert told == ["Global hotkeys have ended; the keys of the window and the terminal still work"]
