"""Carries out every action of the table: one method each, whatever triggers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

from livefilter.control.actions import ACTIONS, STYLE_ACTIONS, find_action
from livefilter.control.actions import help_lines as help_lines
from livefilter.control.parts import BLUR, PERSONS, PICTURE, RAW, STYLED, TRANSPARENT, check_room, next_room
from livefilter.control.settings import SharedSettings
from livefilter.control.timed import TimedActions
from livefilter.errors import InvalidInput, LivefilterError, ObsError, UnknownName

STRENGTH_STEP = 0.1
# What a timed action changes, and what it gives back afterwards.
TIMED_FIELDS = {
    "compare": "compare", "mirror": "mirror", "bypass": "bypass", "recording": "recording", "freeze": "frozen",
    "style": "style", "strength": "strength", "split": "split", "mirror_output": "mirror_output",
    "network": "network", "process_size": "process_size", "gaming": "gaming",
    "prefer": "prefer", "person": "person", "person_raw": "person", "room": "room",
    **dict.fromkeys(STYLE_ACTIONS, "style"),
}  # fmt: skip


class Controller:
    """Turns triggers (keys, global hotkeys, MIDI pads, the API) into changes of the shared settings.

    chording: tells whether ctrl, alt or super are held, where somebody watches them; a window key that comes with them
        belongs to a chord, and the window system does not tell the window so.
    change_input: opens another input in place of the one that runs; None where that cannot be done.
    add_source: puts the picture into OBS's current scene; None where livefilter does not connect to OBS.
    unavailable: actions that this run cannot do, and why. room_picture: whether the run has a picture for the room.
    """

    def __init__(self, settings: SharedSettings, styles: Sequence[str]) -> None:
        self.chording: Callable[[], bool] = lambda: False
        self.change_input: Callable[[str], None] | None = None
        self.add_source: Callable[[], None] | None = None
        self.unavailable: dict[str, str] = {}
        self.room_picture = False
        self._settings = settings
        self._styles = tuple(styles)
        self._keys = {action.key: action.name for action in ACTIONS if action.key}
        self._keys |= {str(number): name for number, name in enumerate(STYLE_ACTIONS, 1)}
        self._methods: dict[str, Callable[..., None]] = {
            action.name: getattr(self, action.method) for action in ACTIONS
        }
        self._lock = threading.RLock()
        self.timed = TimedActions(self._apply_timed, self._give_back)

    def press(self, key: str) -> bool:
        """Do what a key in the window or the terminal stands for; False when it stands for nothing.

        key: "1".."9" for a style, else a key of ACTIONS; "space" is the space bar. Capitals count as small letters, "?"
            as "h".
        """
        action = self._keys.get("h" if key == "?" else key.lower())
        if action is None or self.chording():
            return False
        self.trigger(action)
        return True

    def trigger(self, action: str) -> None:
        """Carry out an action for a key, a chord or a pad, which nobody can answer: a refusal becomes a notice."""
        try:
            self.perform(action)
        except LivefilterError as error:
            self._notify(str(error))

    def perform(self, action: str, /, **values: Any) -> None:
        """Carry out an action of the table by its name.

        Any thread may call it. One action is finished before the next begins: two toggles at once are two toggles.
        values: its parameters. With for_s it is undone by itself; several of one kind wait for each other.
        Raises: UnknownName, InvalidInput: no such action, parameter or value. Busy: too many wait.
        """
        parsed = find_action(action).parse(values)
        if action in self.unavailable:
            raise InvalidInput(self.unavailable[action])
        for_s, cooldown_s = parsed.pop("for_s", None), parsed.pop("cooldown_s", 0.0)
        if for_s is None:
            if cooldown_s:
                raise InvalidInput(f"cooldown_s of {action} means nothing without for_s: give both, or neither.")
            self._do(action, parsed)
            return
        if action == "style":
            self._place_of(parsed["name"])
        if action in STYLE_ACTIONS:
            self._place_number(STYLE_ACTIONS.index(action) + 1)
        self.timed.add(TIMED_FIELDS[action], action, parsed, for_s, cooldown_s)

    def close(self) -> None:
        """Forget what is timed. Can be called twice."""
        self.timed.close()

    def select_style(self, number: int) -> None:
        """Wish for the style with this number, counted from 1 in the catalogue's order. Raises: UnknownName."""
        self._select(self._place_number(number))

    def set_style(self, name: str) -> None:
        self._select(self._place_of(name))

    def next_style(self) -> None:
        self._step(1)

    def previous_style(self) -> None:
        self._step(-1)

    def weaker(self) -> None:
        self.set_strength(self._settings.current.strength - STRENGTH_STEP)

    def stronger(self) -> None:
        self.set_strength(self._settings.current.strength + STRENGTH_STEP)

    def set_strength(self, value: float) -> None:
        now = self._settings.current
        strength = round(min(now.strongest, max(0.0, value)), 2)
        end = f": {now.style} goes no further" if value > now.strongest else ""
        self._settings.change(strength=strength, notice=f"Strength {strength:.0%}{end}")

    def set_person(self, what: str) -> None:
        now = self._settings.current
        if what == STYLED:
            self._settings.change(person=STYLED, notice="Person: in the style")
        elif what == RAW:
            self._settings.change(person=RAW, notice="Person: viewers see you as the camera does")
        elif what not in self._styles:
            raise UnknownName("style", what, [*PERSONS, *self._styles])
        else:  # the style on screen is the person's; the room keeps its own
            room = now.style if now.room == STYLED and now.style != what else now.room
            self._settings.change(
                person=STYLED, style=what, room=STYLED if room == what else room, notice=f"Person: {what}"
            )

    def toggle_person_raw(self, on: bool | None = None) -> None:
        wanted = self._settings.current.person != RAW if on is None else on
        self.set_person(RAW if wanted else STYLED)

    def set_room(self, what: str) -> None:
        room = check_room(what, self._styles, picture=self.room_picture)
        room = STYLED if room == self._settings.current.style else room
        told = {
            STYLED: "in the style", RAW: "viewers see it as the camera does", BLUR: "blurred",
            TRANSPARENT: "cut away", PICTURE: "the picture",
        }.get(room, room)  # fmt: skip
        self._settings.change(room=room, notice=f"Room: {told}")

    def next_room(self) -> None:
        self.set_room(next_room(self._settings.current.room, picture=self.room_picture))

    def toggle_compare(self, on: bool | None = None) -> None:
        wanted = self._wanted("compare", on)
        self._settings.change(compare=wanted, notice=f"Split screen {_on(wanted)}")

    def set_split(self, at: float) -> None:
        self._settings.change(split=round(at, 4))

    def toggle_mirror(self, on: bool | None = None) -> None:
        wanted = self._wanted("mirror", on)
        self._settings.change(mirror=wanted, notice=f"Mirrored preview {_on(wanted)}; viewers see no difference")

    def toggle_mirror_output(self, on: bool | None = None) -> None:
        wanted = self._wanted("mirror_output", on)
        self._settings.change(mirror_output=wanted, notice=f"Mirrored output {_on(wanted)}; viewers see it so")

    def toggle_bypass(self, on: bool | None = None) -> None:
        wanted = self._wanted("bypass", on)
        notice = "Bypass on: viewers see the raw camera" if wanted else "Bypass off: the style is back"
        if self._settings.current.frozen:
            notice = f"Frozen: bypass goes {_on(wanted)} when you unfreeze (space)"
        self._settings.change(bypass=wanted, notice=notice)

    def toggle_recording(self, on: bool | None = None) -> None:
        self._settings.change(recording=self._wanted("recording", on))

    def take_snapshot(self) -> None:
        self._settings.change(snapshots=self._settings.current.snapshots + 1)

    def toggle_freeze(self, on: bool | None = None) -> None:
        wanted = self._wanted("frozen", on)
        self._settings.change(frozen=wanted, notice=f"Frozen picture {_on(wanted)}")

    def set_network(self, size: str) -> None:
        self._settings.change(network=size, notice=f"Network size: {size}")

    def set_process_size(self, pixels: int) -> None:
        if 0 < pixels < 64:
            raise InvalidInput(f"pixels of process_size must be 0 (automatic) or from 64 to 2160, not {pixels}.")
        self._settings.change(process_size=pixels, notice=f"Styling at {pixels or 'an automatic number of'} pixels")

    def set_input(self, target: str) -> None:
        if self.change_input is None:
            raise InvalidInput("The input of this run cannot be changed. Start livefilter again with -i.")
        self.change_input(target)

    def add_to_obs(self) -> None:
        if self.add_source is None:
            self._notify("livefilter is not connected to OBS: start it with --obs")
            return
        try:
            self.add_source()
        except ObsError as error:
            self._notify(str(error))

    def toggle_gaming(self, on: bool | None = None) -> None:
        wanted = self._wanted("gaming", on)
        self._settings.change(gaming=wanted, notice=f"Gaming mode {_on(wanted)}")

    def set_prefer(self, what: Literal["auto", "looks", "speed", "cool"]) -> None:
        self._settings.change(prefer=what, notice=f"Preference: {what}")

    def toggle_help(self) -> None:
        self._settings.change(help=not self._settings.current.help)

    def quit(self) -> None:
        self._settings.change(quitting=True)

    def _do(self, action: str, values: dict[str, Any]) -> None:
        with self._lock:
            if action in STYLE_ACTIONS:
                self.select_style(STYLE_ACTIONS.index(action) + 1)
            else:
                self._methods[action](**values)

    def _apply_timed(self, field: str, action: str, values: dict[str, Any]) -> tuple[Any, Any]:
        """Do a timed action; what its field was before, and what it is now."""
        with self._lock:
            before = getattr(self._settings.current, field)
            self._do(action, values)
            return before, getattr(self._settings.current, field)

    def _give_back(self, field: str, before: Any, given: Any) -> None:
        """Undo a timed action, unless somebody has changed the same thing meanwhile."""
        with self._lock:
            if getattr(self._settings.current, field) == given and before != given:
                told = field.replace("_", " ")
                self._settings.change(**{field: before}, notice=f"Time is up: {told} is back as it was")

    def _wanted(self, field: str, on: bool | None) -> bool:
        return not getattr(self._settings.current, field) if on is None else on

    def _step(self, by: int) -> None:
        if len(self._styles) < 2:
            self._notify(f"{self._settings.current.style} is the only style here")
            return
        current = self._settings.current.style
        place = self._styles.index(current) if current in self._styles else -by
        self._select((place + by) % len(self._styles))

    def _place_number(self, number: int) -> int:
        if number > len(self._styles):
            known = [f"{place} {name}" for place, name in enumerate(self._styles, 1)]
            raise UnknownName("style number", str(number), known)
        return number - 1

    def _place_of(self, name: str) -> int:
        if name not in self._styles:
            raise UnknownName("style", name, self._styles)
        return self._styles.index(name)

    def _select(self, place: int) -> None:
        self._settings.change(style=self._styles[place], notice=f"Style {place + 1}: {self._styles[place]}")

    def _notify(self, notice: str) -> None:
        self._settings.change(notice=notice)


def _on(value: bool) -> str:
    return "on" if value else "off"
