"""Every action a person can trigger: one method each, whatever triggers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livefilter.control.settings import SharedSettings

STRENGTH_STEP = 0.1


@dataclass(frozen=True, slots=True)
class Action:
    """A key, the method of Controller it calls, and what the help says."""

    key: str
    method: str
    help: str


ACTIONS: tuple[Action, ...] = (
    Action("n", "next_style", "next style"),
    Action("p", "previous_style", "previous style"),
    Action("[", "weaker", "weaker effect"),
    Action("]", "stronger", "stronger effect"),
    Action("c", "toggle_compare", "split screen: original | styled"),
    Action("m", "toggle_mirror", "mirror the preview"),
    Action("b", "toggle_bypass", "bypass: show the raw camera"),
    Action("r", "toggle_recording", "record on / off"),
    Action("s", "take_snapshot", "save a snapshot"),
    Action("space", "toggle_freeze", "freeze the picture"),
    Action("h", "toggle_help", "this help"),
    Action("q", "quit", "quit"),
)


class Controller:
    """Turns triggers (keys, later HTTP or MIDI) into changes of the shared settings."""

    def __init__(self, settings: SharedSettings, styles: Sequence[str]) -> None:
        self._settings = settings
        self._styles = tuple(styles)
        self._keys = {action.key: action.method for action in ACTIONS}

    def press(self, key: str) -> bool:
        """Do what a key stands for; False when it stands for nothing.

        key: "1".."9" for a style, else a key of ACTIONS; "space" is the space bar. Capitals count as small letters, "?"
            as "h".
        """
        key = "h" if key == "?" else key.lower()
        if len(key) == 1 and key in "123456789":
            self.select_style(int(key))
        elif key in self._keys:
            getattr(self, self._keys[key])()
        else:
            return False
        return True

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
