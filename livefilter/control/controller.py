"""Every action a person can trigger: one method each, whatever triggers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from livefilter.control.settings import SharedSettings

STRENGTH_STEP = 0.1


@dataclass(frozen=True, slots=True)
class Action:
    """A method of Controller, what the help says, and what triggers it.

    key: in the preview window and the terminal. chord: with any other window in focus; docs/hotkeys.md says why these.
    pad: on a MIDI device. The last two are defaults; an empty text is none.
    """

    key: str
    method: str
    help: str
    chord: str = ""
    pad: str = ""

    @property
    def name(self) -> str:
        """What settings call it."""
        return self.method.removeprefix("toggle_").removeprefix("take_")


ACTIONS: tuple[Action, ...] = (
    Action("n", "next_style", "next style", "ctrl+shift+f2", "note:37"),
    Action("p", "previous_style", "previous style", "ctrl+shift+f1", "note:36"),
    Action("[", "weaker", "weaker effect", "ctrl+shift+f7", "note:39"),
    Action("]", "stronger", "stronger effect", "ctrl+shift+f8", "note:40"),
    Action("c", "toggle_compare", "split screen: original | styled"),
    Action("m", "toggle_mirror", "mirror the preview"),
    Action("b", "toggle_bypass", "bypass: show the raw camera", "ctrl+shift+f3", "note:38"),
    Action("r", "toggle_recording", "record on / off", "ctrl+shift+f9", "note:41"),
    Action("s", "take_snapshot", "save a snapshot", "ctrl+shift+f12", "note:43"),
    Action("space", "toggle_freeze", "freeze the picture", "ctrl+shift+f11", "note:42"),
    Action("h", "toggle_help", "this help"),
    Action("q", "quit", "quit"),
)
STYLE_ACTIONS: tuple[str, ...] = tuple(f"style_{number}" for number in range(1, 10))


class Controller:
    """Turns triggers (window and terminal keys, global hotkeys, MIDI pads) into changes of the shared settings.

    chording: tells whether ctrl, alt or super are held, where somebody watches them; a window key that comes with them
        belongs to a chord, and the window system does not tell the window so.
    """

    def __init__(self, settings: SharedSettings, styles: Sequence[str]) -> None:
        self.chording: Callable[[], bool] = lambda: False
        self._settings = settings
        self._styles = tuple(styles)
        self._keys = {action.key: action.name for action in ACTIONS}
        self._keys |= {str(number): name for number, name in enumerate(STYLE_ACTIONS, 1)}
        self._methods: dict[str, Callable[[], None]] = {action.name: getattr(self, action.method) for action in ACTIONS}
        self._lock = threading.Lock()

    def press(self, key: str) -> bool:
        """Do what a key in the window or the terminal stands for; False when it stands for nothing.

        key: "1".."9" for a style, else a key of ACTIONS; "space" is the space bar. Capitals count as small letters, "?"
            as "h".
        """
        action = self._keys.get("h" if key == "?" else key.lower())
        if action is None or self.chording():
            return False
        self.perform(action)
        return True

    def perform(self, action: str) -> None:
        """Carry out an action by its name: one of ACTIONS, or of STYLE_ACTIONS.

        Any thread may call it. One action is finished before the next begins: two toggles at once are two toggles.
        """
        with self._lock:
            if action in STYLE_ACTIONS:
                self.select_style(STYLE_ACTIONS.index(action) + 1)
            else:
                self._methods[action]()

    def select_style(self, number: int) -> None:
        """Wish for the style with this number, counted from 1 in the catalogue's order."""
        if number > len(self._styles):
            known = ", ".join(f"{place} {name}" for place, name in enumerate(self._styles, 1))
            self._notify(f"There is no style {number}; there is {known}")
            return
        self._select(number - 1)

    def next_style(self) -> None:
        self._step(1)

    def previous_style(self) -> None:
        self._step(-1)

    def weaker(self) -> None:
        self._add_strength(-STRENGTH_STEP)

    def stronger(self) -> None:
        self._add_strength(STRENGTH_STEP)

    def toggle_compare(self) -> None:
        wanted = not self._settings.current.compare
        self._settings.change(compare=wanted, notice=f"Split screen {_on(wanted)}")

    def toggle_mirror(self) -> None:
        wanted = not self._settings.current.mirror
        self._settings.change(mirror=wanted, notice=f"Mirrored preview window {_on(wanted)}; viewers see no difference")

    def toggle_bypass(self) -> None:
        wanted = not self._settings.current.bypass
        notice = "Bypass on: viewers see the raw camera" if wanted else "Bypass off: the style is back"
        if self._settings.current.frozen:
            notice = f"Frozen: bypass goes {_on(wanted)} when you unfreeze (space)"
        self._settings.change(bypass=wanted, notice=notice)

    def toggle_recording(self) -> None:
        self._settings.change(recording=not self._settings.current.recording)

    def take_snapshot(self) -> None:
        self._settings.change(snapshots=self._settings.current.snapshots + 1)

    def toggle_freeze(self) -> None:
        wanted = not self._settings.current.frozen
        self._settings.change(frozen=wanted, notice=f"Frozen picture {_on(wanted)}")

    def toggle_help(self) -> None:
        self._settings.change(help=not self._settings.current.help)

    def quit(self) -> None:
        self._settings.change(quitting=True)

    def _step(self, by: int) -> None:
        if len(self._styles) < 2:
            self._notify(f"{self._settings.current.style} is the only style here")
            return
        current = self._settings.current.style
        place = self._styles.index(current) if current in self._styles else -by
        self._select((place + by) % len(self._styles))

    def _select(self, place: int) -> None:
        self._settings.change(style=self._styles[place], notice=f"Style {place + 1}: {self._styles[place]}")

    def _add_strength(self, step: float) -> None:
        strength = round(min(1.0, max(0.0, self._settings.current.strength + step)), 2)
        self._settings.change(strength=strength, notice=f"Strength {strength:.0%}")

    def _notify(self, notice: str) -> None:
        self._settings.change(notice=notice)


def help_lines() -> list[str]:
    """One line per key, for the overlay and the terminal."""
    keys = [("1-9", "style by number"), *((action.key, action.help) for action in ACTIONS)]
    return [f"{key:<7}{text}" for key, text in keys]


def _on(value: bool) -> str:
    return "on" if value else "off"
