"""The one table of actions: what can be done to a live run, whatever triggers it.

Keys, global hotkeys, MIDI pads, HTTP, WebSocket, OSC, the page, the OpenAPI document and docs/api.md are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from livefilter.control.settings import STRONGEST
from livefilter.errors import InvalidInput, UnknownName

Kind = Literal["boolean", "number", "integer", "string"]
_WORDS = {"boolean": "true or false", "number": "a number", "integer": "a whole number", "string": "a text"}
_ON, _OFF = ("true", "on", "1", "yes"), ("false", "off", "0", "no")
MAX_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that an action takes.

    minimum, maximum: bounds of a number, both allowed themselves. choices: the only texts that are allowed.
    example: for documentation.
    """

    name: str
    kind: Kind
    help: str
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    example: Any = None

    @property
    def allowed(self) -> str:
        """What it may be, in words that fit after "must be"."""
        if self.choices:
            return " or ".join(self.choices)
        bounds = f" from {self.minimum:g} to {self.maximum:g}" if self.minimum is not None else ""
        return _WORDS[self.kind] + bounds

    def parse(self, action: str, value: Any) -> Any:
        """The value as its type; texts, as they come in an address, are read.

        Raises: InvalidInput: names the parameter and what it may be.
        """
        wrong = InvalidInput(f"{self.name} of {action} must be {self.allowed}, not {str(value)[:60]!r}.")
        if self.kind == "boolean":
            word = str(value).lower()
            if word not in _ON + _OFF or not isinstance(value, (bool, str, int)):
                raise wrong
            return word in _ON
        if self.kind == "string":
            if not isinstance(value, str) or len(value) > MAX_TEXT or (self.choices and value not in self.choices):
                raise wrong
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise wrong
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise wrong from None
        if not math.isfinite(number) or (self.kind == "integer" and number != int(number)):
            raise wrong
        if (self.minimum is not None and number < self.minimum) or (self.maximum is not None and number > self.maximum):
            raise wrong
        return int(number) if self.kind == "integer" else number


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done to a run: a method of Controller, what the help says, and what triggers it.

    key: in the preview window and the terminal. chord: with any other window in focus; docs/hotkeys.md says why these.
    pad: on a MIDI device. The last two are defaults; an empty text is none. Actions without a key need a parameter.
    timed: it can be undone by itself after `for_s` seconds.
    """

    key: str
    method: str
    help: str
    chord: str = ""
    pad: str = ""
    parameters: tuple[Parameter, ...] = ()
    timed: bool = False

    @property
    def name(self) -> str:
        """What settings and the API call it."""
        return self.method.removeprefix("toggle_").removeprefix("take_").removeprefix("set_")

    @property
    def takes(self) -> tuple[Parameter, ...]:
        """Every parameter, those of timed actions included."""
        return (*self.parameters, *(TIMING if self.timed else ()))

    @property
    def bare(self) -> bool:
        """Whether it can be done without a parameter, as by a key."""
        return not any(parameter.required for parameter in self.parameters)

    def parse(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Check names, types and bounds of what was given.

        Raises: InvalidInput, UnknownName: names the parameter and what it may be.
        """
        known = {parameter.name: parameter for parameter in self.takes}
        for name in values:
            if name not in known:
                raise UnknownName(f"parameter of {self.name}", str(name)[:60], known)
        missing = [parameter for parameter in self.parameters if parameter.required and parameter.name not in values]
        if missing:
            raise InvalidInput(f"{self.name} needs {missing[0].name}: {missing[0].allowed}.")
        return {name: known[name].parse(self.name, value) for name, value in values.items()}


TIMING = (
    Parameter("for_s", "number", "go back by itself after so many seconds", minimum=0.1, maximum=3600, example=30),
    Parameter(
        "cooldown_s",
        "number",
        "with for_s: rest so long afterwards before the next timed one",
        minimum=0,
        maximum=3600,
        example=10,
    ),
)


def _switch(what: str) -> tuple[Parameter, ...]:
    return (Parameter("on", "boolean", f"{what}; left out, the opposite of now", example=True),)


ACTIONS: tuple[Action, ...] = (
    Action("n", "next_style", "next style", "ctrl+shift+f2", "note:37"),
    Action("p", "previous_style", "previous style", "ctrl+shift+f1", "note:36"),
    Action("[", "weaker", "weaker effect", "ctrl+shift+f7", "note:39"),
    Action("]", "stronger", "stronger effect", "ctrl+shift+f8", "note:40"),
    Action(
        "c", "toggle_compare", "split screen: original | styled", parameters=_switch("whether to split"), timed=True
    ),
    Action("m", "toggle_mirror", "mirror the preview", parameters=_switch("whether to mirror"), timed=True),
    Action(
        "b", "toggle_bypass", "bypass: show the raw camera", "ctrl+shift+f3", "note:38",
        _switch("whether to show the raw camera"), timed=True,
    ),
    Action(
        "u", "toggle_person_raw", "you as the camera sees you, in a room that stays in the style",
        parameters=_switch("whether to show the person raw"), timed=True,
    ),
    Action("e", "next_room", "room: styled, blurred, cut away"),
    Action(
        "r", "toggle_recording", "record on / off", "ctrl+shift+f9", "note:41", _switch("whether to record"), timed=True
    ),
    Action("s", "take_snapshot", "save a snapshot", "ctrl+shift+f12", "note:43"),
    Action(
        "space", "toggle_freeze", "freeze the picture", "ctrl+shift+f11", "note:42", _switch("whether to freeze"),
        timed=True,
    ),
    Action(
        "g", "toggle_gaming", "gaming mode: a small share of the machine",
        parameters=_switch("whether to take only a share"), timed=True,
    ),
    Action("h", "toggle_help", "this help"),
    Action("q", "quit", "quit"),
    Action(
        "", "set_style", "choose a style",
        parameters=(Parameter("name", "string", "name of the style", required=True, example="paprika"),), timed=True,
    ),
    Action(
        "", "set_strength", "set the strength of the effect", timed=True,
        parameters=(Parameter(
            "value", "number", "0 the original, 1 the style as meant, 1.5 bolder where it can", True, 0, STRONGEST,
            example=0.8),),
    ),
    Action(
        "", "set_person", "choose what a person is", timed=True,
        parameters=(Parameter(
            "what", "string", "style, raw (as the camera sees them), or a style of their own", True, example="raw"),),
    ),
    Action(
        "", "set_room", "choose what is around a person", timed=True,
        parameters=(Parameter(
            "what", "string", "style, raw, blur, transparent, picture, or a style of its own", True, example="blur"),),
    ),
    Action(
        "", "set_split", "move the line of the split screen", timed=True,
        parameters=(Parameter("at", "number", "place of the line, as a share of the width", True, 0, 1, example=0.5),),
    ),
    Action(
        "", "toggle_mirror_output", "mirror what viewers see", parameters=_switch("whether to mirror"), timed=True
    ),
    Action(
        "", "set_network", "choose the size of the style's network", timed=True,
        parameters=(Parameter(
            "size", "string", "lite is fast, full is finer, auto chooses", True, choices=("auto", "lite", "full"),
            example="full"),),
    ),
    Action(
        "", "set_process_size", "set the size at which frames are styled", timed=True,
        parameters=(Parameter(
            "pixels", "integer", "the shorter side; 0 for the largest that keeps up", True, 0, 2160, example=360),),
    ),
    Action(
        "", "set_prefer", "choose what counts besides the promised rate and age", timed=True,
        parameters=(Parameter(
            "what", "string", "larger pictures, more in reserve, or a cool machine", True,
            choices=("auto", "looks", "speed", "cool"), example="cool"),),
    ),
    Action(
        "", "set_input", "start over with another input",
        parameters=(Parameter(
            "target", "string", "one of those that GET /api/inputs lists", required=True, example="demo"),),
    ),
    Action("o", "add_to_obs", "put the picture into OBS's current scene, or find it there"),
)  # fmt: skip
STYLE_ACTIONS: tuple[str, ...] = tuple(f"style_{number}" for number in range(1, 10))
BY_NAME: Mapping[str, Action] = {action.name: action for action in ACTIONS} | {
    name: Action(str(number), name, f"style {number}", timed=True) for number, name in enumerate(STYLE_ACTIONS, 1)
}
# What keys, chords and pads can set off.
BARE: tuple[str, ...] = tuple(name for name, action in BY_NAME.items() if action.bare)


def find_action(name: str) -> Action:
    """Look up an action.

    Raises: UnknownName: names the nearest one.
    """
    try:
        return BY_NAME[name]
    except KeyError:
        raise UnknownName("action", name[:60], BY_NAME) from None


def help_lines(actions: Sequence[Action] = ACTIONS) -> list[str]:
    """One line per key, for the overlay and the terminal."""
    keys = [("1-9", "style by number"), *((action.key, action.help) for action in actions if action.key)]
    return [f"{key:<7}{text}" for key, text in keys]
