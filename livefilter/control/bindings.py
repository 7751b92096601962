"""Which trigger sets off which action: the defaults, and what the user has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from livefilter.control.actions import ACTIONS, BARE
from livefilter.control.chord import Chord
from livefilter.control.pad import Pad
from livefilter.errors import ConfigError, UnknownName

Trigger = TypeVar("Trigger")
NOTHING = "none"


def chord_bindings(changes: Sequence[str]) -> dict[Chord, str]:
    """Chord -> action name, from the defaults of ACTIONS and entries such as "next_style=ctrl+alt+n".

    Raises: ConfigError, UnknownName: a wrong entry, or two actions on one chord; names both.
    """
    return _bindings("hotkey", Chord.parse, {action.name: action.chord for action in ACTIONS if action.bare}, changes)


def pad_bindings(changes: Sequence[str]) -> dict[Pad, str]:
    """Pad -> action name, from the defaults of ACTIONS and entries such as "bypass=note:40".

    Raises: ConfigError, UnknownName: a wrong entry, or two actions on one pad; names both.
    """
    bound = _bindings("midi-pad", Pad.parse, {action.name: action.pad for action in ACTIONS if action.bare}, changes)
    for pad, action in bound.items():
        wide = Pad(pad.kind, pad.number)
        if pad.channel and wide in bound and bound[wide] != action:
            raise ConfigError(_conflict("midi-pad", pad, action, bound[wide]))
    return bound


def _bindings(
    flag: str, parse: Callable[[str], Trigger], defaults: Mapping[str, str], changes: Sequence[str]
) -> dict[Trigger, str]:
    """An action that is named in `changes` loses its default; named more than once it has several triggers."""
    wanted: list[tuple[str, str]] = []
    for change in changes:
        action, equals, text = change.partition("=")
        if not equals:
            raise ConfigError(f"--{flag} {change!r} must read ACTION=TRIGGER, such as {_example(flag)}.")
        if action.strip() not in BARE:
            raise UnknownName("action", action.strip(), BARE)
        wanted.append((action.strip(), text.strip()))
    changed = {action for action, _ in wanted}
    wanted += [(action, text) for action, text in defaults.items() if text and action not in changed]
    bound: dict[Trigger, str] = {}
    for action, text in wanted:
        if text.lower() == NOTHING:
            continue
        try:
            trigger = parse(text)
        except ConfigError as error:
            raise ConfigError(f"--{flag} {action}={text}: {error}") from error
        if bound.get(trigger, action) != action:
            raise ConfigError(_conflict(flag, trigger, bound[trigger], action))
        bound[trigger] = action
    return bound


def _conflict(flag: str, trigger: object, one: str, other: str) -> str:
    return (
        f"{trigger} stands for both {one} and {other}. "
        f"Give one of them another trigger, or none: --{flag} {other}={NOTHING}"
    )


def _example(flag: str) -> str:
    return "next_style=ctrl+alt+n" if flag == "hotkey" else "next_style=note:37"
